"""Confidence intervals of quantiles and of their differences: latency p50, p95, p99."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError
from vlmops.statistics.distributions import binomial_cdf, binomial_quantile
from vlmops.statistics.resampling import (
    CONFIDENCE,
    RESAMPLES,
    ClusterKeys,
    Clusters,
    check_confidence,
    drawn_counts,
    percentile_interval,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import ArrayLike

    from vlmops.evaluators.score import Interval

    Array = np.ndarray[Any, np.dtype[Any]]

_BLOCK_CELLS = 2_000_000


def quantile_interval(
    values: ArrayLike,
    share: float,
    *,
    clusters: ClusterKeys = None,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> Interval | None:
    """Interval of a quantile.

    For independent rows it runs between two of the values, whatever their distribution (W. J. Conover,
    *Practical Nonparametric Statistics*, section 3.2; ``scipy.stats.quantile_test``). A bound that so few
    values cannot give is infinite: 100 values say nothing of how high their 99th percentile may lie.
    Clustered rows are resampled by cluster.

    Args:
        values: One per row.
        share: Which quantile, within 0 and 1: 0.95 for p95.
        clusters: One key per row; rows with equal keys are resampled together.
        confidence: Level in (0, 1).
        resamples: How many bootstrap samples of clustered rows.

    Returns:
        The interval; ``None`` with fewer than two clusters.

    Raises:
        UsageError: A value is NaN, or ``share`` or ``confidence`` out of range.

    Example:
        >>> interval = quantile_interval(range(1, 101), 0.5)
        >>> interval.low, interval.high
        (40.0, 61.0)
        >>> quantile_interval(range(1, 101), 0.99).high
        inf
    """
    (interval,) = quantile_intervals(
        values, [share], clusters=clusters, confidence=confidence, resamples=resamples
    )
    return interval


def quantile_intervals(
    values: ArrayLike,
    shares: Sequence[float],
    *,
    clusters: ClusterKeys = None,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> list[Interval | None]:
    """Intervals of several quantiles of the same rows, for about the price of one.

    Example:
        >>> [interval.low for interval in quantile_intervals(range(1, 101), [0.5, 0.9])]
        [40.0, 84.0]
    """
    import numpy as np

    rows = np.asarray(values, dtype=float)
    check_confidence(confidence)
    check_quantiles(rows, shares)
    groups = Clusters.of(len(rows), clusters)
    if groups.count < 2:
        return [None] * len(shares)
    if groups.single:
        ordered = np.sort(rows)
        return [_between_values(ordered, share, confidence) for share in shares]
    drawn = resampled_quantiles(rows[:, None], shares, groups, resamples)[:, 0]
    return [percentile_interval(column, confidence, groups.keys) for column in drawn.T]


def check_quantiles(rows: Array, shares: Sequence[float]) -> None:
    """Refuse what has no order, and shares that are no quantile.

    Raises:
        UsageError: A value is NaN, or a share not within 0 and 1.

    Example:
        >>> import numpy as np
        >>> check_quantiles(np.array([1.0, 2.0]), [0.5])
    """
    import numpy as np

    if np.isnan(rows).any():
        raise UsageError("a value is NaN, which has no place in an order: leave it out, and count it")
    for share in shares:
        if not 0 <= share <= 1:
            raise UsageError(f"share is {share:g}: give a quantile within 0 and 1, such as 0.95 for p95")


def _between_values(ordered: Array, share: float, confidence: float) -> Interval:
    """For independent rows: an interval between two of them."""
    from vlmops.evaluators.score import Interval

    n, tail = len(ordered), (1 - confidence) / 2
    low = binomial_quantile(tail, n, share) - 1
    high = _upper_rank(tail, n, share)
    return Interval(
        float(ordered[low]) if low >= 0 else -math.inf,
        float(ordered[high]) if high < n else math.inf,
        confidence,
    )


def resampled_quantiles(
    columns: Array, shares: Sequence[float], clusters: Clusters, resamples: int = RESAMPLES
) -> Array:
    """Quantiles of resampled rows, linear between values as ``numpy.quantile`` has them.

    Args:
        columns: One row per row, one column per quantity; all columns meet the same draws.
        shares: Which quantiles, each within 0 and 1.
        clusters: Which rows are drawn together.
        resamples: How many resamples.

    Returns:
        An array of resamples by columns by quantiles.

    Example:
        >>> import numpy as np
        >>> drawn = resampled_quantiles(np.full((5, 1), 2.0), [0.5, 0.9], Clusters.of(5, None), resamples=3)
        >>> drawn.shape, float(drawn.max())
        ((3, 1, 2), 2.0)
    """
    import numpy as np

    orders = np.argsort(columns, axis=0, kind="stable")
    # Few clusters of many rows: what is drawn by cluster fits a block, what is spread over rows may not.
    step = max(1, _BLOCK_CELLS // max(1, len(columns)))
    blocks = [
        np.stack(
            [
                _weighted_quantiles(
                    columns[order, at], counts[start : start + step, clusters.of_row[order]], shares
                )
                for at, order in enumerate(orders.T)
            ],
            axis=1,
        )
        for counts in drawn_counts(clusters.count, resamples)
        for start in range(0, len(counts), step)
    ]
    return np.concatenate(blocks)


def _weighted_quantiles(ordered: Array, counts: Array, shares: Sequence[float]) -> Array:
    """Quantiles of ordered values of which each row of ``counts`` says how often they were drawn."""
    import numpy as np

    # One long count through all resamples: a single search then finds a rank in each of them.
    drawn = np.cumsum(counts.ravel(), dtype=np.int64)
    width = counts.shape[1]
    ends = drawn[width - 1 :: width]
    starts = np.concatenate([[0], ends[:-1]])
    first = np.arange(len(counts)) * width
    found = np.empty((len(counts), len(shares)))
    for at, share in enumerate(shares):
        ranks = share * (ends - starts - 1)
        low = np.floor(ranks).astype(int)
        high = np.ceil(ranks).astype(int)
        below, above = (
            ordered[np.searchsorted(drawn, starts + rank, side="right") - first] for rank in (low, high)
        )
        found[:, at] = below + (above - below) * (ranks - low)
    return found


def _upper_rank(tail: float, n: int, share: float) -> int:
    """The least number that is exceeded with at most this probability."""
    rank = max(0, binomial_quantile(1 - tail, n, share) - 1)
    while 1 - binomial_cdf(rank, n, share) > tail:
        rank += 1
    return rank
