"""Where two pictures differ, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.evaluators.pictures.comparison import PictureEvaluator
from vlmops.evaluators.pictures.pixel_error import same_shape
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Direction, Score

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    Array = Any

TOLERANCE = 16
"""Levels of 255 by which a channel may differ unnoticed, about what JPEG at quality 90 changes."""

# Black to red to yellow to white: brighter is more, also in grey print.
_HEAT = ((0, 0, 0), (160, 0, 0), (255, 110, 0), (255, 220, 60), (255, 255, 255))
_FADE = 0.35


def pixel_difference(picture: ArrayLike, reference: ArrayLike) -> Array:
    """Greatest difference of any channel at each pixel.

    Args:
        picture: uint8, shape (height, width) or (height, width, channels).
        reference: The same shape.

    Returns:
        Shape (height, width), uint8, 0 where equal.

    Raises:
        UsageError: The shapes differ or are empty.

    Example:
        >>> import numpy as np
        >>> pixel_difference(np.array([[[1, 2, 3]]], np.uint8), np.array([[[1, 9, 0]]], np.uint8)).tolist()
        [[7]]
    """
    import numpy as np

    left, right = same_shape(picture, reference)
    apart = np.where(left > right, left - right, right - left).astype(np.uint8)
    return apart if apart.ndim == 2 else apart.max(axis=2)


def heat_map(picture: ArrayLike, reference: ArrayLike) -> Array:
    """The differences in heat colours over the reference, faded and grey.

    Differences are scaled to the greatest one, but to 64 levels at least, so that noise does not glow.

    Returns:
        Shape (height, width, 3), uint8.

    Raises:
        UsageError: The shapes differ or are empty.

    Example:
        >>> import numpy as np
        >>> heat_map(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 3), np.uint8)).shape
        (2, 2, 3)
    """
    import numpy as np

    apart = pixel_difference(picture, reference).astype(float)
    _, right = same_shape(picture, reference)
    gray = (right if right.ndim == 2 else right.mean(axis=2))[..., None] * _FADE
    share = apart / max(apart.max(), 64.0)
    stops = np.linspace(0.0, 1.0, len(_HEAT))
    heat = np.stack([np.interp(share, stops, channel) for channel in zip(*_HEAT, strict=True)], axis=-1)
    weight = np.clip(share * 4, 0.0, 1.0)[..., None]
    return (gray * (1 - weight) + heat * weight).astype(np.uint8)


@register("pixel_difference")
@dataclass(frozen=True, kw_only=True)
class PixelDifference(PictureEvaluator):
    """Share of the pixels that differ visibly from the expected picture: 0 is equal, lower is better.

    Attributes:
        tolerance: Levels of 255 by which every channel may differ.

    Example:
        >>> from vlmops.images import Image
        >>> import numpy as np
        >>> black = Image.from_array(np.zeros((8, 8, 3), dtype=np.uint8))
        >>> PixelDifference().compare(black, black).explanation
        '0.00% of the pixels differ by more than 16, the most by 0'
    """

    default_name: ClassVar[str] = "pixel_difference"
    direction: ClassVar[Direction] = "minimize"

    tolerance: int = TOLERANCE

    def score(self, picture: Array, reference: Array) -> Score:
        """Score two arrays of one shape."""
        apart = pixel_difference(picture, reference)
        value = float((apart > self.tolerance).mean())
        note = (
            f"{value:.2%} of the pixels differ by more than {self.tolerance}, the most by {int(apart.max())}"
        )
        metadata = {"mean_difference": float(apart.mean()), "greatest_difference": int(apart.max())}
        return Score(self.name, value, note, self.direction, metadata=metadata)
