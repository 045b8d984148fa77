"""How often calls fail, and of what."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from vlmops.evaluators.bases import NamedEvaluator
from vlmops.evaluators.clusters import picture_clusters
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Direction, Score, SetScore

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from vlmops.evaluators.case import Case


@register("error_rate")
@dataclass(frozen=True, kw_only=True)
class ErrorRate(NamedEvaluator):
    """Share of calls that gave no answer: 1 or 0 of a case, less is better.

    A call failed when its case's output is a :class:`~vlmops.evaluators.Failure`, or ``None``. Failures are
    what is measured here: they are the value, and none are left out.

    Attributes:
        kinds: Which kinds of failure count (``("refusal",)`` gives the refusal rate); all when empty.

    Example:
        >>> from vlmops.evaluators import Case, Failure, FailureKind
        >>> cases = [Case(output="a cat"), Case(output=Failure(FailureKind.TIMEOUT, "no answer in 60 s"))]
        >>> score = ErrorRate().evaluate_set(cases)
        >>> score.value, score.explanation
        (0.5, '1 of 2 calls failed: 1 timeout')
    """

    default_name: ClassVar[str] = "error_rate"
    direction: ClassVar[Direction] = "minimize"

    kinds: Collection[FailureKind | str] = ()

    def evaluate(self, case: Case) -> Score:
        """Whether the call failed: 1 or 0."""
        kind = self._counted(case)
        message = case.output.message if isinstance(case.output, Failure) else "the case has no output"
        explanation = f"{kind}: {message}" if kind else "the call gave an answer"
        return Score(self.name, float(kind is not None), explanation, self.direction)

    def evaluate_set(self, cases: Sequence[Case]) -> SetScore | Failure:
        """The share of failed calls, with a bootstrap interval and the number of each kind."""
        from vlmops.statistics import mean_interval

        if not cases:
            return self.failure(FailureKind.MISSING_OUTPUT, "there are no cases")
        kinds = [self._counted(case) for case in cases]
        found = Counter(kind for kind in kinds if kind is not None)
        failed = found.total()
        listed = ", ".join(f"{times} {kind}" for kind, times in found.most_common())
        return SetScore(
            self.name,
            failed / len(cases),
            n=len(cases),
            interval=mean_interval(
                [float(kind is not None) for kind in kinds], clusters=picture_clusters(cases)
            ),
            explanation=f"{failed} of {len(cases)} calls failed" + (f": {listed}" if listed else ""),
            direction=self.direction,
            metadata={"kinds": dict(found)},
        )

    def _counted(self, case: Case) -> str | None:
        if isinstance(case.output, Failure):
            kind = str(case.output.kind)
        elif case.output is None:
            kind = str(FailureKind.MISSING_OUTPUT)
        else:
            return None
        return kind if not self.kinds or kind in {str(known) for known in self.kinds} else None
