"""The size a model sees: what it does to a picture before looking at it.

Models that answer in pixels mean pixels of the picture they saw, so its size decides where a box lies. Every
function here is pure: width and height in, width and height out. A size measured by the server (the grid that
a processor reports) always wins over these.

Sources: ``smart_resize`` in transformers 5.23 (Qwen2-VL image processor) and qwen-vl-utils 0.0.14; the
reference implementation under "Coordinates and bounding boxes" in the Claude documentation; for the others
see each. Arithmetic and rounding are those of the sources, floating point included.
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


def tile_fit(size: Size, *, max_side: int = 2048, short_side: int = 768) -> Size:
    """Size that OpenAI's tiled models shrink a picture to: both limits kept, never enlarged, rounded down.

    Source: LiteLLM 1.109 ``token_counter.py``; OpenAI's guide to images.

    Args:
        size: Width and height of the oriented original.
        max_side: Greatest length of the longer side.
        short_side: Greatest length of the shorter side.

    Raises:
        UsageError: A side is not positive.

    Example:
        >>> tile_fit((2048, 4096))
        (768, 1536)
    """
    width, height = _positive(size)
    scale = min(1.0, max_side / max(size), short_side / min(size))
    return max(1, math.floor(width * scale)), max(1, math.floor(height * scale))


def patch_fit(size: Size, *, patch: int = 32, max_side: int | None, max_patches: int | None) -> Size:
    """Size that OpenAI's patched models shrink a picture to, so that whole patches fill one side.

    First the longer side is brought to ``max_side``; if more than ``max_patches`` patches still cover the
    picture, it is shrunk so that either its width or its height is a whole number of patches.

    Source: OpenAI's guide to images; LiteLLM 1.109 ``token_counter.py``.

    Args:
        size: Width and height of the oriented original.
        patch: Side of a patch.
        max_side: Greatest length of the longer side; ``None`` for no limit.
        max_patches: Greatest number of patches; ``None`` for no limit.

    Raises:
        UsageError: A side is not positive.

    Example:
        >>> patch_fit((1800, 2400), max_side=2048, max_patches=1536)
        (1056, 1408)
    """
    width, height = longest_side_fit(size, max_side) if max_side is not None else _positive(size)
    if max_patches is None or math.ceil(width / patch) * math.ceil(height / patch) <= max_patches:
        return width, height
    shrink = math.sqrt(patch**2 * max_patches / (width * height))
    columns, rows = width * shrink / patch, height * shrink / patch
    aligned = shrink * min(math.floor(columns) / columns, math.floor(rows) / rows)
    return max(1, math.floor(width * aligned)), max(1, math.floor(height * aligned))


def longest_side_fit(size: Size, max_side: int) -> Size:
    """Size shrunk so that the longer side is within the limit, both sides rounded to the nearest pixel.

    Raises:
        UsageError: A side is not positive.

    Example:
        >>> longest_side_fit((4000, 3000), 2048)
        (2048, 1536)
        >>> longest_side_fit((640, 480), 2048)
        (640, 480)
    """
    width, height = _positive(size)
    scale = min(1.0, max_side / max(size))
    return max(1, round(width * scale)), max(1, round(height * scale))


def whole_patch_fit(size: Size, *, max_side: int, patch: int) -> Size:
    """Size that Pixtral and later Mistral processors resize to: within a square, in whole patches.

    Source: transformers 5.23 ``get_resize_output_image_size`` of Pixtral.

    Args:
        size: Width and height of the oriented original.
        max_side: Side of the square.
        patch: Side of a patch after merging: 16 for Pixtral, 28 for later models.

    Raises:
        UsageError: A side is not positive.

    Example:
        >>> whole_patch_fit((2000, 1000), max_side=1024, patch=16)
        (1024, 512)
    """
    width, height = _positive(size)
    ratio = max(height / max_side, width / max_side)
    if ratio > 1:
        width, height = math.floor(width / ratio), math.floor(height / ratio)
    # A side that rounds to nothing still takes one patch.
    return max(1, math.ceil(width / patch)) * patch, max(1, math.ceil(height / patch)) * patch


def budget_fit(size: Size, *, cell: int, max_cells: int) -> Size:
    """Size that Gemma 4 processors resize to: as many whole cells as the budget holds, small ones enlarged.

    Source: transformers 5.23 ``get_aspect_ratio_preserving_size`` of Gemma 4.

    Args:
        size: Width and height of the oriented original.
        cell: Side of a cell, the patches that are pooled into one token.
        max_cells: Greatest number of cells.

    Raises:
        UsageError: A side is not positive.

    Example:
        >>> budget_fit((1000, 1000), cell=48, max_cells=280)
        (768, 768)
    """
    width, height = _positive(size)
    factor = math.sqrt(max_cells * cell**2 / (width * height))
    columns, rows = math.floor(factor * width / cell), math.floor(factor * height / cell)
    if rows == 0:
        columns, rows = min(width // height, max_cells), 1
    elif columns == 0:
        columns, rows = 1, min(height // width, max_cells)
    return columns * cell, rows * cell


def padded_fit(size: Size, *, patch: int, merge: int, max_patches: int, max_side_patches: int) -> Size:
    """Size that Kimi processors bring a picture to: shrunk to two limits, then padded to whole cells.

    Source: transformers 5.23 ``navit_resize`` of Kimi K2.5.

    Args:
        size: Width and height of the oriented original.
        patch: Side of a patch.
        merge: How many patches a side make one token.
        max_patches: Greatest number of patches.
        max_side_patches: Greatest number of patches along one side.

    Raises:
        UsageError: A side is not positive.

    Example:
        >>> padded_fit((1920, 1080), patch=14, merge=2, max_patches=16384, max_side_patches=512)
        (1932, 1092)
    """
    width, height = _positive(size)
    patches = max(1.0, width // patch) * max(1.0, height // patch)
    longest = max_side_patches * patch
    scale = min(1.0, math.sqrt(max_patches / patches), longest / height, longest / width)
    cell = merge * patch
    columns, rows = (math.ceil(min(max(1, int(side * scale)), longest) / cell) for side in (width, height))
    return columns * cell, rows * cell


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
