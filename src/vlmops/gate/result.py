"""What a gate found: one check a rule and slice, and the verdict over all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.evaluators import Interval
    from vlmops.experiments import Comparison, Variant

RuleName = Literal["min", "max", "max_drop", "max_increase", "coverage"]


class Status(StrEnum):
    """What became of a check."""

    PASS = "pass"  # noqa: S105 - not a password
    """The rule is kept; a regression rule is shown to be."""
    FAIL = "fail"
    """The rule is broken; a regression rule is shown to be."""
    UNCLEAR = "not enough evidence"
    """The sample can neither show that a regression rule is kept nor that it is broken."""
    ERROR = "error"
    """The rule cannot be looked at: the metric is missing, the slice empty, too much failed. Never a pass."""


@dataclass(frozen=True, slots=True)
class GateCheck:
    """One rule in one slice.

    Attributes:
        measure: Name of the metric or quantity.
        slice: Name of the slice; empty for all samples.
        rule: Which rule.
        limit: The rule's number.
        status: What became of it.
        message: One line for a person.
        value: What was looked at: the value, or for regression rules its difference to the baseline; NaN
            where there is none.
        interval: Of that.
        pairs: How many answers, or pairs of answers, stand behind it.
        p_value: Of regression rules: how likely such a loss is if the rule is kept, corrected for all the
            gate's regression rules; NaN for others.
        detectable: Of regression rules: the true loss that a sample like this finds four times in five; NaN
            for others, and where the sample does not tell.
    """

    measure: str
    slice: str
    rule: RuleName
    limit: float
    status: Status
    message: str
    value: float = math.nan
    interval: Interval | None = None
    pairs: int = 0
    p_value: float = math.nan
    detectable: float = math.nan

    @property
    def title(self) -> str:
        """Measure, slice and rule in a few words."""
        part = f" [{self.slice}]" if self.slice else ""
        return f"{self.measure}{part} {self.rule} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class GateResult:
    """Whether a run may be released, and why.

    Attributes:
        candidate: The experiment that was looked at.
        baseline: What it was compared with, if it was.
        checks: One a rule and slice.
        unclear: What becomes of checks without enough evidence: ``"pass"`` or ``"fail"``.
        comparison: The figures behind it.
    """

    candidate: Variant
    baseline: Variant | None
    checks: Sequence[GateCheck]
    unclear: Literal["pass", "fail"]
    comparison: Comparison

    @property
    def passed(self) -> bool:
        """Whether no check stands in the way."""
        return not self.blocking

    @property
    def blocking(self) -> list[GateCheck]:
        """The checks that stand in the way."""
        return [check for check in self.checks if self.blocks(check)]

    def blocks(self, check: GateCheck) -> bool:
        """Whether a check stands in the way."""
        return check.status in (Status.FAIL, Status.ERROR) or (
            check.status is Status.UNCLEAR and self.unclear == "fail"
        )

    def with_status(self, status: Status) -> list[GateCheck]:
        """The checks of one kind."""
        return [check for check in self.checks if check.status is status]

    @property
    def headline(self) -> str:
        """The verdict in one line."""
        counts = [f"{len(found)} {status}" for status in Status if (found := self.with_status(status))]
        return f"gate {'passed' if self.passed else 'failed'} for {self.candidate.name}: {', '.join(counts)}"
