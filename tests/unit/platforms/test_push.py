"""Push: what is sent, to whom, and what is said of what could not be."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vlmops.datasets import ImageDataset, Sample
from vlmops.datasets.dataset import Entry
from vlmops.errors import PlatformUnavailable, SampleError, UsageError
from vlmops.images import Image, Preparation
from vlmops.platforms import push
from vlmops.testing import picture


def samples(count: int, **changes: str) -> list[Sample]:
    """Samples with a picture each; ``changes`` gives other questions by id."""
    return [
        Sample(f"s{n}", {"image": picture(n), "question": changes.get(f"s{n}", "What is it?")})
        for n in range(count)
    ]


def dataset(entries: list[Any], name: str = "parts") -> ImageDataset:
    return ImageDataset.from_samples(name, entries)


def write_folder(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.png").write_bytes(picture(number).read())
    return folder


class TestRepeating:
    def test_only_what_changed_is_sent_again(self, platform: Any) -> None:
        push(dataset(samples(7)), platform)
        platform.forget_calls()
        report = push(dataset([*samples(7, s3="How many?"), *samples(9)[7:]]), platform)
        assert platform.sent_ids == ["s3", "s7", "s8"]
        (target,) = report.targets
        assert (target.created, target.updated, target.unchanged) == (2, 1, 6)

    def test_a_dataset_that_others_changed_is_sent_whole(self, platform: Any) -> None:
        push(dataset(samples(7)), platform)
        stored = platform.stored["parts"].versions
        stored.append({k: v for k, v in stored[-1].items() if k != "s2"})
        platform.forget_calls()
        (target,) = push(dataset(samples(7)), platform).targets
        assert len(platform.sent_ids) == 7
        assert (target.created, target.unchanged) == (1, 6)
        assert set(stored[-1]) == {f"s{n}" for n in range(7)}

    def test_a_platform_that_names_no_state_is_sent_everything(self, make_platform: Any) -> None:
        platform = make_platform(forgets_state=True)
        for _ in range(2):
            push(dataset(samples(4)), platform)
        assert len(platform.sent_ids) == 8

    def test_a_platform_that_lost_its_data_is_sent_everything(self, platform: Any) -> None:
        push(dataset(samples(4)), platform)
        platform.stored.clear()
        assert push(dataset(samples(4)), platform).targets[0].created == 4

    def test_datasets_do_not_vouch_for_each_other(self, platform: Any) -> None:
        push(dataset(samples(4), "one"), platform)
        assert push(dataset(samples(4), "other"), platform).targets[0].created == 4

    def test_a_refused_sample_is_tried_again(self, platform: Any) -> None:
        platform.refused_ids.add("s2")
        report = push(dataset(samples(5)), platform)
        assert [failure.id for failure in report.targets[0].failures] == ["s2"]
        assert report.targets[0].created == 4
        assert not report.ok
        platform.refused_ids.clear()
        platform.forget_calls()
        assert push(dataset(samples(5)), platform).targets[0].created == 1
        assert platform.sent_ids == ["s2"]

    def test_pictures_that_the_platform_lost_are_given_again(self, platform: Any, tmp_path: Path) -> None:
        folder = ImageDataset.from_folder(write_folder(tmp_path / "pictures", 3))
        push(folder, platform)
        kept = dict(platform.pictures)
        platform.pictures.clear()
        push(folder, platform)
        assert platform.pictures == kept

    def test_other_settings_of_preparation_are_noticed(self, platform: Any, tmp_path: Path) -> None:
        folder = ImageDataset.from_folder(write_folder(tmp_path / "pictures", 3))
        push(folder, platform)
        (target,) = push(folder, platform, preparation=Preparation(max_side=16)).targets
        assert target.updated == 3


class TestMirroring:
    def test_what_is_gone_is_removed_only_when_asked(self, platform: Any) -> None:
        push(dataset(samples(5)), platform)
        assert push(dataset(samples(3)), platform).targets[0].deleted == 0
        assert push(dataset(samples(3)), platform, mirror=True).targets[0].deleted == 2
        assert set(platform.stored["parts"].versions[-1]) == {"s0", "s1", "s2"}

    def test_what_was_removed_is_sent_when_it_comes_back(self, platform: Any) -> None:
        push(dataset(samples(5)), platform)
        push(dataset(samples(3)), platform, mirror=True)
        platform.forget_calls()
        assert push(dataset(samples(5)), platform).targets[0].created == 2
        assert sorted(platform.sent_ids) == ["s3", "s4"]

    def test_nothing_is_removed_when_a_row_could_not_be_read(self, platform: Any) -> None:
        push(dataset(samples(5)), platform)
        torn = SampleError("labels.jsonl:3", "not JSON", "put one JSON object on each line")
        report = push(dataset([*samples(3), torn]), platform, mirror=True)
        assert report.targets[0].deleted == 0
        assert [failure.source for failure in report.failures] == ["labels.jsonl:3", ""]
        assert "nothing was removed: 1 rows could not be read" in report.failures[-1].message
        assert len(platform.stored["parts"].versions[-1]) == 5

    def test_a_sample_whose_picture_is_broken_now_is_not_removed(self, platform: Any) -> None:
        push(dataset(samples(3)), platform)
        broken = Sample("s1", {"image": Image.from_bytes(b"", "s1.png")})
        report = push(dataset([samples(1)[0], broken]), platform, mirror=True)
        assert report.targets[0].deleted == 1
        assert set(platform.stored["parts"].versions[-1]) == {"s0", "s1"}


class TestFailures:
    def test_each_names_its_sample_source_and_reason(self, platform: Any) -> None:
        broken = Sample("b", {"image": Image.from_bytes(b"<html>", "b.png")}, source="table.csv:2")
        torn = SampleError(
            "table.csv:3", "2 cells under 3 columns", "quote them", field="label", sample_id="c"
        )
        report = push(dataset([*samples(1), broken, torn, *samples(2)]), platform)
        first, second, third = report.failures
        assert (first.id, first.source) == ("b", "table.csv:2")
        assert "b.png: not a picture" in first.message
        assert (second.id, second.field) == ("c", "label")
        assert second.message == "2 cells under 3 columns (quote them)"
        assert (third.id, third.field) == ("s0", "id")
        assert (report.samples, report.targets[0].created) == (2, 2)

    def test_a_picture_that_breaks_its_decoder_costs_one_sample(self, platform: Any) -> None:
        class Explosive:
            description = "explosive.png"

            def read(self) -> bytes:
                raise MemoryError("too much")

        bad = Sample("bad", {"image": Image.from_origin(Explosive())})
        report = push(dataset([bad, *samples(2)]), platform)
        assert [failure.id for failure in report.failures] == ["bad"]
        assert report.targets[0].created == 2

    def test_the_revision_is_that_of_the_usable_samples(self, platform: Any) -> None:
        broken = Sample("b", {"image": Image.from_bytes(b"", "b.png")})
        report = push(dataset([*samples(4), broken]), platform)
        assert report.revision == dataset(samples(4)).revision()


class CountingOrigin:
    """Counts how often a picture's bytes are asked for."""

    def __init__(self, number: int) -> None:
        self.description = f"{number}.png"
        self.reads = 0
        self._data = picture(number).read()

    def read(self) -> bytes:
        self.reads += 1
        return self._data


