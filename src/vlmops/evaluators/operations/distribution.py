"""What was measured while cases ran: the value of each, and the mean and percentiles of a set."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.score import Interval, Score, SetScore

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from vlmops.evaluators.case import Case

PERCENTILES = (50.0, 90.0, 95.0, 99.0)
"""What a set gives unless others are asked for."""


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which ``percent`` of the values lie, interpolated between the two nearest.

    Linear at rank ``percent / 100 * (n - 1)``, numpy's default; NaN without values.

    Raises:
        ValueError: ``percent`` is not within 0 to 100.

    Example:
        >>> percentile([4.0, 1.0, 2.0, 3.0], 50), percentile([1.0, 2.0], 95)
        (2.5, 1.95)
    """
    if not 0 <= percent <= 100:
        raise ValueError(f"a percentile lies within 0 to 100, not at {percent}")
    if not values:
        return math.nan
    ordered = sorted(values)
    rank = percent / 100 * (len(ordered) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (rank - low)


@dataclass(frozen=True, kw_only=True)
class Measurement(ABC):
    """Base of evaluators that report what was measured of a call, and not how good its answer is.

    A case gives its own value, or a failure when nothing was measured. A set gives the mean and each
    percentile, over the cases that were measured; the others are counted in ``failures``. Calls that failed
    take part with what they took.

    Attributes:
        name: Name of the score of a case; a set's scores add ``_mean``, ``_p50`` and so on.
        percentiles: Which percentiles a set gives, each within 0 to 100.
    """

    default_name: ClassVar[str]

    name: str = ""
    percentiles: tuple[float, ...] = PERCENTILES

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.default_name)
        for percent in self.percentiles:
            percentile((), percent)

    @abstractmethod
    def measured(self, case: Case) -> float | None:
        """What was measured of a case; ``None`` when nothing was."""

    @abstractmethod
    def shown(self, value: float) -> str:
        """A value with its unit, for a person."""

    def evaluate(self, case: Case) -> Score | Failure:
        """The value of one case."""
        value = self._usable(case)
        if value is None:
            return self._failure(f"the case carries no measured {self.default_name}")
        return Score(self.name, value, self.shown(value), direction="minimize", range=(0.0, math.inf))

    def evaluate_set(self, cases: Sequence[Case]) -> list[SetScore] | Failure:
        """Mean and percentiles, each with a bootstrap interval over cases."""
        from vlmops.statistics import mean_interval

        values = [value for value in map(self._usable, cases) if value is not None]
        if not values:
            return self._failure(f"none of the {len(cases)} cases carries a measured {self.default_name}")
        failures = len(cases) - len(values)
        intervals = _percentile_intervals(values, self.percentiles) if self.percentiles else []
        mean = self._set_score(
            "mean", math.fsum(values) / len(values), values, failures, mean_interval(values)
        )
        return [
            mean,
            *(
                self._set_score(f"p{percent:g}", percentile(values, percent), values, failures, interval)
                for percent, interval in zip(self.percentiles, intervals, strict=True)
            ),
        ]

    def _usable(self, case: Case) -> float | None:
        value: Any = self.measured(case)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if math.isfinite(value) and value >= 0 else None

    def _failure(self, message: str) -> Failure:
        return Failure(FailureKind.MISSING_OUTPUT, message, evaluator=self.name)

    def _set_score(
        self, part: str, value: float, values: Sequence[float], failures: int, interval: Interval | None
    ) -> SetScore:
        total = math.fsum(values)
        spread = f"{self.shown(min(values))} to {self.shown(max(values))}"
        return SetScore(
            f"{self.name}_{part}",
            value,
            n=len(values),
            failures=failures,
            interval=interval,
            explanation=f"{self.shown(value)} over {len(values)} cases, {spread}, {self.shown(total)} in all",
            direction="minimize",
            range=(0.0, math.inf),
            metadata={"total": total, "min": min(values), "max": max(values)},
        )


def _percentile_intervals(values: Sequence[float], percents: Sequence[float]) -> list[Interval | None]:
    import numpy as np

    from vlmops.statistics import reweighted_intervals

    ordered = np.sort(np.array(values, dtype=float))
    ranks = np.array(percents) / 100 * (len(ordered) - 1)
    low, high = np.floor(ranks), np.ceil(ranks)

    def statistics(weights: NDArray[np.float64]) -> Sequence[float]:
        # Values up to and including each one: the drawn value at a rank is the first whose count exceeds it.
        drawn = np.cumsum(weights)
        below, above = (ordered[np.searchsorted(drawn, rank, side="right")] for rank in (low, high))
        return list(below + (above - below) * (ranks - low))

    return reweighted_intervals(statistics, len(values)) or [None] * len(percents)
