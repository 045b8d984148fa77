"""What the readers of JPEG, PNG, WebP and GIF files have in common."""

from __future__ import annotations

from dataclasses import dataclass, field

from vlmops.images.exif import ExifSummary


class Malformed(Exception):  # noqa: N818 - says what the file is; becomes an ImageError where its source is known
    """The file breaks the rules of its format; the text says where and how."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of its picture, without decoding it.

    Attributes:
        width: Stored width in pixels, before orientation.
        height: Stored height in pixels, before orientation.
        mode: Pillow's name of the pixel format the file decodes to.
        frames: How many pictures or animation frames it holds.
        exif: What its metadata says of orientation and place.
    """

    width: int
    height: int
    mode: str
    frames: int = 1
    exif: ExifSummary = field(default_factory=ExifSummary)


@dataclass(frozen=True, slots=True)
class Part:
    """One segment (JPEG), chunk (PNG, WebP) or block (GIF).

    Attributes:
        name: ``APP1``, ``IDAT``, ``VP8X``.
        start: Offset of its first byte.
        body: Offset of its payload.
        stop: Offset just after its payload.
        end: Offset just after it, with checksum or padding.
    """

    name: str
    start: int
    body: int
    stop: int
    end: int


def join(data: bytes, parts: list[Part | bytes]) -> bytes:
    """Put parts of ``data`` and new bytes together; neighbours are copied in one piece.

    Returns:
        ``data`` itself, uncopied, when the parts are the whole of it.
    """
    pieces: list[bytes | memoryview] = []
    view = memoryview(data)
    start = stop = 0
    for part in parts:
        if isinstance(part, Part) and part.start == stop:
            stop = part.end
            continue
        pieces.append(view[start:stop])
        if isinstance(part, Part):
            start, stop = part.start, part.end
        else:
            pieces.append(part)
            start = stop = -1
    if not pieces and (start, stop) == (0, len(data)):
        return data
    pieces.append(view[start:stop])
    return b"".join(pieces)


def unless_same(data: bytes, part: Part, new: bytes) -> Part | bytes:
    """``new`` in the place of a part, or the part itself when that is what it holds."""
    return part if data[part.start : part.end] == new else new
