"""Sources of samples: one module per kind."""

from __future__ import annotations

from vlmops.datasets.sources.columns import Columns
from vlmops.datasets.sources.folder import FolderSource
from vlmops.datasets.sources.registry import open_source
from vlmops.datasets.sources.table import TableSource

__all__ = ["Columns", "FolderSource", "TableSource", "open_source"]
