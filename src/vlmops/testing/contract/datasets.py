"""What must hold of datasets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from vlmops.datasets import ImageDataset, Sample, digest
from vlmops.errors import PlatformError
from vlmops.images import Image
from vlmops.platforms import (
    Platform,
    pull,
    push,
)
from vlmops.testing.pictures import picture

if TYPE_CHECKING:
    from pathlib import Path
from vlmops.testing.contract.base import Contract
from vlmops.testing.contract.reading import ids_on, samples


class DatasetContract(Contract):
    """Pushing, pulling, updating, mirroring, refusing."""

    def test_a_pushed_dataset_comes_back_without_loss(
        self, platform: Platform, name: str, tmp_path: Path
    ) -> None:
        dataset = ImageDataset.from_samples(name, samples(5))
        pushed = push(dataset, platform)
        assert pushed.ok
        report = pull(platform, name, tmp_path / "pulled")
        assert report.failures == []
        assert report.revision == pushed.revision == dataset.revision()
        back = {sample.id: sample for sample in ImageDataset.from_folder(tmp_path / "pulled")}
        assert {i: digest(s) for i, s in back.items()} == {s.id: digest(s) for s in samples(5)}
        assert back["s1"].inputs["image"].read() == picture(1).read()

    def test_pushing_again_changes_nothing(self, platform: Platform, name: str) -> None:
        first = push(ImageDataset.from_samples(name, samples(7)), platform).targets[0]
        again = push(ImageDataset.from_samples(name, samples(7)), platform).targets[0]
        assert (first.created, first.updated, first.unchanged) == (7, 0, 0)
        assert (again.created, again.updated, again.unchanged) == (0, 0, 7)
        assert again.version == first.version

    def test_only_what_changed_is_updated_and_nothing_is_deleted(self, platform: Platform, name: str) -> None:
        push(ImageDataset.from_samples(name, samples(6)), platform)
        changed = [replace(samples(6)[0], expected={"text": "new"}), *samples(6)[1:3]]
        report = push(ImageDataset.from_samples(name, changed), platform).targets[0]
        assert (report.created, report.updated, report.unchanged, report.deleted) == (0, 1, 2, 0)
        assert len(ids_on(platform, name)) == 6

    def test_mirroring_removes_what_is_gone_and_it_may_come_back(self, platform: Platform, name: str) -> None:
        push(ImageDataset.from_samples(name, samples(6)), platform)
        report = push(ImageDataset.from_samples(name, samples(2)), platform, mirror=True).targets[0]
        assert (report.unchanged, report.deleted) == (2, 4)
        assert ids_on(platform, name) == {"s0", "s1"}
        push(ImageDataset.from_samples(name, samples(3)), platform)
        assert ids_on(platform, name) == {"s0", "s1", "s2"}

    def test_one_bad_picture_costs_one_sample(self, platform: Platform, name: str) -> None:
        bad = Sample("bad", {"image": Image.from_bytes(b"this is no picture", "notes.png")}, source="l.csv:3")
        report = push(ImageDataset.from_samples(name, [*samples(3), bad]), platform)
        assert [failure.id for failure in report.failures] == ["bad"]
        assert "notes.png" in report.failures[0].message
        assert report.targets[0].created == 3
        assert ids_on(platform, name) == {"s0", "s1", "s2"}

    def test_a_refused_sample_is_named_and_the_rest_is_written(self, platform: Platform, name: str) -> None:
        if not self.refuse(platform, "s2"):
            pytest.skip("this platform cannot be made to refuse one sample")
        report = push(ImageDataset.from_samples(name, samples(5)), platform).targets[0]
        assert [failure.id for failure in report.failures] == ["s2"]
        assert report.created == 4

    def test_an_earlier_version_can_be_read(self, platform: Platform, name: str) -> None:
        first = push(ImageDataset.from_samples(name, samples(2)), platform).targets[0].version
        push(ImageDataset.from_samples(name, samples(4)), platform)
        assert ids_on(platform, name, first) == {"s0", "s1"}
        assert ids_on(platform, name) == {"s0", "s1", "s2", "s3"}

    def test_reading_what_is_not_there_is_an_error(
        self, platform: Platform, name: str, tmp_path: Path
    ) -> None:
        with pytest.raises(PlatformError, match=name):
            pull(platform, name, tmp_path)
