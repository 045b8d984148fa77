"""Bootstrap intervals of statistics that can be computed from weighted rows.

A bootstrap sample is the same rows with other weights: how often each was drawn. Statistics over sorted or
counted rows (AUC, F1, calibration) then need one pass per resample instead of one copy of the data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops.statistics.resampling import (
    CONFIDENCE,
    RESAMPLES,
    Clusters,
    drawn_counts,
    percentile_interval,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    import numpy as np

    from vlmops.evaluators.score import Interval

    Array = np.ndarray[Any, np.dtype[Any]]


def reweighted_interval(
    statistic: Callable[[Array], float],
    n: int,
    *,
    clusters: Sequence[Hashable] | None = None,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> Interval | None:
    """Percentile bootstrap interval of a statistic of ``n`` rows that takes one weight per row.

    Args:
        statistic: Takes an array of ``n`` weights (how often each row was drawn) and gives the value for
            them; NaN results are left out.
        n: How many rows there are.
        clusters: One key per row; rows with equal keys are drawn together.
        confidence: Level in (0, 1).
        resamples: How many bootstrap samples.

    Returns:
        The interval, or ``None`` with fewer than two clusters or no defined resample.

    Example:
        >>> import numpy as np
        >>> values = np.array([1.0, 2.0, 3.0, 4.0])
        >>> interval = reweighted_interval(lambda weights: float(weights @ values / weights.sum()), n=4)
        >>> interval.low < 2.5 < interval.high
        True
    """
    (interval,) = reweighted_intervals(
        lambda weights: [statistic(weights)], n, clusters=clusters, confidence=confidence, resamples=resamples
    ) or [None]
    return interval


def reweighted_intervals(
    statistics: Callable[[Array], Sequence[float]],
    n: int,
    *,
    clusters: Sequence[Hashable] | None = None,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> list[Interval | None]:
    """As :func:`reweighted_interval` for several statistics of the same rows, in one pass.

    Args:
        statistics: Takes an array of ``n`` weights and gives all values for them; NaN results are left out.
        n: How many rows there are.
        clusters: One key per row; rows with equal keys are drawn together.
        confidence: Level in (0, 1).
        resamples: How many bootstrap samples.

    Returns:
        One interval per statistic, ``None`` for one without a defined resample; an empty list with fewer than
        two clusters.

    Example:
        >>> import numpy as np
        >>> values = np.array([1.0, 2.0, 3.0, 4.0])
        >>> mean, total = reweighted_intervals(
        ...     lambda weights: [float(weights @ values / weights.sum()), float(weights @ values)], n=4
        ... )
        >>> round(total.low / mean.low, 6)
        4.0
    """
    import numpy as np

    groups = Clusters.of(n, clusters)
    if groups.count < 2:
        return []
    rows = [
        list(statistics((drawn if groups.single else drawn[groups.of_row]).astype(float)))
        for counts in drawn_counts(groups.count, resamples)
        for drawn in counts
    ]
    return [percentile_interval(column, confidence, groups.keys) for column in np.array(rows, dtype=float).T]
