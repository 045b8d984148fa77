"""What floating-point arithmetic may be off by: no rule is broken by less."""

from __future__ import annotations


def slack(limit: float) -> float:
    """How far beyond a limit a value still counts as at it.

    Means of decimal fractions are off in their last digits: 0.78 - 0.80 is a little less than -0.02.

    Example:
        >>> 0.78 - 0.80 < -0.02, 0.78 - 0.80 < -0.02 - slack(0.02)
        (True, False)
    """
    return 1e-12 * max(1.0, abs(limit))
