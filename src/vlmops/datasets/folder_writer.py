"""Writes a dataset as a folder: ``manifest.jsonl`` and the pictures under ``images/`` by content."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from vlmops.datasets.manifest import MANIFEST_NAME, to_line
from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from vlmops.datasets.sample import Sample
    from vlmops.images import Image

PICTURES = "images"


def write_folder(samples: Iterable[Sample], folder: Path) -> Path:
    """Write the samples and give the manifest's path.

    A picture that is there already is not written again, so an interrupted run goes on where it stopped;
    the manifest appears only when it is complete.

    Raises:
        UsageError: ``folder`` is a file.
        SampleError: A sample cannot be used.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file: name a folder to write into")
    (folder / PICTURES).mkdir(parents=True, exist_ok=True)
    target = folder / MANIFEST_NAME
    with _appearing_when_complete(target) as out:
        for sample in samples:
            uris = {image.sha256: _write_picture(image, folder) for image in sample.images}
            out.write(to_line(sample, uris) + "\n")
    return target


def _write_picture(image: Image, folder: Path) -> str:
    from vlmops.media import MediaAddress

    name = MediaAddress(image.sha256, image.media_type).name
    file = folder / PICTURES / name
    if not file.exists():
        partial = file.with_name(f".{name}.{os.getpid()}")
        partial.write_bytes(image.read())
        partial.replace(file)
    return f"{PICTURES}/{name}"


@contextmanager
def _appearing_when_complete(target: Path) -> Iterator[TextIO]:
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with partial.open("w", encoding="utf-8") as out:
            yield out
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
