"""GIF files as blocks (GIF89a specification): read the header, check the structure.

Nothing here decodes a pixel, and counting frames costs one step per block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmops.images.container import Header, Malformed, Part, join

if TYPE_CHECKING:
    from collections.abc import Iterator

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_GRAPHIC_CONTROL, _APPLICATION = 0xF9, 0xFF
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def blocks(data: bytes) -> Iterator[Part]:
    """Every block from the first after the screen descriptor to the trailer.

    Names: ``IMAGE``, ``CONTROL``, ``LOOP``, ``OTHER`` (comments, text, application data), ``TRAILER``.

    Raises:
        Malformed: The file ends before its trailer or holds something else where a block must start.
    """
    at = _screen_end(data)
    name = ""
    while name != "TRAILER":
        if at >= len(data):
            raise _truncated(data)
        start = at
        if data[at] == _TRAILER:
            name, at = "TRAILER", at + 1
        elif data[at] == _IMAGE:
            name, at = "IMAGE", _skip_blocks(data, _image_body(data, at))
        elif data[at] == _EXTENSION:
            name, at = _extension_name(data, at), _skip_blocks(data, at + 2)
        else:
            raise Malformed(f"corrupt: byte {at} is not the start of a GIF block")
        yield Part(name, start, start, at, at)


def _truncated(data: bytes) -> Malformed:
    return Malformed(f"truncated: it ends after {len(data)} bytes without its trailer")


def _screen_end(data: bytes) -> int:
    if len(data) < 13:
        raise Malformed(f"truncated: it ends after {len(data)} bytes, within its header")
    return 13 + _table_length(data[10])


def _table_length(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _image_body(data: bytes, at: int) -> int:
    if at + 10 > len(data):
        raise _truncated(data)
    return at + 10 + _table_length(data[at + 9]) + 1


def _extension_name(data: bytes, at: int) -> str:
    label = data[at + 1 : at + 2]
    if label == bytes((_GRAPHIC_CONTROL,)):
        return "CONTROL"
    loops = label == bytes((_APPLICATION,)) and data[at + 3 : at + 14] in _LOOPS
    return "LOOP" if loops else "OTHER"


def _skip_blocks(data: bytes, at: int) -> int:
    while at < len(data):
        length = data[at]
        at += 1 + length
        if not length:
            return at
    raise _truncated(data)


def header(data: bytes) -> Header:
    """Read the screen size and count the frames that are whole.

    Raises:
        Malformed: The header is cut or gives no size.
    """
    _screen_end(data)
    width, height = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    if not width or not height:
        raise Malformed("corrupt: its header gives a size of 0")
    frames = 0
    try:
        for part in blocks(data):
            frames += part.name == "IMAGE"
    except Malformed:
        pass  # A header says nothing of what comes after it; check() does.
    return Header(width, height, "P", frames=max(1, frames))


def check(data: bytes) -> None:
    """Walk the blocks to the trailer: catches every cut and any damage to block lengths.

    Not caught: changed bytes within the compressed pixels; GIF has no checksum.

    Raises:
        Malformed: What is wrong and where.
    """
    if "IMAGE" not in {part.name for part in blocks(data)}:
        raise Malformed("corrupt: it has no picture in it")


def strip(data: bytes) -> bytes:
    """Drop comments, XMP and other application data, and whatever follows the trailer.

    Returns:
        The same object when there was nothing to drop.

    Raises:
        Malformed: The blocks cannot be followed to the trailer.
    """
    end = _screen_end(data)
    kept: list[Part | bytes] = [Part("", 0, 0, end, end)]
    kept += [part for part in blocks(data) if part.name != "OTHER"]
    stripped = join(data, kept)
    return data if stripped == data else stripped
