"""Datasets in a results folder: a manifest a version."""

from __future__ import annotations

import asyncio
import hashlib
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vlmops.datasets import ImageDataset, digest
from vlmops.datasets.manifest import to_line
from vlmops.errors import PlatformError
from vlmops.platforms.folder.json_lines import write_whole
from vlmops.platforms.folder.lock import exclusively
from vlmops.platforms.outcome import BatchOutcome
from vlmops.platforms.records import DatasetHeader, DatasetState, DatasetVersion

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from vlmops.datasets import ImageField, Sample
    from vlmops.images import Image
    from vlmops.platforms.folder.pictures import FolderPictures

_HEADER = "dataset.json"
_BATCH = 2000
_LONGEST_NAME = 120


class FolderDatasets:
    """Datasets below ``datasets/`` of a results folder.

    Args:
        root: The results folder.
        pictures: Its pictures.
    """

    def __init__(self, root: Path, pictures: FolderPictures) -> None:
        self._root = root / "datasets"
        self._pictures = pictures

    @asynccontextmanager
    async def writer(self, header: DatasetHeader) -> AsyncIterator[FolderDatasetWriter]:
        """Open a push; one at a time.

        Raises:
            PlatformError: Another process pushes to it.
        """
        folder = self._root / folder_name(header.name)
        with exclusively(folder, f"dataset {header.name!r}"):
            yield await asyncio.to_thread(FolderDatasetWriter, folder, header, self._pictures)

    async def read(self, name: str, version: str | None = None) -> ImageDataset:
        """The dataset as it stands, or as it stood.

        Raises:
            PlatformError: There is no such dataset or version.
        """
        folder = self._require(name)
        file = _version_file(folder, version) if version else _manifests(folder)[-1]
        if file is None or not file.is_file():
            known = ", ".join(manifest.stem for manifest in _manifests(folder))
            raise PlatformError(f"dataset {name!r} has no version {version!r}; it has: {known}")
        description = json.loads((folder / _HEADER).read_text("utf-8")).get("description", "")
        return ImageDataset.from_file(file, name=name, description=description)

    async def versions(self, name: str) -> Sequence[DatasetVersion]:
        """All versions, newest first."""
        return [
            DatasetVersion(file.stem, datetime.fromtimestamp(file.stat().st_mtime, UTC))
            for file in reversed(_manifests(self._require(name)))
        ]

    async def newest(self, name: str) -> str:
        """Id of the newest version.

        Raises:
            PlatformError: There is no such dataset.
        """
        return _manifests(self._require(name))[-1].stem

    def _require(self, name: str) -> Path:
        folder = self._root / folder_name(name)
        if not _manifests(folder):
            raise PlatformError(f"there is no dataset {name!r} in {self._root.parent}: push it first")
        return folder


class FolderDatasetWriter:
    """One push to one dataset: what it changes becomes one new version."""

    batch_size = _BATCH

    def __init__(self, folder: Path, header: DatasetHeader, pictures: FolderPictures) -> None:
        self._folder = folder
        self._header = header
        self._pictures = pictures
        manifests = _manifests(folder)
        self._file = manifests[-1] if manifests else None
        self._began = False

    @cached_property
    def _samples(self) -> dict[str, Sample]:
        """Read only when something is to be changed: most pushes change nothing."""
        if self._file is None:
            return {}
        return {sample.id: sample for sample in ImageDataset.from_file(self._file)}

    @property
    def state_token(self) -> str | None:
        """A hash of the newest manifest."""
        if self._file is None or not self._file.exists():
            return None
        return f"{self._file.name} {hashlib.sha256(self._file.read_bytes()).hexdigest()}"

    def has_image(self, sample_id: str, field: ImageField, image: Image) -> bool:  # noqa: ARG002
        """Whether there is a file of the picture."""
        return image.is_known and self._pictures.has(image)

    async def put_image(self, sample_id: str, field: ImageField, image: Image) -> None:  # noqa: ARG002
        """Keep the picture's file."""
        await asyncio.to_thread(self._pictures.keep, image)

    async def write(self, samples: Sequence[Sample]) -> BatchOutcome:
        """Create or update."""
        created = updated = 0
        there = await asyncio.to_thread(lambda: self._samples)
        for sample in samples:
            known = there.get(sample.id)
            if known is None:
                created += 1
            elif digest(known) != digest(sample):
                updated += 1
            else:
                continue
            there[sample.id] = sample
        if created or updated:
            await asyncio.to_thread(self._save)
        return BatchOutcome(created, updated, len(samples) - created - updated)

    async def finish(self, revision: str, keep: Callable[[str], bool] | None) -> DatasetState:
        """Record what is said of the dataset, and remove what ``keep`` refuses."""
        gone = [] if keep is None else [sample_id for sample_id in self._samples if not keep(sample_id)]
        for sample_id in gone:
            del self._samples[sample_id]
        if gone or self._file is None:
            await asyncio.to_thread(self._save)
        write_whole(self._folder / _HEADER, _header_text(self._header, revision))
        version = self._file.stem if self._file else ""
        return DatasetState(version, str(self._folder), len(gone))

    def _save(self) -> None:
        """Write the version that this push makes, as it stands so far."""
        if not self._began or self._file is None:
            number = int(self._file.stem) + 1 if self._file else 1
            self._file, self._began = self._folder / f"{number:04}.jsonl", True
        if not (self._folder / _HEADER).exists():
            write_whole(self._folder / _HEADER, _header_text(self._header, ""))
        lines = [to_line(sample, self._uris(sample)) for sample in self._samples.values()]
        write_whole(self._file, "".join(f"{line}\n" for line in lines))

    def _uris(self, sample: Sample) -> dict[str, str]:
        return {image.sha256: self._pictures.uri_of(image, self._folder) for image in sample.images}


def folder_name(name: str) -> str:
    """A name as that of a folder: equal names alone have equal folders.

    Example:
        >>> folder_name("parts/2024")
        'parts%2F2024'
    """
    shown = quote(name, safe=" -_.,()")
    # Names that systems reserve or cannot keep apart by their end are spelled out.
    shown = shown.replace(".", "%2E", 1) if shown.startswith(".") else shown
    if len(shown) <= _LONGEST_NAME and not shown.endswith((" ", ".")):
        return shown
    return f"{shown[:_LONGEST_NAME].rstrip(' .')}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _manifests(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.jsonl") if file.stem.isdigit())


def _version_file(folder: Path, version: str) -> Path | None:
    return folder / f"{version}.jsonl" if version.isdigit() else None


def _header_text(header: DatasetHeader, revision: str) -> str:
    content: dict[str, Any] = {
        "name": header.name,
        "description": header.description,
        "metadata": dict(header.metadata),
        "provenance": dict(header.provenance),
        "revision": revision,
    }
    return json.dumps(content, ensure_ascii=False, indent=2, default=str) + "\n"
