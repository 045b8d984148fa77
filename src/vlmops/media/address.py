"""The content address of a stored picture: its SHA-256 and its media type, written as a file name."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from vlmops.errors import MediaError

EXTENSIONS = {
    "image/avif": "avif",
    "image/bmp": "bmp",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/heif": "heif",
    "image/jp2": "jp2",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "image/tiff": "tif",
    "image/vnd.microsoft.icon": "ico",
    "image/webp": "webp",
}
"""Every media type that can be stored, with the one extension that stands for it."""

_MEDIA_TYPES = {extension: media_type for media_type, extension in EXTENSIONS.items()}
_SYNONYMS = {
    "image/jpg": "image/jpeg",
    "image/svg": "image/svg+xml",
    "image/x-icon": "image/vnd.microsoft.icon",
    "image/x-ms-bmp": "image/bmp",
}
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_NAME = re.compile(rf"({_SHA256.pattern})\.({'|'.join(sorted(_MEDIA_TYPES))})", re.ASCII)


@dataclass(frozen=True, slots=True)
class MediaAddress:
    """Where a picture is, said by what it is: equal bytes have equal addresses, everywhere.

    Attributes:
        sha256: SHA-256 of the encoded bytes, 64 lower-case hexadecimal digits.
        media_type: A key of ``EXTENSIONS``; synonyms such as ``image/jpg`` are normalised.

    Raises:
        MediaError: The digest is malformed or the media type is not an image type that can be stored.

    Example:
        >>> address = MediaAddress.of(b"...", "image/png")
        >>> address.name
        'ab5df625bc76dbd4e163bed2dd888df828f90159bb93556525c31821b6541d46.png'
        >>> MediaAddress.parse(address.name) == address
        True
    """

    sha256: str
    media_type: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "media_type", _SYNONYMS.get(self.media_type, self.media_type))
        if self.media_type not in EXTENSIONS:
            raise MediaError(
                f"media type {self.media_type!r} cannot be stored: expected one of {', '.join(EXTENSIONS)}"
            )
        if not _SHA256.fullmatch(self.sha256):
            raise MediaError(f"{self.sha256!r} is no SHA-256: expected 64 lower-case hexadecimal digits")

    @classmethod
    def of(cls, data: bytes, media_type: str) -> MediaAddress:
        """Address of ``data``, the encoded bytes of a picture.

        Raises:
            MediaError: ``media_type`` cannot be stored.
        """
        return cls(hashlib.sha256(data).hexdigest(), media_type)

    @classmethod
    def parse(cls, name: str) -> MediaAddress | None:
        """The address that ``name`` spells, ``None`` for anything but ``<64 hex digits>.<extension>``.

        Exactly one name spells an address, so a parsed name is also a safe file name.

        Example:
            >>> MediaAddress.parse("../../etc/passwd") is None
            True
        """
        match = _NAME.fullmatch(name)
        return cls(match[1], _MEDIA_TYPES[match[2]]) if match else None

    @property
    def name(self) -> str:
        """``<sha256>.<extension>``: the file name, object key and last part of the URL."""
        return f"{self.sha256}.{EXTENSIONS[self.media_type]}"

    def __str__(self) -> str:
        return self.name