class TestSeveralPlatforms:
    def test_every_picture_is_read_once_for_all(self, make_platform: Any) -> None:
        origins = [CountingOrigin(n) for n in range(9)]
        given = [Sample(f"s{n}", {"image": Image.from_origin(o)}) for n, o in enumerate(origins)]
        targets = [make_platform(location="a"), make_platform(location="b")]
        report = push(dataset(given), targets)
        assert [target.created for target in report.targets] == [9, 9]
        assert [origin.reads for origin in origins] == [1] * 9
        assert targets[0].pictures == targets[1].pictures

    def test_each_gets_only_what_it_lacks(self, make_platform: Any) -> None:
        old, new = make_platform(location="old"), make_platform(location="new")
        push(dataset(samples(4)), old)
        old.forget_calls()
        report = push(dataset(samples(5)), [old, new])
        assert [target.created for target in report.targets] == [1, 5]
        assert old.sent_ids == ["s4"]

    @pytest.mark.parametrize("trouble", [{"unreachable": True}, {"breaks_after": 1}])
    def test_one_that_breaks_down_costs_no_other(self, make_platform: Any, trouble: dict[str, Any]) -> None:
        well, ill = make_platform(location="well"), make_platform(location="ill", **trouble)
        report = push(dataset(samples(10)), [ill, well])
        of_ill, of_well = report.targets
        assert of_well.created == 10
        assert not of_well.failures
        (failure,) = of_ill.failures
        written = len(ill.sent_ids)
        assert failure.message == f"ill does not answer ({10 - written} samples were not tried)"
        assert not report.ok

    def test_what_reached_the_one_that_broke_down_is_not_sent_again(self, make_platform: Any) -> None:
        well, ill = make_platform(location="well"), make_platform(location="ill", breaks_after=2)
        push(dataset(samples(10)), [ill, well])
        ill.breaks_after = None
        ill.forget_calls()
        report = push(dataset(samples(10)), [ill, well])
        assert len(ill.sent_ids) == 4
        assert report.ok

    @pytest.mark.parametrize("trouble", [{"unreachable": True}, {"breaks_after": 1}])
    def test_it_stops_when_all_broke_down(self, make_platform: Any, trouble: dict[str, Any]) -> None:
        taken = []

        def endless() -> Iterator[Sample]:
            for number in range(100_000):
                taken.append(number)
                yield Sample(f"s{number}", {"n": number})

        targets = [make_platform(location=name, **trouble) for name in "ab"]
        with pytest.raises(PlatformUnavailable, match="a does not answer; b does not answer"):
            push(ImageDataset.from_samples("endless", endless), targets)
        assert len(taken) < 1_000

    def test_none_is_a_mistake(self) -> None:
        with pytest.raises(UsageError, match="at least one platform"):
            push(dataset(samples(1)), [])


