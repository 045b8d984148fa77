"""Haar wavelets in two dimensions, equal to PyWavelets' to the last bit; the cosine transform says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Array = Any

_C = 0.7071067811865476


def haar_low(values: Array, levels: int) -> Array:
    """Approximation coefficients after so many levels; each halves both sides.

    Args:
        values: Shape (n, n), n a multiple of ``2 ** levels``.
        levels: How many.

    Example:
        >>> import numpy as np
        >>> haar_low(np.ones((2, 2)), 1).round(9).tolist()
        [[2.0]]
    """
    for _ in range(levels):
        values = _split(values)[0]
    return values


def without_mean(values: Array) -> Array:
    """The picture less its coarsest coefficient, which is its mean.

    Args:
        values: Shape (n, n), n a power of two.

    Example:
        >>> import numpy as np
        >>> without_mean(np.ones((2, 2))).round(9).tolist()
        [[0.0, 0.0], [0.0, 0.0]]
    """
    low, *details = _split(values)
    low = without_mean(low) if len(low) > 1 else low * 0
    return _join(low, *details)


def _split(values: Array) -> tuple[Array, Array, Array, Array]:
    """Low-low, low-high, high-low and high-high: first down the columns, then along the rows."""
    top, bottom = values[0::2], values[1::2]
    low, high = _C * bottom + _C * top, -_C * bottom + _C * top
    return (
        _C * low[:, 1::2] + _C * low[:, 0::2],
        -_C * low[:, 1::2] + _C * low[:, 0::2],
        _C * high[:, 1::2] + _C * high[:, 0::2],
        -_C * high[:, 1::2] + _C * high[:, 0::2],
    )


def _join(low_low: Array, low_high: Array, high_low: Array, high_high: Array) -> Array:
    """The inverse of :func:`_split`."""
    import numpy as np

    size = len(low_low)
    low, high = np.empty((size, 2 * size)), np.empty((size, 2 * size))
    for side, average, detail in ((low, low_low, low_high), (high, high_low, high_high)):
        side[:, 0::2] = _C * average + _C * detail
        side[:, 1::2] = _C * average - _C * detail
    result = np.empty((2 * size, 2 * size))
    result[0::2] = _C * low + _C * high
    result[1::2] = _C * low - _C * high
    return result
