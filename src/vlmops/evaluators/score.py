"""Scores: of one case, and of a whole set of cases."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vlmops.images import Image

Direction = Literal["maximize", "minimize", "none"]
"""Which way is better: up, down, or neither."""

Value = float | bool | str
"""A number, a pass/fail, or a label."""

Range = tuple[float, float]
"""Least and greatest possible value, inclusive; ``float("inf")`` where there is no bound."""


@dataclass(frozen=True, slots=True)
class Score:
    """What an evaluator says of one case.

    Attributes:
        name: Name of the metric, e.g. ``"cer"``; lower-case, words joined by ``_``. Several scores of one
            evaluator are named ``<evaluator>.<part>``.
        value: The number, pass/fail or label; ``True`` is a pass, and good.
        explanation: One line that helps a person see why the value is what it is.
        direction: Which way is better.
        range: Least and greatest possible value; ``None`` for labels.
        metadata: JSON-serialisable detail (counts, matched pairs, ...).
        evidence: A picture that shows the finding, e.g. an overlay of boxes.

    Example:
        >>> Score("cer", 0.075, "3 of 40 characters differ", direction="minimize").value
        0.075
    """

    name: str
    value: Value
    explanation: str = ""
    direction: Direction = "maximize"
    range: Range | None = (0.0, 1.0)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    evidence: Image | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval.

    Attributes:
        low: Lower bound.
        high: Upper bound.
        confidence: Its level, e.g. ``0.95``.
    """

    low: float
    high: float
    confidence: float = 0.95


@dataclass(frozen=True, slots=True)
class SetScore:
    """What an evaluator says of all cases of a run together.

    Attributes:
        name: Name of the metric.
        value: Its value over the ``n`` cases that could be scored; NaN where the metric is undefined.
        n: How many cases stand behind the value.
        failures: How many cases could not be scored and are **not** in the value.
        interval: Bootstrap confidence interval of the value, when one could be had.
        explanation: One line for a person.
        direction: Which way is better.
        range: Least and greatest possible value; ``None`` for labels.
        metadata: JSON-serialisable detail (per class, per size, ...).
        evidence: A picture, e.g. a confusion matrix.
    """

    name: str
    value: float
    n: int
    failures: int = 0
    interval: Interval | None = None
    explanation: str = ""
    direction: Direction = "maximize"
    range: Range | None = (0.0, 1.0)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    evidence: Image | None = None
