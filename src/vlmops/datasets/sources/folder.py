"""A folder of pictures, in the image-folder convention.

Read in this order of preference:

1. ``manifest.jsonl`` (as vlmops writes it);
2. a sidecar ``metadata.jsonl`` or ``metadata.csv`` with a ``file_name`` column, at the top or per split;
3. one folder per class (``scratch/001.jpg``), with an optional level of split folders above;
4. pictures side by side, without labels.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlmops.datasets.manifest import MANIFEST_NAME
from vlmops.datasets.sample import Sample
from vlmops.datasets.sources.columns import Columns
from vlmops.datasets.sources.table import TableSource
from vlmops.errors import ImageError, SampleError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vlmops.datasets.source import Entry

SIDECARS = ("metadata.jsonl", "metadata.csv")

SPLITS = {"train", "training", "test", "testing", "validation", "valid", "val", "dev", "eval"}
"""Folder names at the top that are splits, not classes."""

IMAGE_SUFFIXES = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".apng",
        ".gif",
        ".webp",
        ".bmp",
        ".tif",
        ".tiff",
        ".avif",
        ".heic",
        ".heif",
        ".jp2",
        ".ico",
        ".ppm",
        ".pgm",
        ".svg",
    ]
)


@dataclass(frozen=True)
class FolderSource:
    """Samples from a folder of pictures.

    Ids are paths relative to the folder unless a sidecar gives an ``id``. Hidden files are passed over.
    Links to folders are followed once; a link that leads back into its own path is an error in its place.

    Attributes:
        folder: The folder.
        columns: How the sidecar's columns become a sample; the usual names when ``None``.

    Raises:
        UsageError: The folder is missing or holds no pictures.
    """

    folder: Path
    columns: Columns | None = None

    def __post_init__(self) -> None:
        if not self.folder.is_dir():
            raise UsageError(f"{self.folder}: there is no such folder")

    def entries(self) -> Iterator[Entry]:
        """One entry a picture or sidecar row."""
        manifest = self.folder / MANIFEST_NAME
        if manifest.is_file():
            yield from TableSource(manifest, self.columns).entries()
            return
        found = False
        for entry in self._sidecars_or_pictures():
            found = True
            yield entry
        if not found:
            raise UsageError(
                f"{self.folder}: no pictures in it; they end in {', '.join(sorted(IMAGE_SUFFIXES))}"
            )

    def provenance(self) -> Mapping[str, Any]:
        """The folder's absolute path."""
        return {"path": str(self.folder.resolve())}

    def _sidecars_or_pictures(self) -> Iterator[Entry]:
        roots = [self.folder, *(f for f in _folders(self.folder) if f.name.lower() in SPLITS)]
        sidecars = {root: sidecar for root in roots if (sidecar := _sidecar(root))}
        if not sidecars:
            yield from self._pictures()
            return
        for root, sidecar in sidecars.items():
            split = None if root == self.folder else root.name
            yield from self._labelled(root, sidecar, split, others=set(sidecars) - {root})

    def _labelled(self, root: Path, sidecar: Path, split: str | None, others: set[Path]) -> Iterator[Entry]:
        """The sidecar's rows, then an error for every picture it does not mention."""
        from vlmops.images.limits import ImageLimits

        listed: set[str] = set()
        limits = ImageLimits.from_environment()
        table = TableSource(sidecar, self.columns)
        for row in table.rows():
            if isinstance(row, SampleError):
                yield row
                continue
            place, values = row
            try:
                sample = (self.columns or Columns()).sample(values, str(root), place, limits)
            except SampleError as error:
                yield error
                continue
            listed.update(_names(values))
            named = bool(values.get((self.columns or Columns()).id))
            yield replace(
                sample,
                id=sample.id if named or split is None else f"{split}/{sample.id}",
                split=sample.split or split,
            )
        for path in _walk(root, skip=others):
            if isinstance(path, SampleError):
                yield path
            elif path.relative_to(root).as_posix() not in listed:
                yield SampleError(
                    str(path), f"{sidecar.name} has no row for it", "add a row, or move the picture away"
                )

    def _pictures(self) -> Iterator[Entry]:
        from vlmops.images import Image
        from vlmops.images.limits import ImageLimits

        limits = ImageLimits.from_environment()
        for path in _walk(self.folder):
            if isinstance(path, SampleError):
                yield path
                continue
            relative = path.relative_to(self.folder)
            split, label = _split_and_label(relative.parts[:-1])
            try:
                yield Sample(
                    id=relative.as_posix(),
                    inputs={"image": Image.from_path(path, limits=limits)},
                    expected=None if label is None else {"label": label},
                    split=split,
                    source=str(path),
                )
            except (SampleError, ImageError) as error:
                yield error if isinstance(error, SampleError) else SampleError(str(path), str(error))


def _split_and_label(folders: tuple[str, ...]) -> tuple[str | None, str | None]:
    if folders and folders[0].lower() in SPLITS:
        return folders[0], folders[1] if len(folders) > 1 else None
    return None, folders[0] if folders else None


def _sidecar(folder: Path) -> Path | None:
    present = [folder / name for name in SIDECARS if (folder / name).is_file()]
    if len(present) > 1:
        raise UsageError(f"{folder}: both {' and '.join(SIDECARS)} are there; keep one")
    return present[0] if present else None


def _names(row: Mapping[str, Any]) -> Iterator[str]:
    """Every file a row mentions, as relative POSIX paths."""
    for value in row.values():
        for name in value if isinstance(value, list) else [value]:
            if isinstance(name, str):
                yield Path(name.replace("\\", "/")).as_posix()


def _folders(folder: Path) -> list[Path]:
    return sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))


def _walk(
    folder: Path, skip: set[Path] | None = None, above: frozenset[tuple[int, int]] = frozenset()
) -> Iterator[Path | SampleError]:
    """Pictures below a folder, sorted by path; one directory's names are held at a time."""
    try:
        identity = (folder.stat().st_dev, folder.stat().st_ino)
        if identity in above:
            yield SampleError(str(folder), "the link leads back to a folder above it", "remove the link")
            return
        children = sorted(os.scandir(folder), key=lambda child: child.name)
    except OSError as error:
        yield SampleError(str(folder), f"cannot be read: {error.strerror}", "check the folder's permissions")
        return
    for child in children:
        path = folder / child.name
        if child.name.startswith(".") or path in (skip or ()):
            continue
        try:
            is_folder = child.is_dir()
        except OSError as error:
            yield SampleError(str(path), f"cannot be read: {error.strerror}", "remove the link or mend it")
            continue
        if is_folder:
            yield from _walk(path, skip, above | {identity})
        elif path.suffix.lower() in IMAGE_SUFFIXES:
            yield path
