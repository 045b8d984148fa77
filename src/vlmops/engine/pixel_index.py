"""The index of pixels: which pictures, by the hash of their bytes, show the same pixels.

Decoding is dear and hashing bytes is cheap: what a file's pixels are is found out once.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from typing import TYPE_CHECKING

from vlmops.cache_folder import cache_database, cache_folder

if TYPE_CHECKING:
    from pathlib import Path

    from vlmops.images import Image

_NAME = "pixels.sqlite"
_SCHEMA = "CREATE TABLE IF NOT EXISTS pixels (sha256 TEXT PRIMARY KEY, stands TEXT NOT NULL) WITHOUT ROWID;"
_PENDING = 200

_log = logging.getLogger(__name__)


class PixelIndex:
    """Says what stands for the pixels of a picture, and remembers it; safe between threads and processes.

    Args:
        file: SQLite file, made if absent; the one in the user's cache folder when ``None``.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._pending: dict[str, str] = {}
        self._connection = cache_database(file or cache_folder() / _NAME, _SCHEMA)

    def stands_for(self, image: Image) -> str:
        """A text that is equal for pictures of equal pixels.

        Of an animation, whose further frames the hash of pixels does not see, it is the hash of the bytes.

        Raises:
            ImageError: The picture cannot be read or decoded.
        """
        sha256 = image.sha256
        if (known := self._find(sha256)) is not None:
            return known
        found = f"bytes:{sha256}" if image.facts.frames > 1 else f"pixels:{image.pixel_hash()}"
        with self._lock:
            self._pending[sha256] = found
            if len(self._pending) >= _PENDING:
                self._write()
        return found

    def close(self) -> None:
        """Write what is pending and close the file."""
        with self._lock:
            self._write()
            self._connection.close()

    def _find(self, sha256: str) -> str | None:
        with self._lock:
            if (known := self._pending.get(sha256)) is not None:
                return known
            row = self._connection.execute("SELECT stands FROM pixels WHERE sha256 = ?", (sha256,)).fetchone()
            return None if row is None else str(row[0])

    def _write(self) -> None:
        try:
            with self._connection:
                self._connection.executemany(
                    "INSERT OR REPLACE INTO pixels VALUES (?, ?)", self._pending.items()
                )
        except sqlite3.Error as error:
            _log.warning("hashes of pixels cannot be kept: %s", error)
        self._pending.clear()
