"""From pixels to encoded bytes."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from vlmops.errors import ImageError
from vlmops.images.exif import read_exif
from vlmops.images.pillow import decoding
from vlmops.images.pixels import convert, has_alpha, upright

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

    from vlmops.images.image import Image

_PNG_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})
_SHAPES = "HxW, HxWx1, HxWx3 or HxWx4"


def encode_png(image: PILImage, source: str) -> bytes:
    """Encode as PNG, with the colour profile and without any other metadata.

    Raises:
        ImageError: Its values have no fixed range.
    """
    if image.mode not in _PNG_MODES:
        image = convert(image, "RGBA" if has_alpha(image) else "RGB", source)
    out = BytesIO()
    image.save(out, "PNG", icc_profile=image.info.get("icc_profile"))
    return out.getvalue()


def encode_pil(image: PILImage, source: str) -> bytes:
    """Encode a caller's Pillow image as PNG, upright.

    Raises:
        ImageError: It has no pixels, cannot be loaded, or its values have no fixed range.
    """
    with decoding(source, "a Pillow image", "check how it was made"):
        if not image.width or not image.height:
            raise ImageError(source, f"has no pixels ({image.width} x {image.height})", "check the crop")
        image.load()
        exif = image.getexif()
        orientation = read_exif(exif.tobytes()).orientation if len(exif) else 1
        return encode_png(upright(image, orientation), source)


def encode_array(array: Any, source: str) -> bytes:
    """Encode an array as PNG.

    Raises:
        ImageError: It is not uint8 or bool, or of another shape.
    """
    import numpy as np
    import PIL.Image

    values = np.asarray(array)
    if values.dtype == np.bool_:
        values = values.astype(np.uint8) * np.uint8(255)
    if values.dtype != np.uint8:
        fix = "scale to 0..255 and convert: (array * 255).round().astype('uint8') for values in 0..1"
        raise ImageError(source, f"has values of type {values.dtype}, not uint8", fix)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in (3, 4)):
        turned = values.ndim == 3 and values.shape[0] in (1, 3, 4)
        fix = "it looks channels-first: array.transpose(1, 2, 0)" if turned else f"give {_SHAPES}"
        raise ImageError(source, f"has shape {values.shape}, not {_SHAPES}", fix)
    if not values.size:
        raise ImageError(source, f"has no pixels (shape {values.shape})", "check the crop")
    return encode_png(PIL.Image.fromarray(np.ascontiguousarray(values)), source)


def thumbnail_png(image: Image, side: int) -> bytes:
    """A PNG of at most ``side`` pixels a side, for display.

    Raises:
        ImageError: The picture cannot be decoded.
    """
    from PIL.Image import Resampling

    from vlmops.images.decode import decode

    data = image.read()
    small = decode(data, image.facts, image.source, at_least=(side, side))
    small = convert(small, "RGBA" if has_alpha(small) else "RGB", image.source)
    small.thumbnail((side, side), Resampling.LANCZOS)
    return encode_png(small, image.source)
