"""How far an estimate was off: what was expected beside what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.evaluators import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.experiments.dataset_estimate import ModelEstimate
    from vlmops.platforms.records import ExperimentRecord


@dataclass(frozen=True, slots=True)
class Drift:
    """One figure, expected and measured, for one answer on average.

    Attributes:
        name: ``image_tokens``, ``input_tokens``, ``output_tokens``, ``cost`` or ``latency``.
        expected: By the estimate; ``None`` when it did not say.
        measured: By the answers; ``None`` when none of them says.
        n: How many answers say.
        ratio: Measured over expected: above 1 when more was consumed; ``None`` when one of them is not known
            or nothing was expected.
    """

    name: str
    expected: float | None
    measured: float | None
    n: int

    @property
    def ratio(self) -> float | None:
        """Measured over expected."""
        if self.measured is None or not self.expected:
            return None
        return self.measured / self.expected


def drift(estimate: ModelEstimate, record: ExperimentRecord, *, latency: float | None = None) -> list[Drift]:
    """What one model's answers took, beside what was estimated for it: means over one answer.

    Means, so that an experiment that stopped early, or failed in part, can be compared as well. Failed
    answers are left out; those that do not report a figure are left out of it.

    Args:
        estimate: The model's row of the estimate.
        record: The experiment after it has run.
        latency: Seconds that were assumed for an answer.

    Example:
        >>> from vlmops.evaluators import Case, Usage
        >>> from vlmops.experiments.dataset_estimate import ModelEstimate
        >>> from vlmops.platforms.records import ExperimentRecord, Run
        >>> expected = ModelEstimate("m", "m", 1, 1, 765, 5, 770, 10, 0.002, 5.0)
        >>> case = Case("7", usage=Usage(input_tokens=777, output_tokens=1))
        >>> record = ExperimentRecord("1", "coins", "", "d", "v", [Run(case, 1, [])])
        >>> [(row.name, round(row.ratio, 3)) for row in drift(expected, record) if row.ratio]
        [('input_tokens', 1.009), ('output_tokens', 0.1)]
    """
    cases = [run.case for run in record.runs if not isinstance(run.case.output, Failure)]
    calls = estimate.calls
    rows = [
        _row(
            name, getattr(estimate, name), calls, [getattr(case.usage, name) for case in cases if case.usage]
        )
        for name in ("image_tokens", "input_tokens", "output_tokens", "cost")
    ]
    return [*rows, _row("latency", latency, 1, [case.latency for case in cases])]


def _row(name: str, expected: float | None, calls: int, measured: Sequence[Any]) -> Drift:
    known = [value for value in measured if value is not None]
    per_call = expected / calls if expected is not None and calls else None
    return Drift(name, per_call, sum(known) / len(known) if known else None, len(known))
