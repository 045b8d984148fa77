"""Pixel-wise error between two pictures: MSE and PSNR."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.errors import UsageError
from vlmops.evaluators.pictures.comparison import PictureEvaluator
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Direction, Score

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    Array = Any

_BLOCK = 1 << 16


def mean_squared_error(picture: ArrayLike, reference: ArrayLike) -> float:
    """Mean squared difference over all pixels and channels: 0 is equal, lower is better.

    Equal to scikit-image's ``mean_squared_error``.

    Args:
        picture: Any shape.
        reference: The same shape.

    Raises:
        UsageError: The shapes differ or are empty.

    Example:
        >>> mean_squared_error([[0, 10]], [[0, 0]])
        50.0
    """
    import numpy as np

    left, right = same_shape(picture, reference)
    left, right = left.ravel(), right.ravel()
    total: float = 0.0
    for start in range(0, left.size, _BLOCK):
        difference = np.subtract(left[start : start + _BLOCK], right[start : start + _BLOCK], dtype=float)
        total += float(np.dot(difference, difference))
    return float(total / left.size)


def peak_signal_to_noise_ratio(
    picture: ArrayLike, reference: ArrayLike, *, data_range: float = 255.0
) -> float:
    """``10 log10(range^2 / MSE)`` in decibels: higher is better, infinity for equal pictures.

    Args:
        picture: Any shape.
        reference: The same shape.
        data_range: Greatest less least possible value: 255 for 8-bit pictures, 1 for floats in 0..1.

    Raises:
        UsageError: The shapes differ or are empty.

    Example:
        >>> round(peak_signal_to_noise_ratio([[0, 10]], [[0, 0]]), 2)
        31.14
        >>> peak_signal_to_noise_ratio([[7]], [[7]])
        inf
    """
    error = mean_squared_error(picture, reference)
    return 10 * math.log10(data_range**2 / error) if error else math.inf


def same_shape(picture: ArrayLike, reference: ArrayLike) -> tuple[Array, Array]:
    """Both as arrays.

    Raises:
        UsageError: The shapes differ or are empty.
    """
    import numpy as np

    left, right = np.asarray(picture), np.asarray(reference)
    if left.shape != right.shape or left.size == 0:
        raise UsageError(
            f"pictures to compare need one shape with pixels, not {left.shape} and {right.shape}"
        )
    return left, right


@register("mse")
@dataclass(frozen=True, kw_only=True)
class MeanSquaredError(PictureEvaluator):
    """Mean squared difference of the RGB values of two pictures: 0 is equal, 65025 the most.

    Example:
        >>> from vlmops.images import Image
        >>> import numpy as np
        >>> black = Image.from_array(np.zeros((8, 8, 3), dtype=np.uint8))
        >>> MeanSquaredError().compare(black, black).value
        0.0
    """

    default_name: ClassVar[str] = "mse"
    direction: ClassVar[Direction] = "minimize"

    def score(self, picture: Array, reference: Array) -> Score:
        """Score two arrays of one shape."""
        value = mean_squared_error(picture, reference)
        note = f"values differ by {math.sqrt(value):.2f} of 255 (root mean square)"
        return Score(self.name, value, note, self.direction, range=(0.0, 255.0**2))


@register("psnr")
@dataclass(frozen=True, kw_only=True)
class PeakSignalToNoiseRatio(PictureEvaluator):
    """Peak signal-to-noise ratio of the RGB values, in decibels; equal pictures give infinity.

    Attributes:
        ceiling: Value in place of anything higher, infinity included; for means and for platforms that store
            no infinity.

    Example:
        >>> from vlmops.images import Image
        >>> import numpy as np
        >>> black = Image.from_array(np.zeros((8, 8, 3), dtype=np.uint8))
        >>> PeakSignalToNoiseRatio(ceiling=100).compare(black, black).value
        100
    """

    default_name: ClassVar[str] = "psnr"

    ceiling: float = math.inf

    def score(self, picture: Array, reference: Array) -> Score:
        """Score two arrays of one shape."""
        value = min(peak_signal_to_noise_ratio(picture, reference), self.ceiling)
        note = "the pictures are equal" if value == self.ceiling else f"{value:.2f} dB"
        return Score(self.name, value, note, range=(0.0, self.ceiling))
