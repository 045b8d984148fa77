"""The image index spares reading a file again, and notices every change of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vlmops.errors import ImageError
from vlmops.images import Image, Preparation
from vlmops.images.index import ImageIndex
from vlmops.testing import picture

PREPARATION = Preparation()


class CountingPreparation:
    """Stands in for a preparation and counts what it prepares."""

    fingerprint = PREPARATION.fingerprint

    def __init__(self) -> None:
        self.prepared: list[str] = []

    def prepare(self, image: Image) -> Image:
        self.prepared.append(Path(image.source).name)
        return PREPARATION.prepare(image)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[ImageIndex]:
    with ImageIndex(tmp_path / "images.sqlite") as index:
        yield index


@pytest.fixture
def settled_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock a second ahead: files written just now count as settled."""
    now = time.time_ns
    monkeypatch.setattr("vlmops.images.file_stamp.time.time_ns", lambda: now() + 1_000_000_000)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    path.write_bytes(picture(1).read())
    return path


def prepared(index: ImageIndex, file: Path, preparation: CountingPreparation) -> Image:
    return index.prepared(Image.from_path(file), preparation)  # type: ignore[arg-type]


@pytest.mark.usefixtures("settled_clock")
class TestSettledFiles:
    def test_a_file_is_prepared_once(self, index: ImageIndex, file: Path) -> None:
        counting = CountingPreparation()
        first, again = (prepared(index, file, counting) for _ in range(2))
        assert counting.prepared == ["a.png"]
        assert again == first == picture(1)
        assert (again.size, again.media_type, again.byte_length) == (
            first.size,
            first.media_type,
            first.byte_length,
        )

    def test_the_bytes_of_a_known_file_are_there_when_asked_for(self, index: ImageIndex, file: Path) -> None:
        images = [index.prepared(Image.from_path(file), Preparation(max_side=10)) for _ in range(2)]
        assert images[0].read() == images[1].read()
        assert max(images[1].to_pil().size) == 10

    def test_it_is_remembered_by_the_next_process(self, tmp_path: Path, file: Path) -> None:
        counting = CountingPreparation()
        for _ in range(2):
            with ImageIndex(tmp_path / "images.sqlite") as index:
                prepared(index, file, counting)
        assert counting.prepared == ["a.png"]

    def test_a_changed_file_is_read_again(self, index: ImageIndex, file: Path) -> None:
        counting = CountingPreparation()
        prepared(index, file, counting)
        file.write_bytes(picture(2).read())
        assert prepared(index, file, counting) == picture(2)

    def test_a_touched_file_is_read_again_and_is_the_same(self, index: ImageIndex, file: Path) -> None:
        counting = CountingPreparation()
        first = prepared(index, file, counting)
        os.utime(file, ns=(1, 1))
        assert prepared(index, file, counting) == first
        assert len(counting.prepared) == 2
        prepared(index, file, counting)
        assert len(counting.prepared) == 2

    def test_another_file_of_the_same_length_and_time_is_noticed(self, index: ImageIndex, file: Path) -> None:
        """As ``cp -p`` and ``rsync --times`` make them."""
        before = file.stat()
        counting = CountingPreparation()
        prepared(index, file, counting)
        other = picture(2).read()
        file.write_bytes(other + bytes(before.st_size - len(other)) if len(other) < before.st_size else other)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert prepared(index, file, counting) == picture(2)

    def test_a_replaced_file_is_noticed(self, index: ImageIndex, file: Path, tmp_path: Path) -> None:
        counting = CountingPreparation()
        prepared(index, file, counting)
        other = tmp_path / "b.png"
        other.write_bytes(picture(2).read())
        os.utime(other, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
        other.replace(file)
        assert prepared(index, file, counting) == picture(2)

    def test_a_removed_file_is_an_error(self, index: ImageIndex, file: Path) -> None:
        counting = CountingPreparation()
        prepared(index, file, counting)
        file.unlink()
        with pytest.raises(ImageError, match="does not exist"):
            prepared(index, file, counting)

    def test_an_unusable_file_stays_an_error_until_it_is_mended(self, index: ImageIndex, file: Path) -> None:
        file.write_bytes(b"no picture")
        for _ in range(2):
            with pytest.raises(ImageError, match="not a picture"):
                index.prepared(Image.from_path(file), PREPARATION)
        file.write_bytes(picture(3).read())
        assert index.prepared(Image.from_path(file), PREPARATION) == picture(3)

    def test_settings_do_not_vouch_for_each_other(self, index: ImageIndex, file: Path) -> None:
        index.prepared(Image.from_path(file), PREPARATION)
        small = index.prepared(Image.from_path(file), Preparation(max_side=10))
        assert small.width == 10

    def test_a_file_is_the_same_by_whatever_path(
        self, index: ImageIndex, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        counting = CountingPreparation()
        prepared(index, file, counting)
        monkeypatch.chdir(file.parent)
        prepared(index, Path(file.name), counting)
        assert counting.prepared == ["a.png"]

    def test_known_never_reads(self, index: ImageIndex, file: Path) -> None:
        asked = [picture(1), Image.from_path(file), Image.from_path(file.with_name("other.png"))]
        assert index.known(asked, PREPARATION) == [None, None, None]
        index.prepared(Image.from_path(file), PREPARATION)
        assert index.known(asked, PREPARATION) == [None, picture(1), None]

    def test_many_are_known_at_once(self, index: ImageIndex, file: Path) -> None:
        files = [file.with_name(f"{number}.png") for number in range(450)]
        for each in files:
            each.write_bytes(picture(1).read())
        for each in files[::2]:
            index.prepared(Image.from_path(each), PREPARATION)
        known = index.known([Image.from_path(each) for each in files], PREPARATION)
        assert [image is not None for image in known] == [number % 2 == 0 for number in range(450)]

    def test_no_other_settings_are_known(self, index: ImageIndex, file: Path) -> None:
        index.prepared(Image.from_path(file), Preparation(max_side=10))
        assert index.known([Image.from_path(file)], PREPARATION) == [None]

    def test_a_file_changed_since_is_not_known(self, index: ImageIndex, file: Path) -> None:
        """Replaced under the same name by as many bytes, with the time of change copied."""
        index.prepared(Image.from_path(file), PREPARATION)
        before = file.stat()
        file.write_bytes(file.read_bytes())
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert index.known([Image.from_path(file)], PREPARATION) == [None]


def test_a_file_whose_name_is_no_text_is_prepared_each_time(index: ImageIndex, file: Path) -> None:
    odd = file.rename(file.with_name(os.fsdecode(b"a\xff.png")))
    assert index.known([Image.from_path(odd)], PREPARATION) == [None]
    assert index.prepared(Image.from_path(odd), PREPARATION) == picture(1)


def test_a_file_written_just_now_is_not_entered(
    index: ImageIndex, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another write within the clock's grain could leave the same time behind."""
    changed = file.stat().st_ctime_ns
    monkeypatch.setattr("vlmops.images.file_stamp.time.time_ns", lambda: changed + 1_000_000)
    counting = CountingPreparation()
    for _ in range(2):
        prepared(index, file, counting)
    assert len(counting.prepared) == 2


def test_many_threads_share_it(tmp_path: Path, settled_clock: None) -> None:
    from concurrent.futures import ThreadPoolExecutor

    files = []
    for number in range(20):
        files.append(tmp_path / f"{number}.png")
        files[-1].write_bytes(picture(number).read())
    with ImageIndex(tmp_path / "images.sqlite") as index, ThreadPoolExecutor(8) as pool:
        images = list(pool.map(lambda f: index.prepared(Image.from_path(f), PREPARATION), files * 5))
    assert images == [picture(number) for number in range(20)] * 5
