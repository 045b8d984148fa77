"""Pull: bring a dataset from a platform into a folder, losslessly."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from vlmops.blocking import blocking
from vlmops.datasets import Entry, ImageDataset, Revision, Sample, digest
from vlmops.errors import ImageError, SampleError
from vlmops.platforms.outcome import ItemFailure, PullReport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vlmops.platforms.port import Platform


def pull(platform: Platform, name: str, folder: str | Path, *, version: str | None = None) -> PullReport:
    """Bring a dataset into a folder; blocking form of :func:`pull_async`."""
    return blocking(lambda: pull_async(platform, name, folder, version=version), platform)


async def pull_async(
    platform: Platform, name: str, folder: str | Path, *, version: str | None = None
) -> PullReport:
    """Write ``manifest.jsonl`` and the pictures, so that pushing the folder changes nothing on the platform.

    Pictures that are in the folder already are not fetched again, so an interrupted pull goes on where it
    stopped. A sample whose picture cannot be had is reported and left out.

    Args:
        platform: Where from.
        name: The dataset's name there.
        folder: Where to; made if absent.
        version: Version of the dataset; the newest when ``None``.

    Raises:
        PlatformError: There is no such dataset or version.
        UsageError: ``folder`` is a file.
    """
    dataset = await platform.datasets.read(name, version)
    usable = _Usable(dataset)
    manifest = await asyncio.to_thread(
        ImageDataset.from_samples(dataset.name, usable.samples, dataset.description).save, folder
    )
    return PullReport(name, str(manifest), usable.revision.count, usable.revision.value, usable.failures)


class _Usable:
    """Passes on samples whose pictures can be read, and notes the others."""

    def __init__(self, dataset: ImageDataset) -> None:
        self._dataset = dataset
        self.failures: list[ItemFailure] = []
        self.revision = Revision()

    def samples(self) -> Iterator[Entry]:
        for entry in self._dataset.entries():
            if isinstance(entry, SampleError):
                self.failures.append(ItemFailure(entry.sample_id, str(entry), source=entry.source))
            elif (sample := self._readable(entry)) is not None:
                yield sample

    def _readable(self, sample: Sample) -> Sample | None:
        try:
            for image in sample.images:
                image.read()
        except ImageError as error:
            self.failures.append(ItemFailure(sample.id, str(error), source=sample.source))
            return None
        self.revision.add(digest(sample))
        return sample
