"""Decoded pixels: turning them upright and converting between pixel formats without losing meaning."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from vlmops.errors import ImageError

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

WIDE_MODES = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
"""Pillow's modes of 16 bits per channel."""

UNRANGED_MODES = frozenset({"I", "F"})
"""Pillow's modes whose values have no fixed black and white."""

ALPHA_MODES = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})
"""Pillow's modes with a channel of transparency."""

SCREEN_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA"})
"""Pillow's modes that need no conversion to be shown."""

_KEPT_INFO = ("icc_profile", "transparency")
_EIGHT_BIT_FIX = "scale its values to 8 bits yourself, then use Image.from_array"


def upright(image: PILImage, orientation: int) -> PILImage:
    """Turn stored pixels the way they are seen, and drop the metadata Pillow carries along.

    Orientations as in Exif 2.32: 1 upright, 2 mirrored, 3 half turn, 4 flipped, 5 transposed, 6 to be
    turned clockwise, 7 transversed, 8 to be turned counter-clockwise.
    """
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    # What Pillow copies with `_new` are names and sizes; `copy` would also copy every pixel.
    turned = image.transpose(turns[orientation]) if orientation in turns else image._new(image.im)
    turned.info = {key: value for key, value in image.info.items() if key in _KEPT_INFO}
    return turned


def convert(image: PILImage, mode: str, source: str) -> PILImage:
    """Convert to another Pillow mode; 16-bit values are scaled and transparency is laid on white.

    Raises:
        ImageError: The values have no fixed range (32-bit integers and floats), or there is no such mode.
    """
    if image.mode == mode:
        return image
    if mode not in UNRANGED_MODES:
        image = to_screen(image, source)
    if has_alpha(image) and mode not in ALPHA_MODES:
        image = _on_white(image)
    try:
        return image if image.mode == mode else image.convert(mode)
    except ValueError as error:
        raise ImageError(source, f"cannot be converted from {image.mode} to {mode}: {error}") from None


def to_screen(image: PILImage, source: str) -> PILImage:
    """What a screen shows: 8 bits a channel, RGB, grey or palette; the same object if it is that already.

    Print colours (CMYK) are converted by their colour profile where there is a usable one.

    Raises:
        ImageError: The values have no fixed range (32-bit integers and floats).
    """
    if image.mode in SCREEN_MODES:
        return image
    if image.mode in UNRANGED_MODES:
        raise ImageError(
            source, f"its values are 32-bit ({image.mode}) and have no fixed black and white", _EIGHT_BIT_FIX
        )
    if image.mode in WIDE_MODES:
        return _eight_bit(image)
    if image.mode == "CMYK" and image.info.get("icc_profile"):
        return _by_profile(image)
    converted = image.convert("RGBA" if has_alpha(image) else "RGB")
    converted.info.pop("icc_profile", None)
    return converted


def _by_profile(image: PILImage) -> PILImage:
    from io import BytesIO

    from PIL import ImageCms

    converted: PILImage | None
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(image.info["icc_profile"]))
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        converted = None
    if converted is None:
        converted = image.convert("RGB")
    converted.info.pop("icc_profile", None)
    return converted


def has_alpha(image: PILImage) -> bool:
    """Whether any pixel could be transparent."""
    return image.mode in ALPHA_MODES or "transparency" in image.info


def _eight_bit(image: PILImage) -> PILImage:
    import numpy as np
    import PIL.Image

    # Pillow's own conversion clips everything above 255 to white.
    values = np.asarray(image)
    return PIL.Image.fromarray((values // 257).astype(np.uint8))


def _on_white(image: PILImage) -> PILImage:
    import PIL.Image

    layer = image.convert("RGBA")
    paper = PIL.Image.new("RGBA", layer.size, "white")
    paper.alpha_composite(layer)
    return paper.convert("RGB")


def pixel_hash(image: PILImage) -> str:
    """Hash upright pixels, so that lossless copies in another container or mode agree.

    Grey, palette and one-bit pictures hash as the RGB they show; fully opaque transparency is left out;
    values beyond 8 bits hash as they are. The colour profile is not part of it.
    """
    if image.mode not in WIDE_MODES | UNRANGED_MODES:
        shown = "RGBA" if has_alpha(image) else "RGB"
        # Pillow copies also where there is nothing to convert.
        image = image if image.mode == shown else image.convert(shown)
        if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
            image = image.convert("RGB")
    digest = hashlib.sha256(f"{image.mode} {image.width}x{image.height}\n".encode())
    digest.update(image.tobytes())
    return digest.hexdigest()
