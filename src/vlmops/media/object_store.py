"""A media store behind any fsspec URL: a bucket, a share, memory."""

from __future__ import annotations

import logging
import os
import uuid
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import urlsplit

from vlmops.errors import MediaError, PrerequisiteError
from vlmops.media.address import MediaAddress
from vlmops.media.store import MediaNotFound, intact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

REDIRECT_ENV = "VLMOPS_MEDIA_REDIRECT"
"""Set to ``0`` when browsers cannot reach the bucket: pictures then stream through the server."""

_IMMUTABLE = "public, max-age=31536000, immutable"
_BLOCK = 4 * 1024 * 1024
_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}

# One request writes the whole object or nothing, so the final name can be written directly.
_ATOMIC_WRITES = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "oss", "memory"}

logger = logging.getLogger(__name__)


class ObjectStore:
    """Pictures as objects ``<url>/<sha256>.<ext>``, flat, so that a CDN on the bucket serves them by name.

    Args:
        url: Any fsspec URL: ``s3://bucket/prefix``, ``gs://bucket/prefix``, ``memory://name``, ...
        redirect: Whether browsers may be sent to signed URLs of the bucket, where it offers them; ``None``
            takes the environment variable ``VLMOPS_MEDIA_REDIRECT``, and without it yes.
        storage_options: Given to the filesystem, e.g. ``endpoint_url``.

    Raises:
        PrerequisiteError: The filesystem's driver is not installed.
        MediaError: The URL names no known kind of filesystem.

    Example:
        >>> store = ObjectStore("memory://example")
        >>> store.size(store.put(b"GIF89a", "image/gif"))
        6
    """

    def __init__(self, url: str, *, redirect: bool | None = None, **storage_options: Any) -> None:
        self._url = _without_credentials(url)
        self._fs, root = _filesystem(url, self._url, storage_options)
        self._root = root.rstrip("/")
        self._redirect = os.environ.get(REDIRECT_ENV) != "0" if redirect is None else redirect
        protocols = self._fs.protocol
        self._protocols = {protocols} if isinstance(protocols, str) else set(protocols)

    @property
    def description(self) -> str:
        """The URL without credentials."""
        return self._url

    def put(self, data: bytes, media_type: str) -> MediaAddress:
        """Keep ``data`` with its content type and, where the filesystem has it, immutable cache control."""
        address = MediaAddress.of(data, media_type)
        path = self._path(address)
        with self._errors(address):
            if self._length(path) == len(data):
                return address
            if self._protocols & _ATOMIC_WRITES:
                self._fs.pipe_file(path, data, **self._headers(address.media_type))
            else:
                self._write_then_rename(path, data)
        return address

    def has(self, address: MediaAddress) -> bool:
        """Whether the object is there."""
        with self._errors(address):
            return self._length(self._path(address)) is not None

    def open(self, address: MediaAddress) -> BinaryIO:
        """The object as a stream, fetched in blocks of 4 MiB."""
        with self._errors(address):
            return cast("BinaryIO", self._fs.open(self._path(address), "rb", block_size=_BLOCK))

    def read(self, address: MediaAddress) -> bytes:
        """The object's bytes, checked against the address."""
        with self._errors(address):
            return intact(self._fs.cat_file(self._path(address)), address, self.description)

    def size(self, address: MediaAddress) -> int:
        """The object's length in bytes."""
        with self._errors(address):
            return int(self._fs.info(self._path(address))["size"])

    def redirect_url(self, address: MediaAddress, expires: timedelta) -> str | None:
        """A freshly signed URL; ``None`` where the filesystem or its credentials cannot sign."""
        if not self._redirect:
            return None
        try:
            return str(self._fs.sign(self._path(address), expiration=int(expires.total_seconds())))
        except NotImplementedError:
            self._redirect = False
        except Exception as error:  # noqa: BLE001 - each driver fails in its own way
            self._redirect = False
            logger.warning(
                "%s cannot sign URLs (%s): pictures stream through the server instead",
                self.description,
                type(error).__name__,
            )
        return None

    def _path(self, address: MediaAddress) -> str:
        return f"{self._root}/{address.name}"

    def _length(self, path: str) -> int | None:
        try:
            return int(self._fs.info(path)["size"])
        except FileNotFoundError:
            return None

    def _headers(self, media_type: str) -> dict[str, Any]:
        if self._protocols & {"s3", "s3a"}:
            return {"ContentType": media_type, "CacheControl": _IMMUTABLE}
        if self._protocols & {"gs", "gcs"}:
            return {"content_type": media_type, "fixed_key_metadata": {"cache_control": _IMMUTABLE}}
        return {}

    def _write_then_rename(self, path: str, data: bytes) -> None:
        self._fs.makedirs(self._root, exist_ok=True)
        temporary = f"{self._root}/.incoming-{uuid.uuid4().hex}"
        try:
            self._fs.pipe_file(temporary, data)
            self._fs.mv(temporary, path)
        except BaseException:
            with suppress(Exception):
                self._fs.rm_file(temporary)
            raise

    @contextmanager
    def _errors(self, address: MediaAddress) -> Iterator[None]:
        try:
            yield
        except MediaError:
            raise
        except FileNotFoundError as error:
            raise MediaNotFound(address, self.description) from error
        except Exception as error:
            problem = str(error) or type(error).__name__
            raise MediaError(f"media store {self.description}: {problem}") from error


def _filesystem(url: str, printable: str, storage_options: dict[str, Any]) -> tuple[Any, str]:
    from fsspec.core import url_to_fs  # type: ignore[import-untyped]

    scheme = urlsplit(url).scheme
    try:
        # Without a listings cache, a picture that another process has just stored is seen at once.
        fs, root = url_to_fs(url, **{"use_listings_cache": False, **storage_options})
    except ImportError as error:
        extra = _EXTRAS.get(scheme)
        fix = f"pip install 'vlmops[{extra}]'" if extra else str(error)
        raise PrerequisiteError(f"media store {printable} needs a driver for {scheme}://: {fix}") from error
    except ValueError as error:
        raise MediaError(f"media store {printable}: {error}") from error
    return fs, root


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
