"""The facts of a picture that its header and one hash over its bytes tell."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vlmops.errors import ImageError
from vlmops.images import gif, jpeg, png, webp
from vlmops.images.container import Header, Malformed
from vlmops.images.sniff import Sniffed, sniff

if TYPE_CHECKING:
    from vlmops.images.limits import ImageLimits

_HEADERS = {
    "image/jpeg": jpeg.header,
    "image/png": png.header,
    "image/webp": webp.header,
    "image/gif": gif.header,
}
TRUNCATED_FIX = "copy or download it again; its source may be damaged"


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known of a picture without decoding it.

    Attributes:
        sha256: Of the encoded bytes, in hexadecimal.
        media_type: Found in the bytes, never taken from a name: ``image/jpeg``.
        width: In pixels, as seen, that is after the EXIF orientation.
        height: In pixels, as seen.
        byte_length: Of the encoded picture.
        orientation: EXIF orientation 1..8; 1 is upright.
        mode: Pillow's name of the stored pixel format: ``RGB``, ``L``, ``CMYK``, ``I;16``, ...
        frames: How many frames or pages there are; more than 1 is an animation or a multi-page file.
        has_exif: Whether there is an EXIF block.
        has_gps: Whether EXIF or XMP tells where it was taken.

    Example:
        >>> from vlmops.images import Image
        >>> import numpy as np
        >>> facts = Image.from_array(np.zeros((2, 3, 3), np.uint8)).facts
        >>> facts.media_type, facts.width, facts.height, facts.orientation, facts.has_gps
        ('image/png', 3, 2, 1, False)
    """

    sha256: str
    media_type: str
    width: int
    height: int
    byte_length: int
    orientation: int = 1
    mode: str = "RGB"
    frames: int = 1
    has_exif: bool = False
    has_gps: bool = False


def read_facts(data: bytes, source: str, limits: ImageLimits) -> ImageFacts:
    """Read a picture's header and hash its bytes.

    Raises:
        ImageError: The bytes are not a picture, not one that can be decoded, have no readable header,
            or declare more pixels than the limits allow.
    """
    kind = sniff(data)
    if not kind.is_image:
        raise ImageError(source, f"not a picture: it is {kind.description}", kind.fix)
    header = _header(data, kind, source)
    exif = header.exif
    _require_size(header, source, limits)
    width, height = (header.height, header.width) if exif.orientation > 4 else (header.width, header.height)
    return ImageFacts(
        sha256=hashlib.sha256(data).hexdigest(),
        media_type=kind.media_type,
        width=width,
        height=height,
        byte_length=len(data),
        orientation=exif.orientation,
        mode=header.mode,
        frames=header.frames,
        has_exif=exif.present,
        has_gps=exif.has_gps,
    )


def _header(data: bytes, kind: Sniffed, source: str) -> Header:
    read = _HEADERS.get(kind.media_type)
    if read is None:
        from vlmops.images.decode import open_header

        return open_header(data, kind, source)
    try:
        return read(data)
    except Malformed as error:
        raise ImageError(source, f"{kind.description}, {error}", TRUNCATED_FIX) from None


def _require_size(header: Header, source: str, limits: ImageLimits) -> None:
    pixels = header.width * header.height
    if pixels > limits.max_pixels:
        raise ImageError(
            source,
            f"declares {header.width} x {header.height} pixels ({pixels / 1e6:.0f} megapixels), "
            f"more than the limit of {limits.max_pixels / 1e6:.0f}",
            "if it is genuine, raise ImageLimits.max_pixels or VLMOPS_IMAGE_MAX_PIXELS",
        )
