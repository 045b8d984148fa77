"""Where rendered thumbnails are kept: on disk or in memory, never more than a given size."""

from __future__ import annotations

import logging
import os
import tempfile
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import Protocol

DISK_BYTES = 512 * 1024 * 1024
"""Default size of a cache on disk."""

MEMORY_BYTES = 64 * 1024 * 1024
"""Default size of a cache in memory."""

_SLACK = 0.8
_TOUCH_AFTER_S = 600.0

logger = logging.getLogger(__name__)


class ThumbnailCache(Protocol):
    """Keeps rendered thumbnails by name; it may forget any of them. Safe to use from any thread."""

    def get(self, name: str) -> bytes | None:
        """What was put under ``name``, when it is still here."""

    def put(self, name: str, data: bytes) -> None:
        """Keep ``data``, and forget what has not been asked for the longest."""


class MemoryCache:
    """Keeps thumbnails in memory.

    Args:
        max_bytes: How much is kept at most.

    Example:
        >>> cache = MemoryCache(max_bytes=5)
        >>> cache.put("a", b"123"); cache.put("b", b"456")
        >>> cache.get("a"), cache.get("b")
        (None, b'456')
    """

    def __init__(self, max_bytes: int = MEMORY_BYTES) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[str, bytes] = OrderedDict()
        self._total = 0
        self._lock = threading.Lock()

    def get(self, name: str) -> bytes | None:
        """What was put under ``name``, when it is still here."""
        with self._lock:
            if (data := self._entries.get(name)) is not None:
                self._entries.move_to_end(name)
            return data

    def put(self, name: str, data: bytes) -> None:
        """Keep ``data``, unless it alone is larger than the cache."""
        if len(data) > self._max_bytes:
            return
        with self._lock:
            self._total += len(data) - len(self._entries.pop(name, b""))
            self._entries[name] = data
            while self._total > self._max_bytes:
                _, forgotten = self._entries.popitem(last=False)
                self._total -= len(forgotten)


class DiskCache:
    """Keeps thumbnails as files of one folder; several processes may share it.

    A folder that cannot be written costs speed, never an answer: ``put`` then does nothing.

    Args:
        folder: The folder; created by the first ``put``.
        max_bytes: How much is kept at most, per process that shares the folder between two clean-ups.

    Example:
        >>> import tempfile
        >>> cache = DiskCache(Path(tempfile.mkdtemp()) / "thumbnails")
        >>> cache.put("a.w64", b"jpeg"); cache.get("a.w64")
        b'jpeg'
    """

    def __init__(self, folder: Path, max_bytes: int = DISK_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._total: int | None = None
        self._lock = threading.Lock()

    def get(self, name: str) -> bytes | None:
        """What was put under ``name``, when it is still here."""
        path = self._folder / name
        try:
            data = path.read_bytes()
            if time.time() - path.stat().st_mtime > _TOUCH_AFTER_S:
                os.utime(path)
        except OSError:
            return None
        return data

    def put(self, name: str, data: bytes) -> None:
        """Keep ``data`` in a file of its own, which appears whole or not at all."""
        try:
            self._write(name, data)
            self._make_room(len(data))
        except OSError as error:
            logger.debug("thumbnail not cached: %s", error.strerror)

    def _write(self, name: str, data: bytes) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=".incoming-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(temporary).replace(self._folder / name)
        except BaseException:
            with suppress(OSError):
                Path(temporary).unlink()
            raise

    def _make_room(self, added: int) -> None:
        with self._lock:
            if self._total is not None:
                self._total += added
                if self._total <= self._max_bytes:
                    return
            self._total = self._evict()

    def _evict(self) -> int:
        """Delete the files unused for longest until the folder fits again; return its size."""
        files: list[tuple[float, int, Path]] = []
        for path in self._folder.iterdir():
            with suppress(OSError):
                facts = path.stat()
                files.append((facts.st_mtime, facts.st_size, path))
        total = sum(size for _, size, _ in files)
        if total <= self._max_bytes:
            return total
        for _, size, path in sorted(files):
            if total <= self._max_bytes * _SLACK:
                break
            with suppress(OSError):
                path.unlink()
                total -= size
        return total
