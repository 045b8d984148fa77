"""Correlation of two rankings or ratings: Pearson, Spearman, Kendall, weighted Kendall.

Definitions are those of ``scipy.stats``. All take two sequences of equal length and give a value in [-1, 1];
1 is perfect agreement in order. The value is NaN where it is undefined: fewer than two pairs, a constant
sequence, or a NaN among the numbers.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from typing import TYPE_CHECKING, Any, Literal

from vlmops.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

    Array = np.ndarray[Any, np.dtype[Any]]

KendallVariant = Literal["b", "c"]
"""``"b"`` corrects for ties in both sequences; ``"c"`` suits scales with different numbers of levels."""

_BLOCK_CELLS = 4_000_000


def average_ranks(values: ArrayLike) -> Array:
    """Ranks from 1, lowest value first; equal values share the mean of their ranks.

    Example:
        >>> average_ranks([10, 30, 30, 20]).tolist()
        [1.0, 3.5, 3.5, 2.0]
    """
    import numpy as np

    _, group, sizes = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    ranks: Array = (last - (sizes - 1) / 2)[group]
    return ranks


def pearson(x: ArrayLike, y: ArrayLike) -> float:
    """Linear correlation coefficient.

    Raises:
        UsageError: The sequences differ in length.

    Example:
        >>> round(pearson([1, 2, 3], [1, 2, 4]), 4)
        0.982
    """
    import numpy as np

    a, b = _paired(x, y)
    if len(a) < 2:
        return math.nan
    a, b = a - a.mean(), b - b.mean()
    spread = float(np.linalg.norm(a)) * float(np.linalg.norm(b))
    if spread == 0 or not math.isfinite(spread):
        return math.nan
    return min(1.0, max(-1.0, float(a @ b) / spread))


def spearman(x: ArrayLike, y: ArrayLike) -> float:
    """Spearman's rho: the Pearson correlation of average ranks.

    Raises:
        UsageError: The sequences differ in length.

    Example:
        >>> round(spearman([1, 2, 3, 4], [1, 3, 2, 4]), 4)
        0.8
    """
    import numpy as np

    a, b = _paired(x, y)
    if np.isnan(a).any() or np.isnan(b).any():
        return math.nan
    return pearson(average_ranks(a), average_ranks(b))


def kendall_tau(x: ArrayLike, y: ArrayLike, variant: KendallVariant = "b") -> float:
    """Kendall's tau: concordant minus discordant pairs, over the pairs that could be either.

    Time is O(n log n) comparisons (Knight, JASA 1966).

    Args:
        x: First ranking.
        y: Second ranking, in the same order of items.
        variant: How ties are corrected for.

    Raises:
        UsageError: The sequences differ in length, or the variant is unknown.

    Example:
        >>> round(kendall_tau([1, 2, 3, 4], [1, 3, 2, 4]), 4)
        0.6667
    """
    import numpy as np

    if variant not in ("b", "c"):
        raise UsageError(f"no Kendall tau is called {variant!r}; use 'b' or 'c'")
    a, b = _paired(x, y)
    n = len(a)
    if n < 2 or np.isnan(a).any() or np.isnan(b).any():
        return math.nan
    pairs = n * (n - 1) // 2
    tied_a, tied_b = _tied_pairs(a), _tied_pairs(b)
    if pairs in (tied_a, tied_b):
        return math.nan
    surplus = pairs - tied_a - tied_b + _tied_pairs(np.stack([a, b])) - 2 * _discordant_pairs(a, b)
    if variant == "b":
        tau = surplus / math.sqrt((pairs - tied_a) * (pairs - tied_b))
    else:
        levels = min(len(np.unique(a)), len(np.unique(b)))
        tau = 2 * surplus / (n**2 * (levels - 1) / levels)
    return min(1.0, max(-1.0, tau))


def weighted_kendall_tau(x: ArrayLike, y: ArrayLike) -> float:
    """Kendall's tau in which exchanges among the highest values weigh more.

    The exchange of the items with ranks r and s (0 is the highest value) weighs 1/(r+1) + 1/(s+1); the value
    is the mean of ranking by ``x`` first and by ``y`` first. S. Vigna, *A weighted correlation index for
    rankings with ties* (WWW 2015), equation 5.2; the defaults of ``scipy.stats.weightedtau``.

    Raises:
        UsageError: The sequences differ in length.

    Example:
        >>> round(weighted_kendall_tau([1, 2, 2, 3], [1, 3, 2, 2]), 4)
        0.2099
    """
    import numpy as np

    a, b = _paired(x, y)
    if len(a) < 2 or np.isnan(a).any() or np.isnan(b).any():
        return math.nan
    return (_weighted_tau(a, b) + _weighted_tau(b, a)) / 2


def _weighted_tau(x: Array, y: Array) -> float:
    import numpy as np

    n = len(x)
    weights = np.empty(n)
    weights[np.lexsort((y, x))[::-1]] = 1 / np.arange(1, n + 1)
    agreement = spread_x = spread_y = 0.0
    rows = max(1, _BLOCK_CELLS // n)
    for start in range(0, n, rows):
        block = slice(start, start + rows)
        # A pair weighs as much as its two items together, and is met once from the side of each.
        sign_x, sign_y = _signs(x, block), _signs(y, block)
        agreement += float(weights[block] @ (sign_x * sign_y).sum(axis=1, dtype=np.int64))
        spread_x += float(weights[block] @ np.count_nonzero(sign_x, axis=1))
        spread_y += float(weights[block] @ np.count_nonzero(sign_y, axis=1))
    if spread_x == 0 or spread_y == 0:
        return math.nan
    return min(1.0, max(-1.0, agreement / math.sqrt(spread_x * spread_y)))


def _signs(values: Array, block: slice) -> Array:
    """Whether the items of the block are greater (1) or less (-1) than each of all, or tied with it (0)."""
    import numpy as np

    above, below = values[block, None] > values, values[block, None] < values
    return above.view(np.int8) - below.view(np.int8)


def _paired(x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    import numpy as np

    a, b = np.asarray(x, dtype=float).ravel(), np.asarray(y, dtype=float).ravel()
    if len(a) != len(b):
        raise UsageError(f"correlation needs two sequences of equal length; they have {len(a)} and {len(b)}")
    return a, b


def _tied_pairs(values: Array) -> int:
    import numpy as np

    _, sizes = np.unique(values, return_counts=True, axis=values.ndim - 1)
    return int((sizes * (sizes - 1) // 2).sum())


def _discordant_pairs(x: Array, y: Array) -> int:
    """Pairs ordered one way by ``x`` and the other way by ``y``."""
    import numpy as np

    seen: list[float] = []
    discordant = 0
    # Sorting by y within equal x keeps pairs that are tied in x from being counted.
    for value in y[np.lexsort((y, x))].tolist():
        discordant += len(seen) - bisect_right(seen, value)
        insort(seen, value)
    return discordant
