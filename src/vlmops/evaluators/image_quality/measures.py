"""Figures of a picture's technical quality: sharpness, brightness, contrast, emptiness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    Array = Any

_LUMA = (0.299, 0.587, 0.114)
_SHADOW, _HIGHLIGHT = 8, 247
_LONGEST = 1024


def luminance(picture: ArrayLike) -> Array:
    """Brightness of each pixel, 0..255, weighted as in ITU-R BT.601.

    Args:
        picture: uint8, shape (height, width) or (height, width, 3).

    Raises:
        UsageError: The array is not a picture, or empty.

    Example:
        >>> luminance([[[255, 255, 255]]]).round(6).tolist()
        [[255.0]]
    """
    import numpy as np

    pixels = np.asarray(picture)
    if pixels.size == 0 or pixels.ndim not in (2, 3):
        raise UsageError(f"a picture has shape (height, width) or (height, width, 3), not {pixels.shape}")
    return pixels.astype(float) if pixels.ndim == 2 else pixels[..., :3] @ np.array(_LUMA)


def laplacian_variance(gray: ArrayLike) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al. 2000): more is sharper; blurred pictures are under 100.

    The kernel is the four-neighbour one, borders are mirrored, as in OpenCV's ``Laplacian(...).var()``. The
    figure grows with the picture's size and its detail: compare like with like.

    Args:
        gray: Brightness 0..255, shape (height, width), both at least 2.

    Example:
        >>> laplacian_variance([[5, 5, 5], [5, 5, 5], [5, 5, 5]])
        0.0
    """
    import numpy as np

    padded = np.pad(np.asarray(gray, dtype=float), 1, mode="reflect")
    center = padded[1:-1, 1:-1]
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    return float((around - 4 * center).var())


@dataclass(frozen=True, slots=True)
class QualityMeasures:
    """Technical quality of one picture.

    Attributes:
        width: In pixels, upright.
        height: In pixels.
        sharpness: Variance of the Laplacian, measured on at most 1024 pixels of the longer side.
        brightness: Mean luminance, 0..1.
        contrast: Standard deviation of the luminance, 0..0.5 (RMS contrast, Peli 1990).
        shadows: Share of the pixels that are nearly black (under 8 of 255).
        highlights: Share of the pixels that are nearly white (over 247 of 255).
        dominant: Share of the pixels within 4 levels of the median luminance: near 1 is a blank picture.
    """

    width: int
    height: int
    sharpness: float
    brightness: float
    contrast: float
    shadows: float
    highlights: float
    dominant: float


def measure_quality(picture: ArrayLike) -> QualityMeasures:
    """All measures of a picture.

    Args:
        picture: uint8, shape (height, width) or (height, width, 3).

    Raises:
        UsageError: The array is not a picture, or under 2 pixels on a side.

    Example:
        >>> import numpy as np
        >>> measure_quality(np.full((8, 8, 3), 255, np.uint8)).highlights
        1.0
    """
    import numpy as np

    gray = luminance(picture)
    height, width = gray.shape
    if min(height, width) < 2:
        raise UsageError(f"a picture of {width}x{height} is too small to measure")
    values = np.bincount(gray.round().astype(int).ravel(), minlength=256) / gray.size
    median = int(np.searchsorted(np.cumsum(values), 0.5))
    return QualityMeasures(
        width=width,
        height=height,
        sharpness=laplacian_variance(_reduced(gray)),
        brightness=float(gray.mean() / 255),
        contrast=float(gray.std() / 255),
        shadows=float(values[:_SHADOW].sum()),
        highlights=float(values[_HIGHLIGHT + 1 :].sum()),
        dominant=float(min(values[max(median - 4, 0) : median + 5].sum(), 1.0)),
    )


def _reduced(gray: Array) -> Array:
    """Averaged by whole factors, so that sharpness does not depend on the camera's resolution alone."""
    factor = -(-max(gray.shape) // _LONGEST)
    height, width = (max(side // factor, 2) * factor for side in gray.shape)
    if factor == 1 or height > gray.shape[0] or width > gray.shape[1]:
        return gray
    blocks = gray[:height, :width].reshape(height // factor, factor, width // factor, factor)
    return blocks.mean(axis=(1, 3))
