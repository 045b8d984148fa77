"""WebP files as RIFF chunks (RFC 9649): read the header, check sizes, strip metadata.

Nothing here decodes a pixel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmops.images.container import Header, Malformed, Part, join
from vlmops.images.exif import orientation_exif, read_exif

if TYPE_CHECKING:
    from collections.abc import Iterator

_RIFF_HEADER = 12
_KEPT = frozenset({"VP8 ", "VP8L", "ALPH", "ANIM", "ANMF", "ICCP"})
_ALPHA_FLAG, _EXIF_FLAG, _XMP_FLAG = 0x10, 0x08, 0x04


def chunks(data: bytes) -> Iterator[Part]:
    """Every chunk that the RIFF size covers, in order.

    Raises:
        Malformed: The file is shorter than its RIFF size, or a chunk reaches beyond it.
    """
    if len(data) < _RIFF_HEADER:
        raise Malformed(f"truncated: it ends after {len(data)} bytes, within its header")
    end = 8 + int.from_bytes(data[4:8], "little")
    at = _RIFF_HEADER
    while at < end:
        if at + 8 > len(data):
            raise Malformed(_shortfall(data, end))
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        stop = at + 8 + length
        if stop > len(data):
            raise Malformed(_shortfall(data, max(end, stop)))
        if stop > end:
            raise Malformed(f"corrupt: the chunk at byte {at} reaches beyond the size its header declares")
        # Some writers leave out the padding of a last chunk of odd length; every reader copes.
        after = stop + (length & 1)
        yield Part(data[at : at + 4].decode("latin-1"), at, at + 8, stop, min(after, len(data)))
        at = after
    if end > len(data):
        raise Malformed(_shortfall(data, end))


def _shortfall(data: bytes, declared: int) -> str:
    return f"truncated: it has {len(data)} bytes of {declared}; {max(declared - len(data), 1)} are missing"


def header(data: bytes) -> Header:
    """Read size, pixel format and metadata; metadata after the pixels is found where it is whole.

    Raises:
        Malformed: The first chunk gives no size.
    """
    width, height, mode = _canvas(data)
    frames, exif, xmp = 0, b"", b""
    try:
        for part in chunks(data):
            frames += part.name == "ANMF"
            if part.name == "EXIF" and not exif:
                exif = data[part.body : part.stop].removeprefix(b"Exif\x00\x00")
            elif part.name == "XMP " and not xmp:
                xmp = data[part.body : part.stop]
    except Malformed:
        pass  # A header says nothing of what comes after it; check() does.
    return Header(width, height, mode, frames=max(1, frames), exif=read_exif(exif, xmp))


def _canvas(data: bytes) -> tuple[int, int, str]:
    name, body = data[12:16], data[20:30]
    if name == b"VP8X" and len(body) == 10:
        mode = "RGBA" if body[0] & _ALPHA_FLAG else "RGB"
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little"), mode
    if name == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), "RGBA" if bits >> 28 & 1 else "RGB"
    if name == b"VP8 " and len(body) == 10 and body[3:6] == b"\x9d\x01\x2a":
        width, height = int.from_bytes(body[6:8], "little"), int.from_bytes(body[8:10], "little")
        if width & 0x3FFF and height & 0x3FFF:
            return width & 0x3FFF, height & 0x3FFF, "RGB"
    raise Malformed("truncated or corrupt: its first chunk gives no size")


def is_lossless(data: bytes) -> bool:
    """Whether the (first) picture keeps every pixel's value.

    Raises:
        Malformed: The chunks cannot be followed to the end.
    """
    return "VP8L" in {part.name for part in chunks(data)}


def check(data: bytes) -> None:
    """Check the RIFF size and every chunk's: catches any cut and any damage to sizes.

    Not caught: changed bytes within the compressed pixels; WebP has no checksum.

    Raises:
        Malformed: What is wrong and where.
    """
    if not {"VP8 ", "VP8L", "ANMF"} & {part.name for part in chunks(data)}:
        raise Malformed("corrupt: it has no pixels (no VP8, VP8L or ANMF chunk)")


def strip(data: bytes, orientation: int) -> bytes:
    """Drop EXIF, GPS, XMP, unknown chunks and whatever follows the picture.

    Kept: pixels byte for byte, transparency, the ICC profile, animation. An ``orientation`` other than 1
    is kept in an EXIF chunk that holds nothing else.

    Returns:
        The same object when there was nothing to drop.

    Raises:
        Malformed: The chunks cannot be followed to the end.
    """
    found = list(chunks(data))
    exif = _chunk(b"EXIF", orientation_exif(orientation)) if orientation != 1 else b""
    parts: list[Part | bytes] = [part for part in found if part.name in _KEPT]
    extended = next((data[part.body : part.stop] for part in found if part.name == "VP8X"), b"")
    if extended:
        parts.insert(0, _chunk(b"VP8X", _flags(extended, exif=bool(exif)) + extended[1:]))
    elif exif:
        parts.insert(0, _chunk(b"VP8X", _new_extension(data)))
    body = join(data, parts)
    body += b"\x00" * (len(body) & 1) + exif
    stripped = b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body
    return data if stripped == data else stripped


def _flags(extended: bytes, *, exif: bool) -> bytes:
    flags = extended[0] & ~(_EXIF_FLAG | _XMP_FLAG)
    return bytes((flags | _EXIF_FLAG if exif else flags,))


def _new_extension(data: bytes) -> bytes:
    width, height, mode = _canvas(data)
    flags = _EXIF_FLAG | (_ALPHA_FLAG if mode == "RGBA" else 0)
    return bytes((flags, 0, 0, 0)) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def _chunk(name: bytes, payload: bytes) -> bytes:
    return name + len(payload).to_bytes(4, "little") + payload + b"\x00" * (len(payload) & 1)
