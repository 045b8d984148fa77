"""PNG files as chunks (W3C PNG, third edition): read the header, check sums, strip metadata.

Nothing here decodes a pixel.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from vlmops.images.container import Header, Malformed, Part, join
from vlmops.images.exif import orientation_exif, read_exif

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNATURE_LENGTH = 8
_XMP_KEYWORD = b"XML:com.adobe.xmp\x00"
_COLOUR = frozenset({"cHRM", "cICP", "gAMA", "iCCP", "mDCV", "cLLI", "sBIT", "sRGB", "tRNS"})
_SHAPE = frozenset({"IHDR", "PLTE", "IDAT", "IEND", "acTL", "fcTL", "fdAT", "pHYs", "bKGD", "hIST", "sPLT"})
_MODES = {0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}


def chunks(data: bytes) -> Iterator[Part]:
    """Every chunk from IHDR to IEND in order.

    Raises:
        Malformed: The file ends before IEND, or a chunk has no valid name. Chunks before that place have
            been given by then.
    """
    at = _SIGNATURE_LENGTH
    name = ""
    while name != "IEND":
        if at + 8 > len(data):
            raise Malformed(f"truncated: it ends after {len(data)} bytes without its closing IEND chunk")
        length = int.from_bytes(data[at : at + 4], "big")
        name = data[at + 4 : at + 8].decode("latin-1")
        if not (name.isascii() and name.isalpha()):
            raise Malformed(f"corrupt: byte {at} is not the start of a PNG chunk")
        end = at + 12 + length
        if end > len(data):
            raise Malformed(
                f"truncated: it ends within its {name} chunk; {end - len(data)} bytes of it are missing"
            )
        yield Part(name, at, at + 8, at + 8 + length, end)
        at = end


def header(data: bytes) -> Header:
    """Read size, pixel format and metadata; metadata after the pixels is found where it is whole.

    Raises:
        Malformed: IHDR is absent or impossible.
    """
    width, height, mode = _ihdr(data)
    frames, exif, xmp = 1, b"", b""
    try:
        for part in chunks(data):
            if part.name == "acTL":
                frames = max(1, int.from_bytes(data[part.body : part.body + 4], "big"))
            elif part.name == "eXIf" and not exif:
                exif = data[part.body : part.stop]
            elif part.name == "iTXt" and data.startswith(_XMP_KEYWORD, part.body):
                xmp = data[part.body + len(_XMP_KEYWORD) : part.stop]
    except Malformed:
        pass  # A header says nothing of what comes after it; check() does.
    return Header(width, height, mode, frames=frames, exif=read_exif(exif, xmp))


def _ihdr(data: bytes) -> tuple[int, int, str]:
    if data[12:16] != b"IHDR" or len(data) < 33:
        raise Malformed("truncated or corrupt: it has no complete IHDR chunk, so its size is unknown")
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    depth, colour = data[24], data[25]
    if not width or not height or colour not in _MODES:
        raise Malformed("corrupt: its IHDR chunk gives an impossible size or colour type")
    if colour == 0 and depth == 1:
        return width, height, "1"
    return width, height, "I;16" if colour == 0 and depth == 16 else _MODES[colour]


def bit_depth(data: bytes) -> int:
    """Bits per channel as IHDR gives them: 1, 2, 4, 8 or 16."""
    return data[24]


def check(data: bytes) -> None:
    """Check every chunk's CRC and that the file is whole: catches any cut and any changed byte.

    Not caught: pixels that a faulty writer compressed wrongly under a right checksum; decoding does.

    Raises:
        Malformed: What is wrong and where.
    """
    view = memoryview(data)
    names = set()
    for part in chunks(data):
        names.add(part.name)
        stored = int.from_bytes(view[part.stop : part.end], "big")
        if zlib.crc32(view[part.start + 4 : part.stop]) != stored:
            raise Malformed(f"corrupt: the checksum of its {part.name} chunk at byte {part.start} is wrong")
    if not {"IHDR", "IDAT"} <= names:
        raise Malformed("corrupt: it has no pixels (no IDAT chunk)")


def strip(data: bytes, orientation: int) -> bytes:
    """Drop EXIF, GPS, XMP, text, time, unknown chunks and whatever follows the picture.

    Kept: pixels byte for byte, colour (ICC profile, gamma, ...), density, animation. An ``orientation``
    other than 1 is kept in an eXIf chunk that holds nothing else.

    Returns:
        The same object when there was nothing to drop.

    Raises:
        Malformed: The chunks cannot be followed to IEND.
    """
    parts: list[Part | bytes] = [Part("", 0, 0, 8, 8)]
    added = orientation == 1
    for part in chunks(data):
        if not added and part.name in ("IDAT", "IEND"):
            parts.append(_chunk(b"eXIf", orientation_exif(orientation)))
            added = True
        if part.name in _SHAPE or part.name in _COLOUR:
            parts.append(part)
    stripped = join(data, parts)
    return data if stripped == data else stripped


def _chunk(name: bytes, payload: bytes) -> bytes:
    crc = zlib.crc32(name + payload).to_bytes(4, "big")
    return len(payload).to_bytes(4, "big") + name + payload + crc
