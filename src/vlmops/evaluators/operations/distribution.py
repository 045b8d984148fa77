"""What was measured while cases ran: the value of each, and the mean and percentiles of a set."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.evaluators.bases import NamedEvaluator
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.score import Direction, Interval, Score, SetScore

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from vlmops.evaluators.bases import Readings
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
class Measurement(NamedEvaluator):
    """Base of evaluators that report what was measured of a call, and not how good its answer is.

    A case gives its own value. A set gives ``<name>.mean``, ``<name>.p50`` and so on, over the cases that
    were measured; the others are counted in ``failures``. Calls that failed take part with what they took.
    A case without the measurement is none of its business (:meth:`applies`): that a provider does not say
    what a call took is no failure of the call.

    Attributes:
        percentiles: Which percentiles a set gives, each within 0 to 100.
    """

    direction: ClassVar[Direction] = "minimize"

    percentiles: tuple[float, ...] = PERCENTILES

    def __post_init__(self) -> None:
        super().__post_init__()
        for percent in self.percentiles:
            percentile((), percent)

    @abstractmethod
    def measured(self, case: Case) -> float | None:
        """What was measured of a case; ``None`` when nothing was."""

    @abstractmethod
    def shown(self, value: float) -> str:
        """A value with its unit, for a person."""

    def applies(self, case: Case) -> bool:
        """Whether anything was measured of the case."""
        return not isinstance(self._usable(case), Failure)

    def evaluate(self, case: Case) -> Score | Failure:
        """The value of one case."""
        value = self._usable(case)
        if isinstance(value, Failure):
            return value
        return Score(self.name, value, self.shown(value), self.direction, range=(0.0, math.inf))

    def evaluate_set(self, cases: Sequence[Case]) -> list[SetScore] | Failure:
        """Mean and percentiles, each with a bootstrap interval over cases."""
        from vlmops.statistics import mean_interval

        read = self.read_set(cases, self._usable)
        if isinstance(read, Failure):
            return read
        values = read.values
        mean = math.fsum(values) / read.n
        intervals = _percentile_intervals(read, self.percentiles) if self.percentiles else []
        return [
            self._set_score("mean", mean, read, mean_interval(values, clusters=read.clusters)),
            *(
                self._set_score(f"p{percent:g}", percentile(values, percent), read, interval)
                for percent, interval in zip(self.percentiles, intervals, strict=True)
            ),
        ]

    def _usable(self, case: Case) -> float | Failure:
        value: Any = self.measured(case)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and math.isfinite(value) and value >= 0:
            return float(value)
        return self.failure(FailureKind.MISSING_OUTPUT, f"the case carries no measured {self.default_name}")

    def _set_score(
        self, part: str, value: float, read: Readings[float], interval: Interval | None
    ) -> SetScore:
        values = read.values
        total = math.fsum(values)
        spread = f"{self.shown(min(values))} to {self.shown(max(values))}"
        return SetScore(
            self.part(part),
            value,
            n=read.n,
            failures=read.failures,
            interval=interval,
            explanation=f"{self.shown(value)} over {len(values)} cases, {spread}, {self.shown(total)} in all",
            direction=self.direction,
            range=(0.0, math.inf),
            metadata={"total": total, "min": min(values), "max": max(values)},
        )


def _percentile_intervals(read: Readings[float], percents: Sequence[float]) -> list[Interval | None]:
    import numpy as np

    from vlmops.statistics import reweighted_intervals

    order = np.argsort(read.values, kind="stable")
    ordered = np.asarray(read.values, dtype=float)[order]
    ranks = np.array(percents) / 100 * (len(ordered) - 1)
    low, high = np.floor(ranks), np.ceil(ranks)

    def statistics(weights: NDArray[np.float64]) -> Sequence[float]:
        # Values up to and including each one: the drawn value at a rank is the first whose count exceeds it.
        drawn = np.cumsum(weights[order])
        below, above = (ordered[np.searchsorted(drawn, rank, side="right")] for rank in (low, high))
        return list(below + (above - below) * (ranks - low))

    return reweighted_intervals(statistics, read.n, clusters=read.clusters) or [None] * len(percents)
