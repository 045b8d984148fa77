"""JPEG files as segments (ITU-T T.81, annex B): read the header, check the structure, strip metadata.

Nothing here decodes a pixel; scans are skipped with one search per scan.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vlmops.images.container import Header, Malformed, Part, join, unless_same
from vlmops.images.exif import orientation_exif, read_exif

if TYPE_CHECKING:
    from collections.abc import Iterator

_EXIF = b"Exif\x00\x00"
_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
_ICC = b"ICC_PROFILE\x00"
_JFIF = b"JFIF\x00"
_ADOBE = b"Adobe"
_EOI, _SOS, _COM, _TEM = 0xD9, 0xDA, 0xFE, 0x01
_APP0, _APP1, _APP15 = 0xE0, 0xE1, 0xEF
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_NAMES = {_SOS: "SOS", _COM: "COM", 0xC4: "DHT", 0xDB: "DQT", 0xDD: "DRI"}
_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
_MARKER = re.compile(rb"\xff+[^\x00\xff]")
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""Within a scan, 0xFF is followed by a stuffed zero, a restart marker or fill; anything else ends it."""


def segments(data: bytes) -> Iterator[Part]:
    """Every segment from SOI to EOI in order; a scan's data belongs to its SOS segment.

    Bytes that stand where a marker must be are given as ``JUNK``: decoders skip them, so does this.

    Raises:
        Malformed: The file ends before EOI, or a segment has an impossible length. Segments before that
            place have been given by then.
    """
    yield Part("SOI", 0, 2, 2, 2)
    at = 2
    while True:
        start = _next_marker(data, at)
        if start > at:
            yield Part("JUNK", at, at, start, start)
        marker, at = _marker(data, start)
        if marker == _EOI:
            yield Part("EOI", start, at, at, at)
            return
        if marker == _TEM or 0xD0 <= marker <= 0xD7:
            yield Part(_name(marker), start, at, at, at)
            continue
        stop = at + _length(data, at, marker)
        end = _scan_end(data, stop) if marker == _SOS else stop
        yield Part(_name(marker), start, at + 2, stop, end)
        at = end


def _next_marker(data: bytes, at: int) -> int:
    found = _MARKER.search(data, at)
    if found is None:
        raise Malformed(f"truncated: it ends after {len(data)} bytes without an end-of-image marker")
    return found.start()


def _marker(data: bytes, at: int) -> tuple[int, int]:
    while data[at] == 0xFF:
        at += 1
    return data[at], at + 1


def _length(data: bytes, at: int, marker: int) -> int:
    length = int.from_bytes(data[at : at + 2], "big")
    missing = at + length - len(data)
    if len(data) < at + 2 or missing > 0:
        raise Malformed(
            f"truncated: it ends within its {_name(marker)} segment; "
            f"{max(missing, 1)} bytes of it and the rest of the file are missing"
        )
    if length < 2:
        raise Malformed(f"corrupt: the {_name(marker)} segment at byte {at - 2} has an impossible length")
    return length


def _scan_end(data: bytes, at: int) -> int:
    found = _END_OF_SCAN.search(data, at)
    if found is None:
        raise Malformed(
            f"truncated: it ends after {len(data)} bytes within its pixels, without an end-of-image marker"
        )
    return found.start()


def _name(marker: int) -> str:
    if _APP0 <= marker <= _APP15:
        return f"APP{marker - _APP0}"
    return _NAMES.get(marker, "SOF" if marker in _FRAMES else f"0x{marker:02X}")


def header(data: bytes) -> Header:
    """Read size, pixel format and metadata; looks no further than the first scan.

    Raises:
        Malformed: No frame header (SOF) is found.
    """
    frame: tuple[int, int, str] | None = None
    exif, xmp = b"", b""
    for part in segments(data):
        payload = data[part.body : part.stop] if part.name in ("APP1", "SOF") else b""
        if part.name == "SOF" and len(payload) >= 6 and frame is None:
            height, width = int.from_bytes(payload[1:3], "big"), int.from_bytes(payload[3:5], "big")
            frame = (width, height, _MODES.get(payload[5], "RGB"))
        elif payload.startswith(_EXIF):
            exif += payload[len(_EXIF) :]
        elif payload.startswith(_XMP) and not xmp:
            xmp = payload[len(_XMP) :]
        if frame and _starts_scan(data, part.end):
            break
    if frame is None:
        raise Malformed("corrupt: it has no frame header, so its size is unknown")
    return Header(*frame, exif=read_exif(exif, xmp))


def _starts_scan(data: bytes, at: int) -> bool:
    return data[at : at + 2] == b"\xff\xda"


def check(data: bytes) -> None:
    """Walk the structure to EOI: catches every cut and any damage to markers and lengths.

    Not caught: changed bytes within the compressed pixels; only decoding can notice those, and not all.

    Raises:
        Malformed: What is wrong and where.
    """
    names = set()
    for part in segments(data):
        if part.name == "JUNK":
            raise Malformed(f"corrupt: byte {part.start} is not the start of a JPEG segment")
        names.add(part.name)
    if not {"SOF", "SOS"} <= names:
        raise Malformed("corrupt: it has no pixels between its start and end markers")


def strip(data: bytes, orientation: int) -> bytes:
    """Drop EXIF, GPS, XMP, IPTC, comments, thumbnails and whatever follows the picture.

    Kept: pixels byte for byte, the ICC profile, JFIF density, the Adobe colour transform. An
    ``orientation`` other than 1 is kept in an EXIF block that holds nothing else.

    Returns:
        The same object when there was nothing to drop.

    Raises:
        Malformed: The structure cannot be followed to its end.
    """
    parts: list[Part | bytes] = []
    added = orientation == 1
    for part in segments(data):
        if not added and part.name not in ("SOI", "APP0"):
            parts.append(_segment(_APP1, _EXIF + orientation_exif(orientation)))
            added = True
        parts.append(_kept(data, part))
    stripped = join(data, parts)
    return data if stripped == data else stripped


def _kept(data: bytes, part: Part) -> Part | bytes:
    payload = data[part.body : part.stop] if part.name.startswith("APP") else b""
    if part.name == "APP0":
        return unless_same(data, part, _without_thumbnail(payload)) if payload.startswith(_JFIF) else b""
    if part.name == "APP2":
        return part if payload.startswith(_ICC) else b""
    if part.name == "APP14":
        return part if payload.startswith(_ADOBE) else b""
    return b"" if part.name in ("COM", "JUNK") or payload else part


def _without_thumbnail(jfif: bytes) -> bytes:
    return _segment(_APP0, jfif[:12].ljust(12, b"\x00") + b"\x00\x00")


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload
