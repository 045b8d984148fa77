"""Values, intervals and differences as people read them: the same in terminals, Markdown and pages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vlmops.evaluators import Interval
    from vlmops.experiments.comparison.result import Difference, Measure, VariantValue

ARROWS = {"maximize": "↑", "minimize": "↓", "none": ""}


def number(value: float, unit: str = "") -> str:
    """A value with its unit, with as many digits as tell values of its kind apart.

    Example:
        >>> number(0.12345), number(1234.5, "tokens"), number(0.00123, "USD"), number(float("nan"))
        ('0.123', '1234 tokens', '0.00123 USD', 'undefined')
    """
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if unit == "USD":
        text = f"{value:.3g}"
    elif unit == "tokens":
        text = f"{value:.0f}"
    else:
        text = f"{value:.3f}"
    return f"{text} {unit}" if unit else text


def signed(value: float, unit: str = "") -> str:
    """A difference with its sign.

    Example:
        >>> signed(0.02), signed(-1.5, "s")
        ('+0.020', '-1.500 s')
    """
    return f"+{number(value, unit)}" if value > 0 and math.isfinite(value) else number(value, unit)


def bounds(interval: Interval | None) -> str:
    """An interval in brackets; nothing without one.

    Example:
        >>> from vlmops.evaluators import Interval
        >>> bounds(Interval(0.1, 0.25))
        '[0.100, 0.250]'
    """
    return "" if interval is None else f"[{_plain(interval.low)}, {_plain(interval.high)}]"


def value_text(measure: Measure, value: VariantValue) -> str:
    """Value, interval and denominator of one variant."""
    if not value.n:
        return f"undefined ({value.failures} failed)" if value.failures else "-"
    parts = [number(value.value, measure.unit), bounds(value.interval), f"n={value.n}"]
    text = " ".join(part for part in parts if part)
    return f"{text}, {value.failures} failed" if value.failures else text


def difference_text(measure: Measure, difference: Difference) -> str:
    """Difference and interval; where there is none, why."""
    if math.isnan(difference.value):
        return difference.note
    shown = signed(difference.value, measure.unit)
    return f"{shown} {bounds(difference.interval) or f'({difference.note})'}"


def p_text(p: float) -> str:
    """A p-value, small ones as a bound.

    Example:
        >>> p_text(0.0321), p_text(0.00001)
        ('0.032', '<0.001')
    """
    if math.isnan(p):
        return "-"
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _plain(value: float) -> str:
    if math.isinf(value) or abs(value) >= 100:
        return number(value) if math.isinf(value) else f"{value:.0f}"
    return f"{value:.3g}" if 0 < abs(value) < 0.01 else f"{value:.3f}"
