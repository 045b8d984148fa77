"""What a sample can show: the power of a comparison, and the least difference it would likely find.

For the mean of paired differences, from its standard error and as many degrees of freedom as there are
independent pairs less one: the paired t-test (``statsmodels.stats.power.TTestPower``).
"""

from __future__ import annotations

import math
from functools import cache

from vlmops.errors import UsageError
from vlmops.statistics.distributions import noncentral_t_cdf, t_quantile
from vlmops.statistics.resampling import CONFIDENCE, check_confidence

POWER = 0.8
"""A difference counts as detectable when four of five such experiments would find it."""


def power(
    difference: float,
    standard_error: float,
    degrees: float,
    *,
    confidence: float = CONFIDENCE,
    sides: int = 2,
) -> float:
    """Probability to find a true difference of this size.

    Args:
        difference: The true difference, in the metric's units; beyond the tolerance, where there is one.
        standard_error: Of the estimated difference.
        degrees: Independent pairs less one.
        confidence: Level of the interval that must not hold zero.
        sides: 2 to find a difference either way; 1 to find one in its own direction, with the bound of
            the two-sided interval.

    Returns:
        The probability, 0 to 1; NaN without degrees of freedom.

    Raises:
        UsageError: ``confidence`` is no level.

    Example:
        >>> round(power(0.5, 0.2, 24), 4)
        0.6697
    """
    check_confidence(confidence)
    if degrees < 1 or not standard_error >= 0:
        return math.nan
    if standard_error == 0:
        return 1.0 if difference else 0.0
    noncentrality = abs(difference) / standard_error
    needed = -t_quantile((1 - confidence) / 2, degrees)
    found = 1 - noncentral_t_cdf(needed, degrees, noncentrality)
    return found + noncentral_t_cdf(-needed, degrees, noncentrality) if sides == 2 else found


def minimum_detectable_difference(
    standard_error: float,
    degrees: float,
    *,
    confidence: float = CONFIDENCE,
    target: float = POWER,
    sides: int = 2,
) -> float:
    """The least true difference that such a sample finds with probability ``target``.

    Args:
        standard_error: Of the estimated difference.
        degrees: Independent pairs less one.
        confidence: Level of the interval that must not hold zero.
        target: The power wanted, above ``1 - confidence``.
        sides: As for :func:`power`.

    Returns:
        The difference, in the metric's units; NaN without degrees of freedom.

    Raises:
        UsageError: ``confidence`` is no level, or ``target`` no power that lies above chance.

    Example:
        >>> round(minimum_detectable_difference(0.02, 99), 4)
        0.0566
    """
    check_confidence(confidence)
    if not 1 - confidence < target < 1:
        raise UsageError(f"target is {target:g}: the power wanted lies between {1 - confidence:g} and 1")
    if degrees < 1 or not standard_error >= 0:
        return math.nan
    if standard_error == 0:
        return 0.0
    return _detectable_in_errors(degrees, confidence, target, sides) * standard_error


@cache
def _detectable_in_errors(degrees: float, confidence: float, target: float, sides: int) -> float:
    """The detectable difference in units of its standard error: the same for all metrics of a sample."""
    low, high = 0.0, 1.0
    while power(high, 1.0, degrees, confidence=confidence, sides=sides) < target:
        high *= 2
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        if power(middle, 1.0, degrees, confidence=confidence, sides=sides) < target:
            low = middle
        else:
            high = middle
    return high
