"""The index of pixels: which pictures, by the hash of their bytes, show the same pixels.

Decoding is dear and hashing bytes is cheap: what a picture's pixels are is found out once. A file that has
not changed since is not even read.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

from vlmops.cache_folder import cache_database, cache_folder
from vlmops.images.file_stamp import FileStamp
from vlmops.images.origin import PathOrigin

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vlmops.images.image import Image

_NAME = "pixels.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS pixels (sha256 TEXT PRIMARY KEY, stands TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, stamp TEXT NOT NULL, stands TEXT NOT NULL
) WITHOUT ROWID;
"""
_PENDING = 200

_log = logging.getLogger(__name__)


class PixelIndex:
    """Says what stands for the pixels of a picture, and remembers it; safe between threads and processes.

    Args:
        file: SQLite file, made if absent; the one in the user's cache folder when ``None``.

    Attributes:
        decoding_seconds: How long it has decoded pictures so far.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.decoding_seconds = 0.0
        self._lock = threading.Lock()
        self._pixels: dict[str, str] = {}
        self._files: dict[str, tuple[str, str]] = {}
        self._connection = cache_database(file or cache_folder() / _NAME, _SCHEMA)

    def stands_for(self, image: Image) -> str:
        """A text that is equal for pictures of equal pixels.

        Of an animation, whose further frames the hash of pixels does not see, it is the hash of the bytes.

        Raises:
            ImageError: The picture cannot be read or decoded.
        """
        if image.is_known or not isinstance(image.origin, PathOrigin):
            return self._by_bytes(image)
        path = image.origin.path
        stamp = FileStamp.of(path)
        if stamp is None:
            return self._by_bytes(image)
        name = _written(path)
        if (known := self._of_file(name, repr(stamp))) is not None:
            return known
        settled = stamp.settled
        found = self._by_bytes(image)
        if settled and stamp == FileStamp.of(path):
            with self._lock:
                self._files[name] = (repr(stamp), found)
                self._write_if_many()
        return found

    def known(self, image: Image) -> str | None:
        """As :meth:`stands_for`, if it can be said without reading the picture and without waiting."""
        if not image.is_known or not self._lock.acquire(blocking=False):
            return None
        try:
            return self._of_bytes(image.sha256)
        finally:
            self._lock.release()

    def _by_bytes(self, image: Image) -> str:
        sha256 = image.sha256
        with self._lock:
            if (known := self._of_bytes(sha256)) is not None:
                return known
        began = time.perf_counter()
        found = f"bytes:{sha256}" if image.facts.frames > 1 else f"pixels:{image.pixel_hash()}"
        with self._lock:
            self.decoding_seconds += time.perf_counter() - began
            self._pixels[sha256] = found
            self._write_if_many()
        return found

    def close(self) -> None:
        """Write what is pending and close the file."""
        with self._lock:
            self._write()
            self._connection.close()

    def _of_bytes(self, sha256: str) -> str | None:
        if (known := self._pixels.get(sha256)) is not None:
            return known
        row = self._row("SELECT stands FROM pixels WHERE sha256 = ?", sha256)
        return None if row is None else str(row[0])

    def _of_file(self, path: str, stamp: str) -> str | None:
        with self._lock:
            row = self._files.get(path) or self._row("SELECT stamp, stands FROM files WHERE path = ?", path)
            return str(row[1]) if row is not None and row[0] == stamp else None

    def _row(self, query: str, key: str) -> Sequence[Any] | None:
        try:
            row: Sequence[Any] | None = self._connection.execute(query, (key,)).fetchone()
        except sqlite3.Error as error:
            _log.warning("hashes of pixels cannot be read and are made again: %s", error)
            return None
        return row

    def _write_if_many(self) -> None:
        if len(self._pixels) + len(self._files) >= _PENDING:
            self._write()

    def _write(self) -> None:
        files = [(path, *entry) for path, entry in self._files.items()]
        try:
            with self._connection:
                self._connection.executemany(
                    "INSERT OR REPLACE INTO pixels VALUES (?, ?)", self._pixels.items()
                )
                self._connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", files)
        except sqlite3.Error as error:
            _log.warning("hashes of pixels cannot be kept: %s", error)
        self._pixels.clear()
        self._files.clear()


def _written(path: Path) -> str:
    """The absolute path as SQLite takes it: names of files need not be UTF-8."""
    return os.fsencode(path.absolute()).decode(errors="backslashreplace")
