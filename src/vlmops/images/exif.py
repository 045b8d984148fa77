"""EXIF, as far as a picture's meaning depends on it: orientation, and whether it tells a place.

Tags after CIPA DC-008 (Exif 2.32); the layout is that of TIFF 6.0, section 2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_ORIENTATION = 0x0112
_GPS_IFD = 0x8825
_SHORT = 3
_MAX_ENTRIES = 1000
_PREFIX = b"Exif\x00\x00"
_GPS_IN_XMP = b"exif:GPSL"


@dataclass(frozen=True, slots=True)
class ExifSummary:
    """What an EXIF block says that matters here.

    Attributes:
        present: Whether there is a block at all, readable or not.
        orientation: 1..8; 1 where the tag is absent or nonsense.
        has_gps: Whether it points to a GPS directory, or the XMP packet gives a latitude or longitude.
    """

    present: bool = False
    orientation: int = 1
    has_gps: bool = False


def read_exif(block: bytes, xmp: bytes = b"") -> ExifSummary:
    """Summarise an EXIF block, with or without its ``Exif`` prefix; damage reads as absence.

    The orientation an XMP packet may give is ignored, as browsers do.

    Example:
        >>> read_exif(orientation_exif(6))
        ExifSummary(present=True, orientation=6, has_gps=False)
        >>> read_exif(b"not exif at all").orientation
        1
    """
    orientation, has_gps = _orientation_and_gps(block)
    return ExifSummary(bool(block), orientation, has_gps or _GPS_IN_XMP in xmp)


def _orientation_and_gps(block: bytes) -> tuple[int, bool]:
    tiff = block.removeprefix(_PREFIX)
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if order is None:
        return 1, False
    try:
        return _first_directory(tiff, order)
    except struct.error:
        return 1, False


def _first_directory(tiff: bytes, order: str) -> tuple[int, bool]:
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    (count,) = struct.unpack_from(order + "H", tiff, start)
    orientation, has_gps = 1, False
    for index in range(min(count, _MAX_ENTRIES)):
        at = start + 2 + 12 * index
        if at + 12 > len(tiff):
            break
        tag, kind = struct.unpack_from(order + "HH", tiff, at)
        if tag == _ORIENTATION and kind == _SHORT:
            (value,) = struct.unpack_from(order + "H", tiff, at + 8)
            orientation = value if 1 <= value <= 8 else 1
        has_gps = has_gps or tag == _GPS_IFD
    return orientation, has_gps


def orientation_exif(orientation: int) -> bytes:
    """The smallest EXIF block (no prefix) that holds an orientation and nothing else.

    Example:
        >>> len(orientation_exif(6))
        26
    """
    entry = struct.pack(">HHIHH", _ORIENTATION, _SHORT, 1, orientation, 0)
    return b"MM\x00*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 0)
