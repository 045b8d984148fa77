"""The cache of replies: what is kept, under which key, and what is not."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.cache_folder import cache_database
from vlmops.engine import ResponseCache
from vlmops.engine.key import request_key
from vlmops.engine.stored_reply import from_text, to_text
from vlmops.evaluators import Usage
from vlmops.images import Image
from vlmops.images.pixel_index import PixelIndex
from vlmops.models import ModelReply, ModelRequest, SentPicture
from vlmops.testing import picture

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[ResponseCache]:
    with ResponseCache(tmp_path / "replies.sqlite") as opened:
        yield opened


@given(output=json_values, text=st.text(st.characters(codec="utf-8")))
def test_a_reply_comes_back_as_it_was_and_says_so(output: object, text: str) -> None:
    sent = SentPicture(10, 5, 40, 20, 99, "image/png", changes=("resized",))
    reply = ModelReply(
        output, text, Usage(3, 4, cost=0.5), 1.5, "m", "length", {"id": "x"}, 0.2, "repaired", (sent,)
    )
    assert from_text(to_text(reply)) == replace(reply, cached=True)


def test_a_reply_with_half_a_character_is_kept_and_harms_no_other(cache: ResponseCache) -> None:
    half = ModelReply({"said": "\ud83d"}, '{"said": "\\ud83d')
    cache.put_all([(b"whole", "m", ModelReply("é", "é")), (b"half", "m", half)])
    assert cache.get(b"half") == replace(half, cached=True)
    assert cache.get(b"whole") is not None


def test_a_reply_too_deep_for_json_harms_no_other(cache: ResponseCache) -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    cache.put_all([(b"deep", "m", ModelReply(deep, "")), (b"flat", "m", ModelReply("x", "x"))])
    assert cache.get(b"deep") is None
    assert cache.get(b"flat") is not None


def test_long_ones_are_not_all_written_in_one_statement(cache: ResponseCache) -> None:
    """What it takes is copied first, while all threads wait."""
    lengths = [10, 300_000, 10, 200_000, 100_000, 400_000, 10, 10]
    statements: list[str] = []
    cache._writer.set_trace_callback(statements.append)
    cache.put_all([(b"%d" % n, "m", ModelReply("x" * length, "")) for n, length in enumerate(lengths)])
    cache._writer.set_trace_callback(None)
    assert [len(cache.get(b"%d" % n).output) for n in range(len(lengths))] == lengths
    assert len(statements) == 6


def test_many_are_kept_at_once_by_an_old_sqlite_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes fewer values in a statement."""

    def opened(file: Path, schema: str) -> sqlite3.Connection:
        connection = cache_database(file, schema)
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
        return connection

    monkeypatch.setattr("vlmops.engine.cache.cache_database", opened)
    keys = [str(number).encode() for number in range(2500)]
    with ResponseCache(tmp_path / "replies.sqlite") as cache:
        cache.put_all([(key, "m", ModelReply("x", "x")) for key in keys])
        assert all(cache.get(key) for key in keys)


def test_what_is_no_json_is_not_kept(cache: ResponseCache) -> None:
    cache.put(b"k", "m", ModelReply({"picture": picture(1)}, ""))
    cache.put(b"n", "m", ModelReply(float("nan"), ""))
    assert (cache.get(b"k"), cache.get(b"n"), cache.models()) == (None, None, [])


def test_the_newest_counts_and_old_ones_may_be_passed_over(cache: ResponseCache) -> None:
    cache.put(b"k", "m", ModelReply("old", "old"))
    cache.put(b"k", "m", ModelReply("new", "new"))
    assert cache.get(b"k").output == "new"
    assert cache.get(b"k", since=datetime.now(UTC).timestamp() + 1) is None


def test_it_is_counted_and_cleared_by_model_and_age(cache: ResponseCache) -> None:
    for key, model in ((b"1", "a"), (b"2", "a"), (b"3", "b")):
        cache.put(key, model, ModelReply("x", "x", Usage(cost=0.25)))
    assert [(m.model, m.replies, m.cost) for m in cache.models()] == [("a", 2, 0.5), ("b", 1, 0.25)]
    assert cache.clear(before=datetime.now(UTC) - timedelta(hours=1)) == 0
    assert cache.clear(model="a") == 2
    assert cache.clear() == 1
    assert cache.models() == []


def test_a_damaged_row_is_asked_for_again(cache: ResponseCache, caplog: pytest.LogCaptureFixture) -> None:
    cache.put(b"k", "m", ModelReply("x", "x"))
    with sqlite3.connect(cache.location) as other:
        other.execute("UPDATE reply SET reply = '{\"text\":'")
    other.close()
    assert cache.get(b"k") is None
    assert "asked for again" in caplog.text


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "broken.sqlite"
    file.write_bytes(b"this is no database" * 100)
    with ResponseCache(file) as cache:
        cache.put(b"k", "m", ModelReply("x", "x"))
        assert cache.get(b"k").output == "x"


def test_many_threads_and_two_openings_share_it(tmp_path: Path) -> None:
    file = tmp_path / "shared.sqlite"
    with ResponseCache(file) as one, ResponseCache(file) as two:

        def write(cache: ResponseCache, first: int) -> None:
            for number in range(first, first + 50):
                cache.put(str(number).encode(), "m", ModelReply(number, ""))

        threads = [
            threading.Thread(target=write, args=(cache, 50 * n))
            for n, cache in enumerate((one, two, one, two))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [one.get(str(n).encode()).output for n in range(200)] == list(range(200))


class TestKey:
    def key(self, request: ModelRequest, identity: object = None) -> bytes:
        return request_key({"name": "m"} if identity is None else identity, request, Image.pixel_hash)

    @pytest.mark.parametrize(
        "other",
        [
            ModelRequest("q", (picture(2),)),
            ModelRequest("r", (picture(1),)),
            ModelRequest("q", (picture(1), picture(1))),
            ModelRequest("q", (picture(1),), schema={"type": "object"}),
            ModelRequest("q", (picture(1),), parameters={"temperature": 1}),
            ModelRequest("q", (picture(1),), repetition=2),
        ],
    )
    def test_all_that_an_answer_depends_on_is_in_it(self, other: ModelRequest) -> None:
        one = ModelRequest("q", (picture(1),))
        assert self.key(one) != self.key(other)
        assert self.key(one) != self.key(one, {"name": "m", "detail": "low"})

    def test_names_and_containers_are_not_and_order_of_keys_is_not(self, tmp_path: Path) -> None:
        file = tmp_path / "other name.bmp"
        picture(1).to_pil("RGB").save(file)
        one = ModelRequest("q", (picture(1),), parameters={"a": 1, "b": 2})
        two = ModelRequest("q", (Image.from_path(file),), parameters={"b": 2, "a": 1})
        assert self.key(one) == self.key(two)


class TestPixelIndex:
    def test_pixels_are_decoded_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "pixels.sqlite"
        index = PixelIndex(file)
        found = index.stands_for(picture(1))
        index.close()
        monkeypatch.setattr(Image, "pixel_hash", lambda self: pytest.fail("decoded again"))
        again = PixelIndex(file)
        assert again.stands_for(picture(1)) == found
        again.close()

    def test_a_file_that_has_not_changed_is_not_read_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "a.png"
        file.write_bytes(picture(1).read())
        os.utime(file, (1, 1))
        long_after = time.time_ns() + 10**9
        monkeypatch.setattr("vlmops.images.file_stamp.time.time_ns", lambda: long_after)
        index = PixelIndex(tmp_path / "pixels.sqlite")
        found = index.stands_for(Image.from_path(file))
        index.close()
        index = PixelIndex(tmp_path / "pixels.sqlite")
        unread = Image.from_path(file)
        assert index.stands_for(unread) == found
        assert not unread.is_known
        file.write_bytes(picture(2).read())
        os.utime(file, (1, 1))
        assert index.stands_for(Image.from_path(file)) == index.stands_for(picture(2)) != found
        index.close()

    def test_a_damaged_index_costs_decoding_again_and_no_answer(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        index = PixelIndex(tmp_path / "pixels.sqlite")
        with sqlite3.connect(tmp_path / "pixels.sqlite") as other:
            other.execute("DROP TABLE pixels")
        other.close()
        assert index.stands_for(picture(1)) == f"pixels:{picture(1).pixel_hash()}"
        assert "cannot be read" in caplog.text
        index.close()

    def test_animations_that_begin_alike_are_told_apart(self, tmp_path: Path) -> None:
        from PIL import Image as Pillow

        colours = [Pillow.new("RGB", (4, 4), name) for name in ("red", "green", "blue")]
        for name, second in (("a", 1), ("b", 2)):
            colours[0].save(tmp_path / f"{name}.gif", save_all=True, append_images=[colours[second]])
        index = PixelIndex(tmp_path / "pixels.sqlite")
        a, b = (index.stands_for(Image.from_path(tmp_path / f"{name}.gif")) for name in "ab")
        index.close()
        assert a != b
