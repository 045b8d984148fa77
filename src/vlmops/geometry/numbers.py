"""Numbers as models write them."""

from __future__ import annotations

import math
from typing import Any


def number(value: Any) -> float | None:
    """A finite number, also when it is written as text (``"12"``, ``"12px"``); ``None`` for all else.

    Example:
        >>> number("12.5 px"), number(True), number("NaN")
        (12.5, None, None)
    """
    if isinstance(value, str):
        try:
            value = float(value.strip().removesuffix("px"))
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None
