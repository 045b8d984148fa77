"""From encoded bytes to upright pixels, safely."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmops.errors import ImageError
from vlmops.images.container import Header, Malformed
from vlmops.images.exif import ExifSummary, read_exif
from vlmops.images.facts import TRUNCATED_FIX, ImageFacts
from vlmops.images.metadata import strip
from vlmops.images.pillow import can_decode, decoding, open_with
from vlmops.images.pixels import upright
from vlmops.images.sniff import sniff

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

    from vlmops.images.sniff import Sniffed

_ORIENTATION, _EXIF_IFD, _GPS_IFD = 0x0112, 0x8769, 0x8825
_TURNED_BY_DECODER = frozenset({"image/tiff"})
"""Pillow itself applies the orientation of a TIFF while loading it."""


def open_header(data: bytes, kind: Sniffed, source: str) -> Header:
    """Read the header of a format without a reader of our own, through Pillow.

    Raises:
        ImageError: The format cannot be decoded, or its header cannot be read.
    """
    if not can_decode(kind.media_type):
        raise ImageError(source, f"{kind.description}, which cannot be decoded", "export it as PNG or JPEG")
    with decoding(source, kind.description, TRUNCATED_FIX):
        image = open_with(kind.media_type, data)
        frames = int(getattr(image, "n_frames", 1))
        if kind.media_type in _TURNED_BY_DECODER:
            return Header(*_stored_size(image), image.mode, frames, _tiff_exif(image))
        exif = image.getexif()
        return Header(*image.size, image.mode, frames, read_exif(exif.tobytes() if len(exif) else b""))


def _stored_size(image: PILImage) -> tuple[int, int]:
    """Pillow gives the size of a TIFF as it will be once turned."""
    width, height = image.size
    return (height, width) if image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8) else (width, height)


def _tiff_exif(image: PILImage) -> ExifSummary:
    """The tags of a TIFF are its format, not metadata; only the EXIF and GPS directories are."""
    tags = image.getexif()
    orientation = tags.get(_ORIENTATION, 1)
    return ExifSummary(
        present=_EXIF_IFD in tags or _GPS_IFD in tags,
        orientation=orientation if orientation in range(1, 9) else 1,
        has_gps=_GPS_IFD in tags,
    )


def decode(
    data: bytes, facts: ImageFacts, source: str, *, at_least: tuple[int, int] | None = None
) -> PILImage:
    """Decode the first frame, upright and without metadata.

    Args:
        data: The encoded picture.
        facts: Its facts, as :func:`~vlmops.images.facts.read_facts` gives them.
        source: What to call it in an error.
        at_least: Width and height, as seen, below which a JPEG is not to be decoded; it may then come
            smaller than stored, by a power of two, at a fraction of the time.

    Raises:
        ImageError: The pixels are truncated or corrupt.
    """
    description = sniff(data).description
    data, structure = _bare(data, facts)
    with decoding(source, description, TRUNCATED_FIX):
        try:
            image = open_with(facts.media_type, data)
            if at_least is not None:
                image.draft(None, at_least if facts.orientation < 5 else at_least[::-1])
            image.load()
        except Exception:
            if structure:
                raise ImageError(source, f"{description}, {structure}", TRUNCATED_FIX) from None
            raise
        turned = upright(image, 1 if facts.media_type in _TURNED_BY_DECODER else facts.orientation)
    if at_least is None and turned.size != (facts.width, facts.height):
        declared, found = f"{facts.width} x {facts.height}", f"{turned.width} x {turned.height}"
        raise ImageError(
            source, f"{description} that declares {declared} pixels and has {found}", TRUNCATED_FIX
        )
    return turned


def _bare(data: bytes, facts: ImageFacts) -> tuple[bytes, str]:
    """The picture without metadata, so that no decoder parses any; and what is wrong with its structure."""
    try:
        return strip(data, facts.media_type, orientation=1), ""
    except Malformed as error:
        return data, str(error)
