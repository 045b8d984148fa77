"""Evaluators of a list of steps: completeness, order, likeness."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from vlmops.errors import EvaluatorError
from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score, SetScore
from vlmops.evaluators.steps.matching import match_steps, steps_in
from vlmops.evaluators.steps.sequences import (
    StepDifference,
    common_steps_similarity,
    compare_steps,
    longest_common_steps,
    step_edit_distance,
    step_edit_similarity,
    step_swap_distance,
    step_swap_similarity,
)
from vlmops.evaluators.text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vlmops.evaluators.case import Case

Likeness = Literal["edit", "swap", "common"]
"""Edit distance, edit distance with swaps of neighbours, or longest common subsequence."""

_MEASURES = {
    "edit": (step_edit_similarity, step_edit_distance, "steps to add, drop or replace"),
    "swap": (step_swap_similarity, step_swap_distance, "steps to add, drop, replace or swap"),
    "common": (common_steps_similarity, longest_common_steps, "steps in the right order"),
}


@dataclass(frozen=True, kw_only=True)
class StepReader(ComparisonEvaluator):
    """Base of evaluators that compare two lists of steps.

    Attributes:
        synonyms: Other wordings by expected step.
        similarity: Least likeness of two wordings of one step, 0 to 1; 1 asks for equal ones (apart from
            case, numbering and outer punctuation).
        name_key: Key of a step's name where steps are objects.
    """

    synonyms: Mapping[str, Sequence[str]] = field(default_factory=dict)
    similarity: float = 1.0
    name_key: str = "step"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.similarity <= 1:
            raise EvaluatorError(f"similarity lies above 0 and up to 1; it is {self.similarity!r}")

    def read(self, output: Any, expected: Any) -> tuple[list[str], list[str]] | Failure:
        """Expected and observed steps, or the failure that says which side lists none."""
        wanted = steps_in(expected, name_key=self.name_key)
        if wanted is None:
            return self.failure(FailureKind.MISSING_EXPECTED, "the expected value is no list of steps")
        done = steps_in(output, name_key=self.name_key)
        if done is None:
            return self.failure(FailureKind.UNPARSABLE, f"no list of steps in {shown(output)}")
        return wanted, match_steps(wanted, done, synonyms=self.synonyms, similarity=self.similarity)


@register("step_completeness")
@dataclass(frozen=True, kw_only=True)
class StepCompleteness(StepReader):
    """Which expected steps were observed: recall, precision and F1, and whether their order was kept.

    A case gives ``<name>.recall``, ``.precision`` and ``.f1`` (0 to 1; 1 when neither side lists
    a step), and ``.order`` (Kendall's tau-b of the matched steps, -1 to 1) where at least two steps match.
    A set gives the micro recall, precision and F1 over all steps, with the steps that are missed most.

    Attributes:
        synonyms: Other wordings by expected step.
        similarity: Least likeness of two wordings of one step, 0 to 1; 1 asks for equal ones (apart from
            case, numbering and outer punctuation).
        name_key: Key of a step's name where steps are objects.

    Example:
        >>> from vlmops.evaluators import Case
        >>> case = Case(output=["open", "close", "wipe"], expected=["Open", "Swap fuse", "Close"])
        >>> recall, precision, f1, order = StepCompleteness().evaluate(case)
        >>> round(recall.value, 3), recall.explanation, order.value
        (0.667, 'missing: swap fuse; extra: wipe', 1.0)
    """

    default_name: ClassVar[str] = "step_completeness"

    def compare(self, output: Any, expected: Any) -> list[Score] | Failure:
        """Score one list of steps."""
        pair = self.read(output, expected)
        if isinstance(pair, Failure):
            return pair
        wanted, done = pair
        difference = compare_steps(wanted, done)
        verdict, detail = _describe(difference), _detail(difference)
        values = _rates(difference.matched, len(wanted), len(done))
        scores = [
            Score(self.part(metric), value, verdict, metadata=detail) for metric, value in values.items()
        ]
        if difference.matched > 1:
            moved = (
                f"out of order: {', '.join(map(str, difference.moved))}" if difference.moved else "in order"
            )
            order = Score(self.part("order"), difference.order, moved, range=(-1.0, 1.0), metadata=detail)
            scores.append(order)
        return scores

    def evaluate_set(self, cases: Sequence[Case]) -> list[SetScore] | Failure:
        """Micro recall, precision and F1 over all steps, each with a bootstrap interval over cases."""
        from vlmops.statistics import bootstrap_ratio

        read = self.read_pairs(cases, self.read)
        if isinstance(read, Failure):
            return read
        pairs = read.values
        differences = [compare_steps(*pair) for pair in pairs]
        matched = [difference.matched for difference in differences]
        wanted, done = ([len(pair[side]) for pair in pairs] for side in (0, 1))
        both = [a + b for a, b in zip(wanted, done, strict=True)]
        ratios = {
            "recall": (matched, wanted),
            "precision": (matched, done),
            "f1": ([2 * hits for hits in matched], both),
        }
        values = _rates(sum(matched), sum(wanted), sum(done))
        missed = Counter(step for found in differences for step in found.missing).most_common(5)
        often = ", ".join(f"{step} ({times} times)" for step, times in missed)
        return [
            SetScore(
                self.part(metric),
                values[metric],
                n=read.n,
                failures=read.failures,
                interval=bootstrap_ratio(top, bottom, clusters=read.clusters),
                explanation=f"{sum(matched)} of {sum(wanted)} steps"
                + (f"; missed most: {often}" if often else ""),
                metadata={"missed": dict(missed)},
            )
            for metric, (top, bottom) in ratios.items()
        ]


@register("step_similarity")
@dataclass(frozen=True, kw_only=True)
class StepSimilarity(StepReader):
    """How alike the observed and the expected sequence of steps are, 0 to 1, order included.

    Attributes:
        synonyms: Other wordings by expected step.
        similarity: Least likeness of two wordings of one step, 0 to 1; 1 asks for equal ones (apart from
            case, numbering and outer punctuation).
        name_key: Key of a step's name where steps are objects.
        likeness: ``"edit"`` for edit distance, ``"swap"`` where exchanging two neighbours should cost 1,
            ``"common"`` for the longest common subsequence; each over the longer sequence.

    Example:
        >>> from vlmops.evaluators import Case
        >>> case = Case(output=["b", "a", "c", "d"], expected=["a", "b", "c", "d"])
        >>> StepSimilarity().evaluate(case).value, StepSimilarity(likeness="swap").evaluate(case).value
        (0.5, 0.75)
    """

    default_name: ClassVar[str] = "step_similarity"

    likeness: Likeness = "edit"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.likeness not in _MEASURES:
            raise EvaluatorError(f"likeness is one of {', '.join(_MEASURES)}, not {self.likeness!r}")

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one list of steps."""
        pair = self.read(output, expected)
        if isinstance(pair, Failure):
            return pair
        similarity, count, meaning = _MEASURES[self.likeness]
        verdict = f"{count(*pair)} {meaning}; {len(pair[0])} expected, {len(pair[1])} observed"
        return Score(self.name, similarity(*pair), verdict, metadata=_detail(compare_steps(*pair)))


def _rates(matched: int, wanted: int, done: int) -> dict[str, float]:
    if not wanted and not done:
        return dict.fromkeys(("recall", "precision", "f1"), 1.0)
    return {
        "recall": matched / wanted if wanted else 0.0,
        "precision": matched / done if done else 0.0,
        "f1": 2 * matched / (wanted + done),
    }


def _describe(difference: StepDifference) -> str:
    groups = {"missing": difference.missing, "extra": difference.extra, "repeated": difference.repeated}
    found = [f"{group}: {', '.join(map(str, steps))}" for group, steps in groups.items() if steps]
    return "; ".join(found) or f"all {difference.matched} steps observed"


def _detail(difference: StepDifference) -> dict[str, Any]:
    return {
        "missing": list(difference.missing),
        "extra": list(difference.extra),
        "repeated": list(difference.repeated),
        "moved": list(difference.moved),
        "matched": difference.matched,
    }
