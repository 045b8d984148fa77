"""The discrete cosine transform of type II, equal to scipy's to the last bit for lengths of powers of two.

A perceptual hash compares coefficients with their median. In pictures with symmetries or flat areas many
coefficients are zero but for rounding, so that rounding decides bits; to agree with hashes made elsewhere,
the same operations have to be done in the same order. They are those of pocketfft, of which numpy's real
transform is made as well.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Array = Any


def cosine_transform(values: Array, axis: int = -1) -> Array:
    """Unnormalised DCT-II along an axis of even length, ``scipy.fftpack.dct(values, axis=axis)``.

    Args:
        values: Real numbers.
        axis: Along which axis.

    Example:
        >>> import numpy as np
        >>> cosine_transform(np.array([1.0, 1.0])).tolist()
        [4.0, 0.0]
    """
    import numpy as np

    c = np.moveaxis(np.array(values, dtype=float), axis, -1).copy()
    length = c.shape[-1]
    half = length // 2
    c[..., 0] *= 2
    c[..., -1] *= 2
    odd, even = c[..., 1:-1:2].copy(), c[..., 2::2].copy()
    c[..., 2::2] = even - odd
    c[..., 1:-1:2] = odd + even
    spectrum = np.empty((*c.shape[:-1], half + 1), dtype=complex)
    spectrum.real[..., 0], spectrum.real[..., half] = c[..., 0], c[..., -1]
    spectrum.real[..., 1:half], spectrum.imag[..., 1:half] = c[..., 1:-1:2], c[..., 2:-1:2]
    spectrum.imag[..., [0, half]] = 0.0
    c = np.fft.irfft(spectrum, n=length, norm="forward")
    cosines = np.array(_cosines(length))
    near, far = cosines[: half - 1], cosines[: half - 1 : -1]
    low, high = c[..., 1:half].copy(), c[..., :half:-1].copy()
    first = near * high + far * low
    second = near * low - far * high
    c[..., 1:half] = 0.5 * (first + second)
    c[..., :half:-1] = 0.5 * (first - second)
    c[..., half] *= cosines[half - 1]
    return np.moveaxis(c, -1, axis)


@cache
def _cosines(length: int) -> tuple[float, ...]:
    """``cos(2 pi k / (4 length))`` for k = 1 .. length-1, as products of two table values."""
    circle = 4 * length
    entries = (circle + 2) // 2
    shift = 1
    while 4**shift < entries:
        shift += 1
    width = 2**shift
    fine = [_on_circle(k, circle) for k in range(width)]
    coarse = [_on_circle(k * width, circle) for k in range((entries + width - 1) // width)]
    table = []
    for k in range(1, length):
        (cos_a, sin_a), (cos_b, sin_b) = fine[k % width], coarse[k // width]
        table.append(cos_a * cos_b - sin_a * sin_b)
    return tuple(table)


def _on_circle(k: int, circle: int) -> tuple[float, float]:
    """Cosine and sine of ``k / circle`` of a turn, from the nearest eighth, where they are most exact."""
    if k == 0:
        return 1.0, 0.0
    angle = 0.25 * math.pi / circle
    eighths = 8 * k
    if eighths < circle:
        return math.cos(eighths * angle), math.sin(eighths * angle)
    if eighths < 2 * circle:
        rest = (2 * circle - eighths) * angle
        return math.sin(rest), math.cos(rest)
    eighths -= 2 * circle
    if eighths < circle:
        return -math.sin(eighths * angle), math.cos(eighths * angle)
    rest = (2 * circle - eighths) * angle
    return -math.cos(rest), math.sin(rest)
