"""Base of evaluators that judge an output alone, with nothing to compare it with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.evaluators.evaluator import MISSING, Result, select
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.score import Direction, SetScore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.evaluators.case import Case


@dataclass(frozen=True, kw_only=True)
class OutputEvaluator(ABC):
    """Judges the output of a case, or a part of it.

    Attributes:
        name: Name of the score; give another to use the evaluator twice in one run.
        key: Dotted path of the part to judge; the whole output when ``None``.
    """

    default_name: ClassVar[str]

    name: str = ""
    key: str | None = None

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.default_name)

    @abstractmethod
    def judge(self, output: Any) -> Result:
        """Score a present output."""

    def evaluate(self, case: Case) -> Result:
        """Score one case."""
        output = self.output_of(case)
        return output if isinstance(output, Failure) else self.judge(output)

    def output_of(self, case: Case) -> Any:
        """The selected part of the output, or the failure that says why there is none."""
        if isinstance(case.output, Failure):
            return Failure(case.output.kind, case.output.message, evaluator=self.name)
        output = select(case.output, self.key)
        if output is MISSING or case.output is None:
            held = f"it has {', '.join(map(str, case.output))}" if isinstance(case.output, Mapping) else ""
            missing = f"no '{self.key}' in the output" if self.key else "the case has no output"
            return Failure(
                FailureKind.MISSING_OUTPUT, f"{missing}{': ' if held else ''}{held}", evaluator=self.name
            )
        return output


def rate(
    name: str,
    passed: Sequence[bool],
    failures: int,
    explanation: str,
    *,
    direction: Direction = "maximize",
) -> SetScore:
    """Share of cases that passed, with its bootstrap interval; NaN without any case.

    Example:
        >>> rate("json_strict", [True, True, False, True], 1, "3 of 4 answers parse").value
        0.75
    """
    from vlmops.statistics import mean_interval

    return SetScore(
        name,
        sum(passed) / len(passed) if passed else float("nan"),
        n=len(passed),
        failures=failures,
        interval=mean_interval([float(ok) for ok in passed]),
        explanation=explanation,
        direction=direction,
    )
