"""New encoded bytes for pixels that cannot stay as they are: another type, size, or number of bytes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from vlmops.errors import ImageError
from vlmops.images.pillow import decoding
from vlmops.images.pixels import WIDE_MODES, convert, has_alpha, to_screen

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

_LOWEST_QUALITY = 60
_QUALITY_STEP = 10
_SMALLEST_SIDE = 16
_SHRINK_MARGIN = 0.95


@dataclass(frozen=True, slots=True)
class Encoding:
    """How pixels are to be encoded.

    Attributes:
        media_type: ``image/png``, ``image/jpeg`` or ``image/webp``.
        quality: Of JPEG and lossy WebP, 1..100.
        lossless: Whether WebP keeps every pixel's value.
        screen_pixels: Whether to convert to what a screen shows: 8 bits, RGB or grey.
    """

    media_type: str
    quality: int = 90
    lossless: bool = False
    screen_pixels: bool = True


def encode(image: PILImage, encoding: Encoding, source: str) -> bytes:
    """Encode upright pixels; the colour profile stays, other metadata is not written.

    Raises:
        ImageError: The values have no fixed range, so that 8 bits would be a guess.
    """
    image = _writable(image, encoding, source)
    options: dict[str, Any] = {"icc_profile": image.info.get("icc_profile")}
    if encoding.media_type == "image/jpeg":
        options |= {"quality": encoding.quality}
    elif encoding.media_type == "image/webp":
        options |= {"quality": encoding.quality, "lossless": encoding.lossless, "exact": encoding.lossless}
    out = BytesIO()
    with decoding(source, "a picture", "report this picture's kind"):
        image.save(out, encoding.media_type.removeprefix("image/").upper(), **options)
    return out.getvalue()


def _writable(image: PILImage, encoding: Encoding, source: str) -> PILImage:
    """The same pixels in a mode that the target format has."""
    if encoding.screen_pixels or image.mode not in WIDE_MODES or encoding.media_type != "image/png":
        image = to_screen(image, source)
    if encoding.media_type == "image/jpeg":
        return convert(image, "L" if image.mode in ("1", "L") else "RGB", source)
    if encoding.media_type == "image/webp":
        return convert(image, "RGBA" if has_alpha(image) else "RGB", source)
    return image


def fit(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Width and height within ``side`` x ``side`` in the same proportion, at least 1; never larger.

    Example:
        >>> fit((4000, 3000), 1024), fit((10, 10), 1024)
        ((1024, 768), (10, 10))
    """
    longest = max(size)
    if longest <= side:
        return size
    return max(1, round(size[0] * side / longest)), max(1, round(size[1] * side / longest))


def resize(image: PILImage, size: tuple[int, int], source: str) -> PILImage:
    """Resample with Lanczos; palettes and single bits become colours and greys, which can be averaged.

    Raises:
        ImageError: The values have no fixed range.
    """
    from PIL.Image import Resampling

    if image.size == size:
        return image
    image = to_screen(image, source)
    if "transparency" in image.info or image.mode in ("P", "PA"):
        image = convert(image, "RGBA" if has_alpha(image) else "RGB", source)
    elif image.mode == "1":
        image = convert(image, "L", source)
    return image.resize(size, Resampling.LANCZOS)


def encode_within(image: PILImage, encoding: Encoding, max_bytes: int, source: str) -> bytes:
    """Encode to at most ``max_bytes``: as it is, then at lower quality, then smaller.

    A PNG is made smaller at once: it has no quality to lower, and another type would lose what it was
    chosen for.

    Raises:
        ImageError: Even the smallest picture has more bytes.
    """
    data = encode(image, encoding, source)
    quality = encoding.quality
    while len(data) > max_bytes and quality > _LOWEST_QUALITY and _is_lossy(encoding):
        quality = max(_LOWEST_QUALITY, quality - _QUALITY_STEP)
        data = encode(image, _with_quality(encoding, quality), source)
    while len(data) > max_bytes:
        side = max(image.size)
        if side <= _SMALLEST_SIDE:
            raise ImageError(source, f"cannot be encoded in {max_bytes:,} bytes", "raise max_bytes")
        factor = math.sqrt(max_bytes / len(data)) * _SHRINK_MARGIN
        side = max(_SMALLEST_SIDE, min(side - 1, int(side * factor)))
        image = resize(image, fit(image.size, side), source)
        data = encode(image, _with_quality(encoding, quality), source)
    return data


def _is_lossy(encoding: Encoding) -> bool:
    return encoding.media_type == "image/jpeg" or (
        encoding.media_type == "image/webp" and not encoding.lossless
    )


def _with_quality(encoding: Encoding, quality: int) -> Encoding:
    return Encoding(encoding.media_type, quality, encoding.lossless, encoding.screen_pixels)
