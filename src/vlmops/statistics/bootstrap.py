"""Bootstrap confidence intervals, clustered when rows share a picture.

Percentile intervals after Efron and Tibshirani, *An Introduction to the Bootstrap* (1993), chapter 13;
clusters are resampled whole (Davison and Hinkley 1997, section 3.8), since several questions about one
picture are not independent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops.evaluators.score import Interval

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    import numpy as np
    from numpy.typing import ArrayLike

RESAMPLES = 2_000
CONFIDENCE = 0.95
SEED = 20_000
"""Of every resampling, so that a value comes with the same interval each time."""
_BLOCK_CELLS = 4_000_000


def mean_interval(
    values: ArrayLike,
    *,
    clusters: Sequence[Hashable] | None = None,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> Interval | None:
    """Interval of the mean of ``values``; ``None`` with fewer than two independent rows.

    Example:
        >>> interval = mean_interval([0.0, 1.0, 1.0, 1.0])
        >>> 0.0 <= interval.low <= 0.75 <= interval.high <= 1.0
        True
    """
    import numpy as np

    numerators = np.asarray(values, dtype=float)
    return bootstrap_ratio(
        numerators,
        np.ones_like(numerators),
        clusters=clusters,
        confidence=confidence,
        resamples=resamples,
    )


def bootstrap_ratio(
    numerators: ArrayLike,
    denominators: ArrayLike,
    *,
    clusters: Sequence[Hashable] | None = None,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> Interval | None:
    """Interval of ``sum(numerators) / sum(denominators)``, the form of micro-averaged metrics.

    Args:
        numerators: One per row, e.g. edits.
        denominators: One per row, e.g. characters of the reference.
        clusters: One key per row; rows with equal keys are resampled together.
        confidence: Level in (0, 1).
        resamples: How many bootstrap samples.

    Returns:
        The interval, or ``None`` with fewer than two clusters or where the ratio is undefined.

    Example:
        >>> bootstrap_ratio([1, 2], [10, 20]).low
        0.1
    """
    import numpy as np

    top = _by_cluster(np.asarray(numerators, dtype=float), clusters)
    bottom = _by_cluster(np.asarray(denominators, dtype=float), clusters)
    if len(top) < 2:
        return None
    generator = np.random.default_rng(SEED)
    block = max(1, _BLOCK_CELLS // len(top))
    ratios: list[np.ndarray[Any, Any]] = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for start in range(0, resamples, block):
            chosen = generator.integers(0, len(top), size=(min(block, resamples - start), len(top)))
            ratios.append(top[chosen].sum(axis=1) / bottom[chosen].sum(axis=1))
    return percentile_interval(np.concatenate(ratios), confidence)


def bootstrap_interval(
    statistic: Callable[[Sequence[int]], float],
    n: int,
    *,
    clusters: Sequence[Hashable] | None = None,
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

    groups = _rows_by_cluster(n, clusters)
    if len(groups) < 2:
        return None
    generator = np.random.default_rng(SEED)
    values = np.empty(resamples)
    for index in range(resamples):
        chosen = generator.integers(0, len(groups), size=len(groups))
        values[index] = statistic([row for group in chosen for row in groups[group]])
    return percentile_interval(values, confidence)


def percentile_interval(values: np.ndarray[Any, Any], confidence: float) -> Interval | None:
    """The interval that holds the middle share ``confidence`` of resampled values.

    Args:
        values: Of the statistic, one per resample; NaN and infinite ones are left out.
        confidence: Level in (0, 1).

    Returns:
        The interval, or ``None`` without a finite value.

    Example:
        >>> import numpy as np
        >>> interval = percentile_interval(np.arange(101.0), 0.9)
        >>> round(interval.low), round(interval.high)
        (5, 95)
    """
    import numpy as np

    defined = values[np.isfinite(values)]
    if not len(defined):
        return None
    tail = (1 - confidence) / 2 * 100
    low, high = np.percentile(defined, [tail, 100 - tail])
    return Interval(float(low), float(high), confidence)


def _rows_by_cluster(n: int, clusters: Sequence[Hashable] | None) -> list[list[int]]:
    if clusters is None:
        return [[row] for row in range(n)]
    groups: dict[Hashable, list[int]] = {}
    for row, key in enumerate(clusters):
        groups.setdefault(key, []).append(row)
    return list(groups.values())


def _by_cluster(values: np.ndarray[Any, Any], clusters: Sequence[Hashable] | None) -> np.ndarray[Any, Any]:
    import numpy as np

    if clusters is None:
        return values
    return np.array([values[rows].sum() for rows in _rows_by_cluster(len(values), clusters)])
