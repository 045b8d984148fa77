"""A media store in a folder."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from vlmops.errors import MediaError
from vlmops.media.address import MediaAddress
from vlmops.media.store import MediaNotFound, intact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

_INCOMING = ".incoming"
_ABANDONED_AFTER_S = 24 * 3600.0


class FolderStore:
    """Pictures as files ``<root>/ab/cd/<sha256>.<ext>``, where ``abcd`` begins the digest.

    A file is written under a temporary name, flushed to disk and renamed, so that neither a killed writer
    nor a power cut leaves a half file under its final name. The folder is created private to its owner;
    when it exists already, the group gets the access it has to the folder itself, and others get none.

    Args:
        root: The folder; created by the first ``put``.
        durable: Flush every file to disk before it gets its name. Switch it off for throw-away stores only.

    Example:
        >>> import tempfile
        >>> store = FolderStore(Path(tempfile.mkdtemp()) / "media")
        >>> address = store.put(b"GIF89a", "image/gif")
        >>> store.has(address), store.size(address)
        (True, 6)
    """

    def __init__(self, root: str | Path, *, durable: bool = True) -> None:
        self.root = Path(root).expanduser().absolute()
        self._durable = durable
        self._swept = False

    @property
    def description(self) -> str:
        """The folder's path."""
        return str(self.root)

    def put(self, data: bytes, media_type: str) -> MediaAddress:
        """Keep ``data``; a present file of another length is damaged and is replaced."""
        address = MediaAddress.of(data, media_type)
        path = self._path(address)
        with self._errors(address):
            if _length(self._place(address)) == len(data):
                return address
            self._write(path, data)
        return address

    def has(self, address: MediaAddress) -> bool:
        """Whether the file is here."""
        with self._errors(address):
            return _length(self._place(address)) is not None

    def open(self, address: MediaAddress) -> BinaryIO:
        """The file, opened for reading."""
        with self._errors(address):
            return self._path(address).open("rb")

    def read(self, address: MediaAddress) -> bytes:
        """The file's bytes, checked against the address."""
        with self._errors(address):
            return intact(self._path(address).read_bytes(), address, self.description)

    def size(self, address: MediaAddress) -> int:
        """The file's length in bytes."""
        with self._errors(address):
            return self._path(address).stat().st_size

    def redirect_url(self, address: MediaAddress, expires: timedelta) -> str | None:  # noqa: ARG002
        """Always ``None``: a browser cannot reach a folder."""
        return None

    def _path(self, address: MediaAddress) -> Path:
        return Path(self._place(address))

    def _place(self, address: MediaAddress) -> str:
        digest = address.sha256
        return f"{self.root}{os.sep}{digest[:2]}{os.sep}{digest[2:4]}{os.sep}{address.name}"

    def _write(self, path: Path, data: bytes) -> None:
        mode = self._folder_mode()
        incoming = self.root / _INCOMING
        incoming.mkdir(mode=mode, exist_ok=True)
        self._sweep(incoming)
        handle, temporary = tempfile.mkstemp(dir=incoming)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                if self._durable:
                    os.fsync(file.fileno())
            Path(temporary).chmod(mode & 0o660)
            for folder in (path.parent.parent, path.parent):
                folder.mkdir(mode=mode, exist_ok=True)
            Path(temporary).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(temporary).unlink()
            raise

    def _folder_mode(self) -> int:
        self.root.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            self.root.mkdir(mode=0o700)
        return 0o700 | (self.root.stat().st_mode & 0o070)

    def _sweep(self, incoming: Path) -> None:
        """Delete what writers that were killed have left, once per store object."""
        if self._swept:
            return
        self._swept = True
        oldest = time.time() - _ABANDONED_AFTER_S
        for leftover in incoming.iterdir():
            with suppress(OSError):
                if leftover.stat().st_mtime < oldest:
                    leftover.unlink()

    @contextmanager
    def _errors(self, address: MediaAddress) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise MediaNotFound(address, self.description) from error
        except OSError as error:
            raise MediaError(f"media store {self.description}: {error.strerror or error}") from error


def _length(place: str) -> int | None:
    try:
        # Asked of every picture of every push: to make a path takes longer than to look.
        return os.stat(place).st_size  # noqa: PTH116
    except FileNotFoundError:
        return None
