"""The image index: what preparing a file gave, so that an unchanged file need not be read again.

Like git's index, it is a cache that is believed only while the file's number, length and times of change are
the ones it was made from; a file changed within the clock's grain of being indexed is not entered at all.
"""

from __future__ import annotations

import threading
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from vlmops.cache_folder import cache_database
from vlmops.images.file_stamp import FileStamp
from vlmops.images.image import Image
from vlmops.images.origin import PathOrigin
from vlmops.images.preparation import Preparation, PreparedOrigin
from vlmops.images.reference import ImageReference

if TYPE_CHECKING:
    from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS prepared (
    path TEXT NOT NULL, preparation TEXT NOT NULL, stamp TEXT NOT NULL,
    sha256 TEXT NOT NULL, media_type TEXT NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, byte_length INTEGER NOT NULL,
    PRIMARY KEY (path, preparation)
) WITHOUT ROWID;
"""
_PENDING = 500


class ImageIndex:
    """Prepares pictures, and remembers the outcome for files.

    Safe between threads and processes. What is not written yet when the process is killed is found anew.

    Args:
        file: SQLite file; made if absent.

    Example:
        >>> import tempfile, numpy as np
        >>> from pathlib import Path
        >>> folder = Path(tempfile.mkdtemp())
        >>> picture = Image.from_array(np.zeros((2, 3, 3), np.uint8))
        >>> with ImageIndex(folder / "images.sqlite") as index:
        ...     index.prepared(picture, Preparation()).size
        (3, 2)
    """

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._pending: dict[tuple[str, str], tuple[str, str, str, int, int, int]] = {}
        self._connection = cache_database(file, _SCHEMA)

    def __enter__(self) -> ImageIndex:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what is pending and close the file."""
        with self._lock:
            self._write()
            self._connection.close()

    def prepared(self, image: Image, preparation: Preparation) -> Image:
        """The picture as preparation leaves it; hash, type and size are known without reading on a repeat.

        Raises:
            ImageError: The picture cannot be used.
        """
        if not isinstance(image.origin, PathOrigin):
            return preparation.prepare(image)
        stamp = FileStamp.of(image.origin.path)
        known = self._find(image, image.origin, preparation, stamp)
        if known is not None:
            return known
        settled = stamp is not None and stamp.settled
        result = preparation.prepare(image)
        if settled and stamp == FileStamp.of(image.origin.path):
            entry = (
                repr(stamp),
                result.sha256,
                result.media_type,
                result.width,
                result.height,
                result.byte_length,
            )
            with self._lock:
                self._pending[_key(image.origin, preparation)] = entry
                if len(self._pending) >= _PENDING:
                    self._write()
        return result

    def known(self, image: Image, preparation: Preparation) -> Image | None:
        """The same, if nothing has to be read for it."""
        if not isinstance(image.origin, PathOrigin):
            return None
        return self._find(image, image.origin, preparation, FileStamp.of(image.origin.path))

    def _find(
        self, image: Image, origin: PathOrigin, preparation: Preparation, stamp: FileStamp | None
    ) -> Image | None:
        key = _key(origin, preparation)
        with self._lock:
            row = (
                self._pending.get(key)
                or self._connection.execute(
                    "SELECT stamp, sha256, media_type, width, height, byte_length FROM prepared"
                    " WHERE path = ? AND preparation = ?",
                    key,
                ).fetchone()
            )
        if row is None or stamp is None or row[0] != repr(stamp):
            return None
        return Image.from_reference(
            ImageReference(*row[1:]), PreparedOrigin(image, preparation), limits=image.limits
        )

    def _write(self) -> None:
        with self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO prepared VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(*key, *entry) for key, entry in self._pending.items()],
            )
        self._pending.clear()


def _key(origin: PathOrigin, preparation: Preparation) -> tuple[str, str]:
    return str(origin.path.absolute()), _fingerprint(preparation)


@cache
def _fingerprint(preparation: Preparation) -> str:
    """Settings and encoder: another Pillow may encode the same pixels to other bytes."""
    return f"{preparation.fingerprint};pillow={version('pillow')}"
