"""Structural similarity (Wang, Bovik, Sheikh and Simoncelli 2004), with numpy alone.

The picture is worked through in strips that fit the processor's cache. For 8-bit pictures and the uniform
window all sums are exact integers, built by doubling, so that a window of seven costs four additions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from vlmops.errors import UsageError
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.pictures.comparison import PictureEvaluator
from vlmops.evaluators.pictures.pixel_error import same_shape
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike

    Array = Any

Window = Literal["uniform", "gaussian"]
"""How pixels around a place are weighted."""

_K1, _K2 = 0.01, 0.03
_TRUNCATE = 3.5
_STRIP_PIXELS = 24_000
# Sums of squares over a window of this side still fit into 32 bits.
_WIDEST_EXACT = 127


def structural_similarity(
    picture: ArrayLike,
    reference: ArrayLike,
    *,
    window: Window = "gaussian",
    side: int = 7,
    sigma: float = 1.5,
    data_range: float = 255.0,
    sample_covariance: bool | None = None,
) -> float:
    """Mean structural similarity: 1 is equal, 0 unrelated, below 0 inverted; more is better.

    ``gaussian`` is the paper's definition and equals scikit-image with ``gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False``; ``uniform`` equals its default (``win_size=7``, sample covariance).
    Only places whose whole window lies in the picture count. Channels are compared one by one and averaged.

    Args:
        picture: Shape (height, width) or (height, width, channels).
        reference: The same shape.
        window: How pixels are weighted.
        side: Side of the uniform window in pixels, odd.
        sigma: Width of the Gaussian, cut at 3.5 sigma (11 pixels for 1.5).
        data_range: Greatest less least possible value: 255 for 8-bit pictures, 1 for floats in 0..1.
        sample_covariance: Divide by n - 1; by default for the uniform window only.

    Raises:
        UsageError: The shapes differ, the window is even, or larger than the picture.

    Example:
        >>> import numpy as np
        >>> ramp = np.tile(np.arange(16, dtype=np.uint8), (16, 1))
        >>> structural_similarity(ramp, ramp)
        1.0
    """
    import numpy as np

    left, right = same_shape(picture, reference)
    if left.ndim not in (2, 3):
        raise UsageError(
            f"a picture has shape (height, width) or (height, width, channels), not {left.shape}"
        )
    smoother = _Smoother.of(window, side, sigma)
    if smoother.side > min(left.shape[:2]):
        raise UsageError(f"a window of {smoother.side} pixels does not fit {left.shape[1]}x{left.shape[0]}")
    if sample_covariance is None:
        sample_covariance = window == "uniform"
    area = smoother.side**2
    norm = area / (area - 1) if sample_covariance else 1.0
    constants = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    planes = [left, right] if left.ndim == 3 else [left[..., None], right[..., None]]
    means = []
    for channel in range(planes[0].shape[2]):
        first, second = planes[0][..., channel], planes[1][..., channel]
        strips = (
            _similarity(x, y, smoother, norm, constants) for x, y in _strips(first, second, smoother.side)
        )
        total = sum(float(strip.sum()) for strip in strips)
        places = (first.shape[0] - smoother.side + 1) * (first.shape[1] - smoother.side + 1)
        means.append(total / places)
    return float(np.mean(means))


def _strips(first: Array, second: Array, side: int) -> Iterator[tuple[Array, Array]]:
    """Bands of rows that overlap by what the window needs."""
    height, width = first.shape
    rows = max(4 * side, _STRIP_PIXELS // width)
    for top in range(0, height - side + 1, rows):
        bottom = min(top + rows + side - 1, height)
        yield first[top:bottom], second[top:bottom]


def _similarity(
    x: Array, y: Array, smoother: _Smoother, norm: float, constants: tuple[float, float]
) -> Array:
    """SSIM at each place of a strip."""
    c1, c2 = constants
    x, y = smoother.prepare(x), smoother.prepare(y)
    mean_x, mean_y = smoother.mean(x), smoother.mean(y)
    product = smoother.mean(x * y)
    x *= x
    y *= y
    x += y
    squares = smoother.mean(x)
    means = mean_x * mean_y
    mean_x *= mean_x
    mean_y *= mean_y
    mean_x += mean_y
    # From here: product and squares become (co)variances, mean_x holds the sum of squared means.
    product -= means
    product *= 2 * norm
    product += c2
    squares -= mean_x
    squares *= norm
    squares += c2
    means *= 2
    means += c1
    mean_x += c1
    means *= product
    mean_x *= squares
    means /= mean_x
    return means


@dataclass(frozen=True, slots=True)
class _Smoother:
    """Weighted means over windows, at the places where the whole window lies in the picture."""

    side: int
    weights: tuple[float, ...] | None

    @classmethod
    def of(cls, window: Window, side: int, sigma: float) -> _Smoother:
        import numpy as np

        if window == "uniform":
            if side % 2 == 0 or side < 3:
                raise UsageError(f"the window's side must be odd and at least 3, not {side}")
            return cls(side, None)
        radius = int(_TRUNCATE * sigma + 0.5)
        if radius < 1:
            raise UsageError(f"sigma={sigma} is too narrow for a window")
        weights = np.exp(-0.5 / sigma**2 * np.arange(-radius, radius + 1) ** 2)
        return cls(2 * radius + 1, tuple((weights / weights.sum())[radius:].tolist()))

    def prepare(self, plane: Array) -> Array:
        """A copy in the type to compute in."""
        import numpy as np

        exact = self.weights is None and plane.dtype == np.uint8 and self.side <= _WIDEST_EXACT
        return plane.astype(np.int32 if exact else np.float64)

    def mean(self, plane: Array) -> Array:
        if self.weights is None:
            return _window_sum(_window_sum(plane, self.side).T, self.side).T * (1.0 / self.side**2)
        return self._weighted(self._weighted(plane).T).T

    def _weighted(self, plane: Array) -> Array:
        """Down the columns: the window is symmetric, so rows are added in pairs."""
        import numpy as np

        center, *others = self.weights or ()
        radius = len(others)
        height = len(plane) - 2 * radius
        result = plane[radius : radius + height] * center
        pair = np.empty_like(result)
        for distance, weight in enumerate(others, start=1):
            above, below = radius - distance, radius + distance
            np.add(plane[above : above + height], plane[below : below + height], out=pair)
            pair *= weight
            result += pair
        return result


def _window_sum(plane: Array, side: int) -> Array:
    """Sums of ``side`` rows on end, by doubling."""
    places = len(plane) - side + 1
    total, start, power, sums = None, 0, 1, plane
    while True:
        if side & power:
            part = sums[start : start + places]
            total = part if total is None else total + part
            start += power
        if power * 2 > side:
            return total
        sums = sums[:-power] + sums[power:]
        power *= 2


@register("ssim")
@dataclass(frozen=True, kw_only=True)
class StructuralSimilarity(PictureEvaluator):
    """Structural similarity of two pictures: 1 is equal; follows edges and contrast rather than exact values.

    Attributes:
        window: ``gaussian`` as in the paper, ``uniform`` as in scikit-image's default.

    Example:
        >>> from vlmops.images import Image
        >>> import numpy as np
        >>> black = Image.from_array(np.zeros((16, 16, 3), dtype=np.uint8))
        >>> StructuralSimilarity().compare(black, black).value
        1.0
    """

    default_name: ClassVar[str] = "ssim"

    window: Window = "gaussian"

    def score(self, picture: Array, reference: Array) -> Score | Failure:
        """Score two arrays of one shape."""
        try:
            value = structural_similarity(picture, reference, window=self.window)
        except UsageError as error:
            return self.failure(FailureKind.BAD_IMAGE, str(error))
        return Score(self.name, value, f"similarity {value:.3f}, {self.window} window", range=(-1.0, 1.0))