class Counted(str):
    """An id that knows how many of its kind are alive: it lives as long as its sample."""

    alive = 0
    most = 0
    lock = threading.Lock()

    def __new__(cls, text: str) -> Counted:
        with cls.lock:
            cls.alive += 1
            cls.most = max(cls.most, cls.alive)
        return super().__new__(cls, text)

    def __del__(self) -> None:
        with Counted.lock:
            Counted.alive -= 1


class TestLargeDatasets:
    @pytest.mark.parametrize("mode", ["new", "known", "failing"])
    def test_few_samples_are_in_memory_at_once(self, make_platform: Any, mode: str) -> None:
        count = 2_000
        Counted.alive = Counted.most = 0

        def endless() -> Iterator[Entry]:
            for number in range(count):
                if mode == "failing":
                    yield SampleError(f"t.csv:{number}", "bad")
                else:
                    yield Sample(Counted(f"s{number}"), {"n": number})

        platform = make_platform(keeps=False)
        given = ImageDataset.from_samples("large", endless)
        if mode == "known":
            push(given, platform)
            Counted.most = Counted.alive
        report = push(given, platform)
        assert report.samples + len(report.failures) == count
        # A window, what is read ahead of it, and a batch.
        assert Counted.most <= 200

    def test_samples_arrive_in_the_datasets_order(self, platform: Any) -> None:
        push(dataset(samples(150)), platform)
        assert platform.sent_ids == [f"s{n}" for n in range(150)]

    def test_progress_counts_every_entry_to_the_end(self, platform: Any) -> None:
        told: list[int] = []
        torn = SampleError("t.csv:1", "bad")
        push(dataset([*samples(9), torn]), platform, progress=told.append)
        assert told == list(range(1, 11))

    def test_a_source_that_ends_in_an_error_ends_the_push_with_it(self, platform: Any) -> None:
        def broken_off() -> Iterator[Sample]:
            yield from samples(3)
            raise UsageError("the table is torn")

        with pytest.raises(UsageError, match="the table is torn"):
            push(ImageDataset.from_samples("torn", broken_off), platform)


def test_works_within_a_running_event_loop(platform: Any) -> None:
    import asyncio

    async def notebook() -> int:
        return push(dataset(samples(3)), platform).targets[0].created

    assert asyncio.run(notebook()) == 3


def test_the_report_is_json(platform: Any) -> None:
    from dataclasses import asdict

    assert json.loads(json.dumps(asdict(push(dataset(samples(2)), platform))))["samples"] == 2


def test_one_event_loop_is_free_while_pictures_are_read(
    platform: Any, tmp_path: Path, make_platform: Callable[..., Any]
) -> None:
    """Pictures are read in threads: the loop that sends is none of them."""
    threads: set[int] = set()

    class Watched:
        description = "watched.png"

        def __init__(self, number: int) -> None:
            self._data = picture(number).read()

        def read(self) -> bytes:
            threads.add(threading.get_ident())
            return self._data

    given = [Sample(f"s{n}", {"image": Image.from_origin(Watched(n))}) for n in range(5)]
    push(dataset(given), platform)
    assert threads
    assert threading.get_ident() not in threads
