"""Confidence intervals of rates: pass rates, error rates."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError
from vlmops.statistics.distributions import beta_quantile
from vlmops.statistics.resampling import CONFIDENCE, ClusterKeys, Clusters, check_confidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from vlmops.evaluators.score import Interval


def wilson_interval(successes: float, n: float, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's score interval of a rate: close to its level for any rate and number.

    Definition: E. B. Wilson, *Journal of the American Statistical Association* 22 (1927). ``successes`` and
    ``n`` need not be whole: an effective sample size is not.

    Raises:
        UsageError: ``n`` is not positive, ``successes`` not within 0 and ``n``, or ``confidence`` no level.

    Example:
        >>> interval = wilson_interval(0, 100)
        >>> interval.low, round(interval.high, 4)
        (0.0, 0.037)
    """
    from vlmops.evaluators.score import Interval

    _check(successes, n)
    check_confidence(confidence)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    rate, weight = successes / n, z * z / n
    middle = (rate + weight / 2) / (1 + weight)
    reach = z * math.sqrt(rate * (1 - rate) / n + weight / (4 * n)) / (1 + weight)
    low = 0.0 if successes == 0 else max(0.0, middle - reach)
    high = 1.0 if successes == n else min(1.0, middle + reach)
    return Interval(low, high, confidence)


def clopper_pearson_interval(successes: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """The exact interval of a rate: never below its level, and wider for that than Wilson's.

    Definition: Clopper and Pearson, *Biometrika* 26 (1934).

    Raises:
        UsageError: ``n`` is not positive, ``successes`` not within 0 and ``n``, or ``confidence`` no level.

    Example:
        >>> round(clopper_pearson_interval(0, 100).high, 4)
        0.0362
    """
    from vlmops.evaluators.score import Interval

    _check(successes, n)
    check_confidence(confidence)
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else beta_quantile(tail, successes, n - successes + 1)
    high = 1.0 if successes == n else beta_quantile(1 - tail, successes + 1, n - successes)
    return Interval(low, high, confidence)


def rate_interval(
    flags: Sequence[bool],
    *,
    clusters: ClusterKeys = None,
    confidence: float = CONFIDENCE,
) -> Interval | None:
    """Interval of the share of ``True``, honest at 0 and 1, where a bootstrap claims to be certain.

    Wilson's interval for as many independent rows as the clustered ones are worth (E. L. Korn and B. I.
    Graubard, *Survey Methodology* 24, 1998): with all flags equal, as many as there are clusters.

    Args:
        flags: One per row.
        clusters: One key per row; rows with equal keys are not independent.
        confidence: Level in (0, 1).

    Returns:
        The interval; ``None`` without rows.

    Example:
        >>> round(rate_interval([False] * 100).high, 3)
        0.037
        >>> round(rate_interval([False] * 100, clusters=[row // 10 for row in range(100)]).high, 3)
        0.278
    """
    import numpy as np

    if not len(flags):
        return None
    values = np.asarray(flags, dtype=float)
    rate = float(values.mean())
    effective = _effective_size(values, Clusters.of(len(values), clusters))
    return wilson_interval(rate * effective, effective, confidence)


def _effective_size(values: np.ndarray[Any, Any], clusters: Clusters) -> float:
    """How many independent rows would give a rate as certain as these do."""
    n, groups, rate = len(values), clusters.count, float(values.mean())
    if clusters.single:
        return n
    if groups < 2 or rate in (0.0, 1.0):
        return groups
    variance = groups / (groups - 1) * float((clusters.sums(values - rate) ** 2).sum()) / n**2
    # Rows of a picture that happen to differ are no proof that they are worth more than independent ones.
    return n if variance == 0 else min(n, rate * (1 - rate) / variance)


def _check(successes: float, n: float) -> None:
    if n <= 0 or not 0 <= successes <= n:
        raise UsageError(
            f"a rate needs a positive number and successes within it, not {successes:g} of {n:g}"
        )
