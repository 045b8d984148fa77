"""Pushing to a results folder again: what was changed meanwhile, here or there, is noticed."""

from __future__ import annotations

import io
import json
import os
import time
from pathlib import Path

import pytest

from vlmops.datasets import ImageDataset, Sample
from vlmops.errors import MediaError
from vlmops.images import Image
from vlmops.platforms import push
from vlmops.platforms.folder.datasets import FolderDatasetWriter
from vlmops.platforms.folder.platform import FolderPlatform
from vlmops.platforms.outcome import TargetReport

COUNT = 150
"""More than are dealt with at a time."""


def drawn(shade: int) -> bytes:
    """A picture; all of them have the same length."""
    import numpy as np
    from PIL import Image as PILImage

    file = io.BytesIO()
    PILImage.fromarray(np.full((4, 5), shade, np.uint8)).save(file, "PNG", compress_level=0)
    return file.getvalue()


@pytest.fixture(autouse=True)
def settled_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock a second ahead: files written just now count as settled."""
    now = time.time_ns
    monkeypatch.setattr("vlmops.images.file_stamp.time.time_ns", lambda: now() + 1_000_000_000)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def pictures(tmp_path: Path, results: Path) -> Path:
    """Pictures that the results folder has."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(COUNT):
        (folder / f"{number:03}.png").write_bytes(drawn(number))
    assert pushed(folder, results).created == COUNT
    return folder


def pushed(pictures: Path, results: Path) -> TargetReport:
    report = push(ImageDataset.from_folder(pictures, name="parts"), FolderPlatform(results))
    assert report.failures == []
    return report.targets[0]


def shades(results: Path) -> list[int]:
    """Of the pictures that are there, in the dataset's order."""
    manifest = max((results / "datasets" / "parts").glob("*.jsonl"))
    return [
        int(sample.images[0].to_array()[0, 0, 0])
        for sample in ImageDataset.from_file(manifest)
        if sample.images
    ]


def test_nothing_is_done_where_nothing_was_changed(pictures: Path, results: Path) -> None:
    again = pushed(pictures, results)
    assert (again.created, again.updated, again.unchanged) == (0, 0, COUNT)
    assert shades(results) == list(range(COUNT))


@pytest.mark.parametrize("moved_in", [False, True])
def test_a_picture_replaced_by_one_as_long_and_as_old_is_noticed(
    pictures: Path, results: Path, moved_in: bool
) -> None:
    file = pictures / "070.png"
    before = file.stat()
    written = file.with_name(".new") if moved_in else file
    written.write_bytes(drawn(200))
    os.utime(written, ns=(before.st_atime_ns, before.st_mtime_ns))
    written.replace(file)
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    again = pushed(pictures, results)
    assert (again.updated, again.unchanged) == (1, COUNT - 1)
    assert shades(results)[70] == 200


def test_new_and_changed_pictures_among_known_ones_keep_their_places(pictures: Path, results: Path) -> None:
    for number in range(0, COUNT, 7):
        (pictures / f"{number:03}.png").write_bytes(drawn(201))
    (pictures / "075b.png").write_bytes(drawn(202))
    again = pushed(pictures, results)
    assert (again.created, again.updated) == (1, len(range(0, COUNT, 7)))
    wanted = [201 if number % 7 == 0 else number for number in range(COUNT)]
    assert sorted(shades(results)) == sorted([*wanted, 202])
    assert shades(results)[:COUNT] == wanted


def test_a_picture_that_is_gone_there_is_kept_again(pictures: Path, results: Path) -> None:
    stored = sorted((results / "media").rglob("*.png"))
    for file in stored[::10]:
        file.unlink()
    assert pushed(pictures, results).unchanged == COUNT
    assert sorted((results / "media").rglob("*.png")) == stored


def test_a_sample_that_is_gone_there_is_sent_again(pictures: Path, results: Path) -> None:
    manifest = max((results / "datasets" / "parts").glob("*.jsonl"))
    lines = manifest.read_text().splitlines(keepends=True)
    manifest.write_text("".join(lines[:40] + lines[41:]))
    again = pushed(pictures, results)
    assert (again.created, again.unchanged) == (1, COUNT - 1)


def test_a_sample_that_was_edited_there_is_set_right(pictures: Path, results: Path) -> None:
    manifest = max((results / "datasets" / "parts").glob("*.jsonl"))
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    lines[40]["metadata"] = {"edited": True}
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert pushed(pictures, results).updated == 1


def test_a_place_that_cannot_be_looked_into_is_told_for_each_sample(
    pictures: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bool:
        raise MediaError("media store: permission denied")

    monkeypatch.setattr("vlmops.platforms.folder.pictures.FolderPictures.has", fail)
    (target,) = push(ImageDataset.from_folder(pictures, name="parts"), FolderPlatform(results)).targets
    assert len(target.failures) == COUNT
    assert {failure.message for failure in target.failures} == {"media store: permission denied"}


def test_limits_are_asked_for_anew_with_each_push(
    pictures: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pictures / "000.png").write_bytes(drawn(203))
    monkeypatch.setenv("VLMOPS_IMAGE_MAX_PIXELS", "19")
    report = push(ImageDataset.from_folder(pictures, name="parts"), FolderPlatform(results))
    assert [failure.id for failure in report.failures] == ["000.png"]
    assert "more than the limit" in report.failures[0].message
    monkeypatch.setenv("VLMOPS_IMAGE_MAX_PIXELS", "20")
    assert pushed(pictures, results).updated == 1


def test_a_picture_that_is_not_known_is_not_read_to_say_whether_it_is_there(tmp_path: Path) -> None:
    platform = FolderPlatform(tmp_path / "results")
    push(ImageDataset.from_samples("parts", [Sample("a", {"n": 1})]), platform)

    async def asked() -> bool:
        from vlmops.platforms.records import DatasetHeader

        async with platform.datasets.writer(DatasetHeader("parts")) as writer:
            assert isinstance(writer, FolderDatasetWriter)
            return writer.has_image("a", "inputs", Image.from_path(tmp_path / "missing.png"))

    import asyncio

    assert not asyncio.run(asked())
