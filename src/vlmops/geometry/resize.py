"""The size a model sees: what it does to a picture before looking at it.

Models that answer in pixels mean pixels of the picture they saw, so its size decides where a box lies. Every
function here is pure: width and height in, width and height out. A size measured by the server (the grid that
a processor reports) always wins over these.

Sources: ``smart_resize`` in transformers 5.23 (Qwen2-VL image processor) and qwen-vl-utils 0.0.14; the
reference implementation under "Coordinates and bounding boxes" in the Claude documentation.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vlmops.geometry.box import Size

QWEN_MIN_PIXELS = 56 * 56
"""Least number of pixels a Qwen2-VL processor lets through, by default."""

QWEN_MAX_PIXELS = 28 * 28 * 1280
"""Greatest number of pixels a Qwen2-VL processor lets through, by default."""

_QWEN_MAX_ASPECT = 200
_CLAUDE_PATCH = 28


def smart_resize(
    size: Size,
    *,
    factor: int = 28,
    min_pixels: int = QWEN_MIN_PIXELS,
    max_pixels: int = QWEN_MAX_PIXELS,
) -> Size:
    """Size that a Qwen-VL processor resizes a picture to: multiples of ``factor`` within a pixel budget.

    Both sides are rounded to the nearest multiple; over the budget both are scaled and rounded down, under it
    both are scaled and rounded up. Rounding is Python's (half to even), as in the source.

    Args:
        size: Width and height of the oriented original.
        factor: 28 for Qwen2-VL and Qwen2.5-VL, 32 for Qwen3-VL and 3.5.
        min_pixels: Least area.
        max_pixels: Greatest area.

    Raises:
        UsageError: A side is not positive, the aspect ratio is over 200, or the budget is upside down.

    Example:
        >>> smart_resize((1920, 1080))
        (1316, 728)
        >>> smart_resize((20, 20))
        (56, 56)
    """
    width, height = _positive(size)
    if min_pixels > max_pixels:
        raise UsageError(f"min_pixels={min_pixels} is more than max_pixels={max_pixels}")
    if max(size) / min(size) > _QWEN_MAX_ASPECT:
        raise UsageError(
            f"a Qwen-VL processor refuses {width}x{height}: one side is over 200 times the other"
        )
    seen_width, seen_height = round(width / factor) * factor, round(height / factor) * factor
    if seen_width * seen_height > max_pixels:
        shrink = math.sqrt(width * height / max_pixels)
        return (
            max(factor, math.floor(width / shrink / factor) * factor),
            max(factor, math.floor(height / shrink / factor) * factor),
        )
    if seen_width * seen_height < min_pixels:
        grow = math.sqrt(min_pixels / (width * height))
        return math.ceil(width * grow / factor) * factor, math.ceil(height * grow / factor) * factor
    return seen_width, seen_height


def claude_fit(size: Size, *, max_edge: int = 1568, max_tokens: int = 1568) -> Size:
    """Size that Claude resizes a picture to: the largest of the same aspect that keeps both limits.

    The edge limit holds for the sides padded to multiples of 28, the token limit for
    ``ceil(w / 28) * ceil(h / 28)``. Coordinates are relative to this size, not to the padded one. A picture
    within both limits keeps its size.

    Args:
        size: Width and height of the oriented original.
        max_edge: 1568 px on the standard tier, 2576 px on the high-resolution tier (from 4.7 on).
        max_tokens: 1568 on the standard tier, 4784 on the high-resolution tier.

    Raises:
        UsageError: A side is not positive.

    Example:
        >>> claude_fit((1920, 1080))
        (1456, 819)
        >>> claude_fit((3840, 2160), max_edge=2576, max_tokens=4784)
        (2576, 1449)
    """
    width, height = _positive(size)
    if _fits_claude(width, height, max_edge, max_tokens):
        return width, height
    if height > width:
        seen_height, seen_width = claude_fit((height, width), max_edge=max_edge, max_tokens=max_tokens)
        return seen_width, seen_height
    # Dividing by the ratio, not multiplying by its inverse: the reference's rounding at exact halves.
    aspect = width / height
    fits, too_large = 1, width
    while fits + 1 < too_large:
        middle = (fits + too_large) // 2
        if _fits_claude(middle, max(round(middle / aspect), 1), max_edge, max_tokens):
            fits = middle
        else:
            too_large = middle
    return fits, max(round(fits / aspect), 1)


def seen_size(resize: str, size: Size) -> Size:
    """Size after the named resize (a key of :data:`RESIZES`).

    Raises:
        UsageError: The resize is unknown or refuses the size.

    Example:
        >>> seen_size("qwen-28", (640, 480))
        (644, 476)
    """
    if resize not in RESIZES:
        raise UsageError(f"no resize is named {resize!r}; there are: {', '.join(sorted(RESIZES))}")
    return RESIZES[resize](size)


def _fits_claude(width: int, height: int, max_edge: int, max_tokens: int) -> bool:
    columns, rows = math.ceil(width / _CLAUDE_PATCH), math.ceil(height / _CLAUDE_PATCH)
    within_edge = max(columns, rows) * _CLAUDE_PATCH <= max_edge
    return within_edge and columns * rows <= max_tokens


def _positive(size: Size) -> Size:
    if min(size) <= 0:
        raise UsageError(f"a picture needs positive sides, not {size[0]}x{size[1]}")
    return size


RESIZES: Mapping[str, Callable[[Size], Size]] = {
    "claude-high": lambda size: claude_fit(size, max_edge=2576, max_tokens=4784),
    "claude-standard": claude_fit,
    "qwen-28": smart_resize,
    "qwen-32": lambda size: smart_resize(size, factor=32),
}
"""Resizes by the name that a :class:`~vlmops.geometry.Convention` gives, at the default limits."""
