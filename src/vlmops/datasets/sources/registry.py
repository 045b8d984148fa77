"""Finds the source for a location: ours by kind, third parties' by the entry points ``vlmops.sources``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vlmops.datasets.source import Source
from vlmops.datasets.sources.columns import Columns
from vlmops.datasets.sources.folder import FolderSource
from vlmops.datasets.sources.table import SUFFIXES, TableSource
from vlmops.entry_points import entry_points
from vlmops.errors import UsageError

ENTRY_POINT_GROUP = "vlmops.sources"

SourceFactory = Callable[[str, Columns | None], Source]
"""What an entry point gives: called with the location after ``name:`` and the columns."""


def open_source(location: str | Path, columns: Columns | None = None, *, encoding: str = "utf-8") -> Source:
    """The source that reads this location.

    ``name:rest`` asks the source registered under that name; otherwise a folder is a
    :class:`FolderSource` and a table a :class:`TableSource`.

    Raises:
        UsageError: Nothing lies there, or its kind is not known.
    """
    text = str(location)
    if not text.strip():
        raise UsageError("the location is empty: name a folder or a table")
    name, separator, rest = text.partition(":")
    if separator:
        point = next((each for each in entry_points(ENTRY_POINT_GROUP) if each.name == name), None)
        if point is not None:
            factory: SourceFactory = point.load()
            return factory(rest, columns)
    path = Path(text).expanduser()
    if path.is_dir():
        return FolderSource(path, columns)
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        return TableSource(path, columns, encoding=encoding)
    if path.is_file():
        raise UsageError(f"{path}: neither a folder nor a table ({', '.join(SUFFIXES)})")
    raise UsageError(f"{path}: there is nothing there")
