"""Where a picture's bytes come from."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from vlmops.errors import ImageError
from vlmops.images.file_stamp import FileStamp
from vlmops.images.limits import ImageLimits

if TYPE_CHECKING:
    from collections.abc import Mapping


@runtime_checkable
class Origin(Protocol):
    """Anything that can give a picture's encoded bytes, again and again.

    A platform's media reference, for example. ``read`` may raise :class:`~vlmops.errors.ImageError`; any
    other exception is turned into one that names ``description``. Origins that can be pickled make
    images that can.
    """

    @property
    def description(self) -> str:
        """What to call it in messages; free of credentials and signatures."""
        ...

    def read(self) -> bytes:
        """The encoded bytes."""
        ...


@dataclass(frozen=True, slots=True)
class BytesOrigin:
    """Bytes that are in memory already.

    Attributes:
        data: The encoded picture.
        description: What to call it in messages.
    """

    data: bytes = field(repr=False)
    description: str = "<bytes>"

    def read(self) -> bytes:
        """The bytes themselves, not a copy."""
        return self.data


@dataclass(frozen=True, slots=True)
class PathOrigin:
    """A regular file, read anew each time.

    Attributes:
        path: Where it is.
        limits: What is refused.
    """

    path: Path
    limits: ImageLimits = field(default_factory=ImageLimits.from_environment, repr=False)

    @property
    def description(self) -> str:
        """The path as it was given."""
        return str(self.path)

    def read(self) -> bytes:
        """The file's bytes.

        Raises:
            ImageError: It is missing, not a regular file, not readable, or larger than the limit.
        """
        return self.read_stamped()[0]

    def read_stamped(self) -> tuple[bytes, FileStamp]:
        """The file's bytes, and the stamp of what was opened, from before they were read.

        Raises:
            ImageError: As :meth:`read`.
        """
        try:
            # What the path names may be a pipe: opening must not wait for it.
            flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
            descriptor = os.open(self.path, flags)
        except (OSError, ValueError) as error:
            self._require_openable()
            raise self._unreadable(error) from None
        try:
            found = os.fstat(descriptor)
            self._require_regular(found)
            data = self._content(descriptor, found.st_size)
        except OSError as error:
            raise self._unreadable(error) from None
        finally:
            os.close(descriptor)
        return data, FileStamp.taken(found)

    def _content(self, descriptor: int, size: int) -> bytes:
        """All bytes; each call lets other threads go first, so that there are as few as can be."""
        data = os.read(descriptor, size + 1)
        if len(data) == size:
            return data
        pieces, length = [data], len(data)
        while piece := os.read(descriptor, _PIECE):
            pieces.append(piece)
            length += len(piece)
            if length > self.limits.max_bytes:
                raise too_large(self.description, length, self.limits)
        return b"".join(pieces)

    def _require_openable(self) -> None:
        """Say of what cannot be opened, such as a socket, what it is."""
        with contextlib.suppress(OSError, ValueError):
            self._require_regular(self.path.stat())

    def _require_regular(self, found: os.stat_result) -> None:
        if stat.S_ISDIR(found.st_mode):
            raise ImageError(self.description, "is a folder, not a picture", "name a file in it")
        if not stat.S_ISREG(found.st_mode):
            kind = _SPECIAL.get(stat.S_IFMT(found.st_mode), "a special file")
            raise ImageError(self.description, f"is {kind}, not a regular file", "name a picture file")
        if found.st_size > self.limits.max_bytes:
            raise too_large(self.description, found.st_size, self.limits)

    def _unreadable(self, error: OSError | ValueError) -> ImageError:
        problem, fix = _PATH_PROBLEMS.get(getattr(error, "errno", None) or 0, ("", ""))
        if not problem and isinstance(error, ValueError):
            problem, fix = "is not a path (it holds a null character)", "check the value it was read from"
        name = self.description if len(self.description) <= _LONGEST_NAME else _shortened(self.description)
        return ImageError(
            name,
            problem or f"cannot be read: {getattr(error, 'strerror', None) or error}",
            fix or "check the disk or the mount",
        )


_PIECE = 1 << 20
_LONGEST_NAME = 1000
_SPECIAL = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
    stat.S_IFSOCK: "a socket",
}
_PATH_PROBLEMS: dict[int, tuple[str, str]] = {
    errno.ENOENT: ("does not exist", "check the path and the working directory"),
    errno.ENOTDIR: ("does not exist: a part of its path is a file", "check the path"),
    errno.EACCES: ("is not readable: permission denied", "give the reading user permission"),
    errno.EPERM: ("is not readable: permission denied", "give the reading user permission"),
    errno.ELOOP: ("is a symbolic link that leads back to itself", "repair the link"),
    errno.ENAMETOOLONG: (
        "is longer than a path can be",
        "for base64 text use a data URI: data:image/png;base64,...",
    ),
}


def _shortened(text: str) -> str:
    return f"{text[:40]}... ({len(text):,} characters)"


def too_large(source: str, size: int, limits: ImageLimits) -> ImageError:
    """The error for a picture of more bytes than the limits allow."""
    return ImageError(
        source,
        f"has {size:,} bytes, more than the limit of {limits.max_bytes:,}",
        "if it is genuine, raise ImageLimits.max_bytes or VLMOPS_IMAGE_MAX_BYTES",
    )


@dataclass(frozen=True, slots=True)
class UrlOrigin:
    """A URL: http(s), or any scheme fsspec knows (``s3://``, ``gs://``, ``memory://``, ...).

    Attributes:
        url: With whatever signature it carries; never printed.
        options: ``headers`` for http(s); storage options of fsspec for other schemes. Never printed.
        limits: What is refused.
    """

    url: str = field(repr=False)
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    limits: ImageLimits = field(default_factory=ImageLimits.from_environment, repr=False)

    @property
    def description(self) -> str:
        """The URL without user, password, query and fragment."""
        from vlmops.images.remote import printable_url

        return printable_url(self.url)

    def read(self) -> bytes:
        """Fetch the bytes.

        Raises:
            ImageError: It does not exist, access is denied, the server does not answer in time, or it is
                larger than the limit.
        """
        from vlmops.images.remote import fetch

        return fetch(self.url, self.options, self.limits)


def origin_of_url(url: str, options: Mapping[str, Any], limits: ImageLimits) -> PathOrigin | UrlOrigin:
    """A URL's origin; a ``file:`` URL (RFC 8089) is a path.

    Example:
        >>> origin_of_url("file:///photos/a%20b.png", {}, ImageLimits()).description
        '/photos/a b.png'
    """
    scheme, separator, rest = url.partition("://")
    if separator and scheme.lower() == "file":
        from urllib.request import url2pathname

        return PathOrigin(Path(url2pathname(rest.removeprefix("localhost"))), limits)
    return UrlOrigin(url, options, limits)
