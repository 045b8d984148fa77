"""Datasets of samples with pictures."""

from __future__ import annotations

from vlmops.datasets.dataset import ImageDataset
from vlmops.datasets.manifest import Revision, digest
from vlmops.datasets.sample import ImageField, Sample
from vlmops.datasets.source import Entry, SampleSource, Source
from vlmops.datasets.sources import Columns, FolderSource, TableSource, open_source

__all__ = [
    "Columns",
    "Entry",
    "FolderSource",
    "ImageDataset",
    "ImageField",
    "Revision",
    "Sample",
    "SampleSource",
    "Source",
    "TableSource",
    "digest",
    "open_source",
]
