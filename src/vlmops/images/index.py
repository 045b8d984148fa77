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
from vlmops.characters import is_unicode
from vlmops.images.file_stamp import FileStamp
from vlmops.images.image import Image
from vlmops.images.origin import PathOrigin
from vlmops.images.preparation import Preparation, PreparedOrigin
from vlmops.images.reference import ImageReference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from vlmops.images.origin import Origin

_SCHEMA = """
CREATE TABLE IF NOT EXISTS prepared (
    path TEXT NOT NULL, preparation TEXT NOT NULL, stamp TEXT NOT NULL,
    sha256 TEXT NOT NULL, media_type TEXT NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, byte_length INTEGER NOT NULL,
    PRIMARY KEY (path, preparation)
) WITHOUT ROWID;
"""
_SELECT = "SELECT path, stamp, sha256, media_type, width, height, byte_length FROM prepared"
_PENDING = 500
_ASKED_AT_ONCE = 200
"""SQLite takes no more than so many parameters in a statement everywhere, with room to spare."""

_Key = tuple[str, str]
_Entry = tuple[str, str, str, int, int, int]


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
        self._pending: dict[_Key, _Entry] = {}
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
        key = _key(image.origin, preparation)
        if key is None:
            return preparation.prepare(image)
        stamp = FileStamp.of(key[0])
        known = _believed(image, preparation, stamp, self._entries([key]).get(key))
        if known is not None:
            return known
        settled = stamp is not None and stamp.settled
        result = preparation.prepare(image)
        if settled and stamp == FileStamp.of(key[0]):
            entry = (
                repr(stamp),
                result.sha256,
                result.media_type,
                result.width,
                result.height,
                result.byte_length,
            )
            with self._lock:
                self._pending[key] = entry
                if len(self._pending) >= _PENDING:
                    self._write()
        return result

    def known(self, images: Sequence[Image], preparation: Preparation) -> list[Image | None]:
        """The same of each picture for which nothing has to be read, ``None`` in the place of the others.

        The index is asked once for many: the way into the database takes longer than what is looked up.
        """
        keys = [_key(image.origin, preparation) for image in images]
        entries = self._entries([key for key in keys if key is not None])
        return [
            None if key is None else _believed(image, preparation, FileStamp.of(key[0]), entries.get(key))
            for image, key in zip(images, keys, strict=True)
        ]

    def _entries(self, keys: Sequence[_Key]) -> dict[_Key, _Entry]:
        """What is entered under these keys, which are of one preparation, as far as something is."""
        found: dict[_Key, _Entry] = {}
        with self._lock:
            for start in range(0, len(keys), _ASKED_AT_ONCE):
                found |= self._stored(keys[start : start + _ASKED_AT_ONCE])
            found |= {key: self._pending[key] for key in keys if key in self._pending}
        return found

    def _stored(self, keys: Sequence[_Key]) -> Iterator[tuple[_Key, _Entry]]:
        places = ",".join("?" * len(keys))
        asked = f"{_SELECT} WHERE preparation = ? AND path IN ({places})"
        rows = self._connection.execute(asked, (keys[0][1], *(path for path, _ in keys)))
        return (((row[0], keys[0][1]), row[1:]) for row in rows)

    def _write(self) -> None:
        with self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO prepared VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(*key, *entry) for key, entry in self._pending.items()],
            )
        self._pending.clear()


def _believed(
    image: Image, preparation: Preparation, stamp: FileStamp | None, entry: _Entry | None
) -> Image | None:
    """The picture that the entry tells of, if its file is still the one it was made from."""
    if entry is None or stamp is None or entry[0] != repr(stamp):
        return None
    return Image.from_reference(
        ImageReference(*entry[1:]), PreparedOrigin(image, preparation), limits=image.limits
    )


def _key(origin: Origin, preparation: Preparation) -> _Key | None:
    """Of a file: its path and what is done to it; there is none where the path cannot be entered as text."""
    if not isinstance(origin, PathOrigin):
        return None
    path = str(origin.path.absolute())
    return (path, _fingerprint(preparation)) if is_unicode(path) else None


@cache
def _fingerprint(preparation: Preparation) -> str:
    """Settings and encoder: another Pillow may encode the same pixels to other bytes."""
    return f"{preparation.fingerprint};pillow={version('pillow')}"
