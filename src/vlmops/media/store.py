"""The port to a media store, and how the configured one is opened."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, runtime_checkable
from urllib.parse import unquote, urlsplit

from vlmops.errors import MediaError

if TYPE_CHECKING:
    from datetime import timedelta

    from vlmops.media.address import MediaAddress

STORE_ENV = "VLMOPS_MEDIA_STORE"
"""Environment variable that names the store: a folder, or any fsspec URL."""


class MediaNotFound(MediaError):  # noqa: N818 - says what happened, as FileNotFound does
    """The store holds no picture at the address.

    Attributes:
        address: The address that was asked for.
    """

    def __init__(self, address: MediaAddress, store: str) -> None:
        self.address = address
        super().__init__(f"{store} holds no picture {address}")


@runtime_checkable
class MediaStore(Protocol):
    """Keeps pictures by content address. Every method may be called from any thread.

    All methods raise ``MediaError`` when the store cannot be used, and ``MediaNotFound`` (a ``MediaError``)
    when it works but holds no such picture.
    """

    @property
    def description(self) -> str:
        """Which store this is, safe to print: no credentials."""

    def put(self, data: bytes, media_type: str) -> MediaAddress:
        """Keep ``data``, the encoded bytes of a picture; storing the same bytes again changes nothing.

        Atomic: a reader sees all of the picture or none of it, whatever happens to concurrent writers.
        """

    def has(self, address: MediaAddress) -> bool:
        """Whether the picture is here."""

    def open(self, address: MediaAddress) -> BinaryIO:
        """Its bytes as a stream; the caller closes it."""

    def read(self, address: MediaAddress) -> bytes:
        """Its bytes, checked against the address: damaged content raises ``MediaError``."""

    def size(self, address: MediaAddress) -> int:
        """Its length in bytes."""

    def redirect_url(self, address: MediaAddress, expires: timedelta) -> str | None:
        """A freshly signed URL that a browser can load until ``expires`` from now.

        ``None`` when the store offers none; the picture is not looked up.
        """


def open_store(location: str | Path | None = None, **storage_options: Any) -> MediaStore:
    """Open a media store.

    Args:
        location: A folder, or any fsspec URL (``s3://bucket/prefix``, ``gs://...``, ``memory://...``).
            ``None`` takes the environment variable ``VLMOPS_MEDIA_STORE``, and without it the folder
            ``media`` in vlmops' user data folder.
        storage_options: Given to the fsspec filesystem; none for a folder.

    Raises:
        PrerequisiteError: The driver for the URL is not installed.
        MediaError: No such kind of URL.

    Example:
        >>> store = open_store("memory://doctest")
        >>> store.read(store.put(b"GIF89a", "image/gif"))
        b'GIF89a'
    """
    from vlmops.media.folder import FolderStore
    from vlmops.media.object_store import ObjectStore

    chosen = location or configured_location()
    if isinstance(chosen, Path):
        return FolderStore(chosen)
    if chosen.startswith("file://"):
        return FolderStore(Path(unquote(urlsplit(chosen).path)))
    if "://" in chosen:
        return ObjectStore(chosen, **storage_options)
    return FolderStore(Path(chosen))


def configured_location() -> str:
    """What ``open_store`` opens when it is told nothing: a folder or an fsspec URL."""
    import platformdirs

    default = platformdirs.user_data_path("vlmops", appauthor=False) / "media"
    return os.environ.get(STORE_ENV) or str(default)


def intact(data: bytes, address: MediaAddress, store: str) -> bytes:
    """``data`` when it is what ``address`` promises.

    Raises:
        MediaError: It is not: the stored copy is damaged.
    """
    if hashlib.sha256(data).hexdigest() != address.sha256:
        raise MediaError(
            f"{store}: the stored copy of {address} is damaged ({len(data)} bytes do not match its address);"
            " delete it and store the picture again"
        )
    return data
