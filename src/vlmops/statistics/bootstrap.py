"""Bootstrap confidence intervals, clustered when rows share a picture.

Clusters are drawn whole (Davison and Hinkley, *Bootstrap Methods and their Application*, 1997, section 3.8),
since several questions about one picture are not independent.

Two kinds of interval, after Efron and Tibshirani, *An Introduction to the Bootstrap* (1993):

- **percentile** (chapter 13), for rates, ratios and corpus values: it keeps to the range of the metric and is
  steady where few distinct values occur;
- **BCa** (chapter 14), for means and differences of unbounded or skewed numbers (latency, cost, errors): it
  corrects bias and skewness, which the percentile interval carries along.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal

from vlmops.statistics.resampling import (
    CONFIDENCE,
    RESAMPLES,
    ClusterKeys,
    Clusters,
    check_confidence,
    drawn_counts,
    interval_between,
    percentile_interval,
    resampled_sums,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    import numpy as np
    from numpy.typing import ArrayLike

    from vlmops.evaluators.score import Interval

    Array = np.ndarray[Any, np.dtype[Any]]

IntervalMethod = Literal["percentile", "bca"]
"""How an interval is read off resampled values."""


def mean_interval(
    values: ArrayLike,
    *,
    clusters: ClusterKeys = None,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    method: IntervalMethod = "percentile",
) -> Interval | None:
    """Interval of the mean of ``values``; ``None`` with fewer than two independent rows.

    Example:
        >>> interval = mean_interval([0.0, 1.0, 1.0, 1.0])
        >>> 0.0 <= interval.low <= 0.75 <= interval.high <= 1.0
        True
    """
    import numpy as np

    column = np.asarray(values, dtype=float)[:, None]
    (interval,) = mean_intervals(
        column, clusters=clusters, confidence=confidence, resamples=resamples, method=method
    )
    return interval


def mean_intervals(
    columns: ArrayLike,
    *,
    clusters: ClusterKeys = None,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    method: IntervalMethod = "percentile",
) -> list[Interval | None]:
    """Intervals of the means of several columns over the same rows, for about the price of one.

    Each is that of :func:`mean_interval`: all columns meet the same draws.

    Args:
        columns: One row per row, one column per quantity.
        clusters: As for :func:`bootstrap_ratio`.
        confidence: Level in (0, 1).
        resamples: How many bootstrap samples.
        method: Percentile, or BCa for skewed numbers.

    Example:
        >>> first, second = mean_intervals([[0.0, 1.0], [1.0, 3.0], [1.0, 5.0]])
        >>> first == mean_interval([0.0, 1.0, 1.0]), second == mean_interval([1.0, 3.0, 5.0])
        (True, True)
    """
    import numpy as np

    table = np.asarray(columns, dtype=float)
    groups = Clusters.of(len(table), clusters)
    if groups.count < 2:
        return [None] * table.shape[1]
    tops, sizes = groups.sums(table), groups.sums(np.ones(len(table)))
    drawn = resampled_sums(np.column_stack([tops, sizes]), resamples)
    return [
        _ratio_interval(drawn[:, [at, -1]], tops[:, at], sizes, groups, confidence, method)
        for at in range(table.shape[1])
    ]


def bootstrap_ratio(
    numerators: ArrayLike,
    denominators: ArrayLike,
    *,
    clusters: ClusterKeys = None,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    method: IntervalMethod = "percentile",
) -> Interval | None:
    """Interval of ``sum(numerators) / sum(denominators)``, the form of micro-averaged metrics.

    Args:
        numerators: One per row, e.g. edits.
        denominators: One per row, e.g. characters of the reference.
        clusters: One key per row; rows with equal keys are resampled together.
        confidence: Level in (0, 1).
        resamples: How many bootstrap samples.
        method: Percentile, or BCa for skewed numbers.

    Returns:
        The interval, or ``None`` with fewer than two clusters or where the ratio is undefined.

    Example:
        >>> bootstrap_ratio([1, 2], [10, 20]).low
        0.1
    """
    import numpy as np

    tops, bottoms = np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float)
    groups = Clusters.of(len(tops), clusters)
    if groups.count < 2:
        return None
    columns = groups.sums(np.column_stack([tops, bottoms]))
    sums = resampled_sums(columns, resamples)
    return _ratio_interval(sums, columns[:, 0], columns[:, 1], groups, confidence, method)


def _ratio_interval(
    drawn: Array, tops: Array, bottoms: Array, groups: Clusters, confidence: float, method: IntervalMethod
) -> Interval | None:
    """From resampled sums of tops and bottoms, and those of each cluster."""
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = drawn[:, 0] / drawn[:, 1]
        if method == "percentile":
            return percentile_interval(ratios, confidence, groups.keys)
        top, bottom = tops.sum(), bottoms.sum()
        left_out = (top - tops) / (bottom - bottoms)
        return bca_interval(ratios, top / bottom, left_out, confidence, groups.keys)


def bca_interval(
    resampled: Array,
    value: float,
    left_out: Array,
    confidence: float = CONFIDENCE,
    keys: tuple[Hashable, ...] | None = None,
) -> Interval | None:
    """Bias-corrected and accelerated interval; the percentile interval where the corrections are undefined.

    They are when the statistic is the same whichever cluster is left out, or when all resampled values lie on
    one side of the value.

    Args:
        resampled: The statistic, one value per resample.
        value: The statistic of the sample itself.
        left_out: The statistic without each cluster in turn (the jackknife).
        confidence: Level in (0, 1).
        keys: The clusters drawn from, for :func:`~vlmops.statistics.recorded_resamples`.

    Example:
        >>> import numpy as np
        >>> skewed = np.array([1.0, 1.0, 2.0, 9.0])
        >>> plain, corrected = mean_interval(skewed), mean_interval(skewed, method="bca")
        >>> corrected.high > plain.high
        True
    """
    import numpy as np

    check_confidence(confidence)
    defined = resampled[np.isfinite(resampled)]
    deviations = left_out.mean() - left_out
    spread = float((deviations**2).sum()) ** 1.5
    below = float((defined < value).mean() + (defined <= value).mean()) / 2 if len(defined) else 0.0
    if not np.isfinite(spread) or spread == 0 or not 0 < below < 1:
        return percentile_interval(resampled, confidence, keys)
    acceleration = float((deviations**3).sum()) / (6 * spread)
    normal = NormalDist()
    bias, tail = normal.inv_cdf(below), normal.inv_cdf((1 - confidence) / 2)
    low, high = (normal.cdf(bias + (bias + end) / (1 - acceleration * (bias + end))) for end in (tail, -tail))
    return interval_between(resampled, low, high, confidence, keys)


def bootstrap_interval(
    statistic: Callable[[Sequence[int]], float],
    n: int,
    *,
    clusters: ClusterKeys = None,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> Interval | None:
    """Interval of any statistic of ``n`` rows.

    Args:
        statistic: Takes row indices (with repeats) and gives the value for them; NaN results are left out.
        n: How many rows there are.
        clusters: One key per row; rows with equal keys are resampled together.
        confidence: Level in (0, 1).
        resamples: How many bootstrap samples; choose fewer when ``statistic`` is expensive.

    Returns:
        The interval, or ``None`` with fewer than two clusters or no defined resample.

    Example:
        >>> rows = [1.0, 2.0, 3.0, 10.0]
        >>> interval = bootstrap_interval(lambda chosen: max(rows[i] for i in chosen), n=4, resamples=200)
        >>> interval.high
        10.0
    """
    import numpy as np

    groups = Clusters.of(n, clusters)
    if groups.count < 2:
        return None
    rows = np.arange(n)
    values = [
        statistic(np.repeat(rows, drawn[groups.of_row]).tolist())
        for counts in drawn_counts(groups.count, resamples)
        for drawn in counts
    ]
    return percentile_interval(np.asarray(values, dtype=float), confidence, groups.keys)
