"""F1 of boxes at an IoU threshold, per answer and over a set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.evaluators.failure import Failure
from vlmops.evaluators.grounding.matching import Match, Method, match_boxes
from vlmops.evaluators.grounding.overlap import iou
from vlmops.evaluators.grounding.places import PlaceEvaluator
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score, SetScore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.evaluators.case import Case
    from vlmops.evaluators.evaluator import Result
    from vlmops.geometry import Box


@dataclass(frozen=True, slots=True)
class BoxCounts:
    """How many boxes were found.

    Attributes:
        found: Expected boxes met by a prediction (true positives).
        wrong: Predictions that meet nothing (false positives).
        missed: Expected boxes met by nothing (false negatives).
        matches: The pairs.
    """

    found: int
    wrong: int
    missed: int
    matches: tuple[Match, ...] = ()

    @property
    def precision(self) -> float:
        """Share of the predictions that are right, 0..1; 1 when there is none."""
        return self.found / (self.found + self.wrong) if self.found + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Share of the expected boxes that were found, 0..1; 1 when there is none."""
        return self.found / (self.found + self.missed) if self.found + self.missed else 1.0

    @property
    def f1(self) -> float:
        """``2 found / (2 found + wrong + missed)``, 0..1; 1 when there is nothing on either side."""
        doubled = 2 * self.found
        return doubled / (doubled + self.wrong + self.missed) if doubled + self.wrong + self.missed else 1.0


def count_boxes(
    predicted: Sequence[Box],
    expected: Sequence[Box],
    *,
    threshold: float = 0.5,
    method: Method = "hungarian",
    labels: bool = True,
) -> BoxCounts:
    """Match boxes and count.

    Args:
        predicted: Boxes of the answer.
        expected: Boxes that should be found.
        threshold: Least IoU of a pair, inclusive.
        method: ``hungarian`` finds the most pairs; ``greedy`` follows confidence, as COCO does.
        labels: Whether a pair must have the same label, without regard to case and outer blanks. Where either
            side of a pair has no label, place alone decides.

    Example:
        >>> from vlmops.geometry import Box
        >>> cups = [Box(0, 0, 10, 10, "cup"), Box(50, 50, 60, 60, "cup")]
        >>> counts = count_boxes([Box(0, 0, 10, 10, "Cup")], cups)
        >>> counts.found, counts.missed, round(counts.f1, 3)
        (1, 1, 0.667)
    """
    table = iou(list(predicted), list(expected))
    if labels:
        for row, box in enumerate(predicted):
            for column, gold in enumerate(expected):
                if _differ(box.label, gold.label):
                    table[row, column] = -1.0
    matches = match_boxes(table, threshold, method=method, scores=[box.score for box in predicted])
    found = len(matches)
    return BoxCounts(found, len(predicted) - found, len(expected) - found, tuple(matches))


@register("box_f1")
@dataclass(frozen=True, kw_only=True)
class BoxF1(PlaceEvaluator):
    """F1 of predicted boxes at an IoU threshold: missed and superfluous boxes both cost.

    Needs no confidence, unlike average precision. Over a set, counts are summed first (micro F1).

    Attributes:
        threshold: Least IoU of a pair, inclusive.
        method: How pairs are found, see :func:`count_boxes`.
        labels: Whether pairs must have the same label.

    Example:
        >>> answer = '[{"bbox_2d": [0, 0, 10, 10], "label": "cup"}]'
        >>> gold = [{"bbox": [0, 0, 10, 10], "label": "cup"}, {"bbox": [50, 50, 60, 60], "label": "cup"}]
        >>> score = BoxF1(convention="pixels").compare(answer, gold)
        >>> round(score.value, 3), score.explanation
        (0.667, '1 found, 0 wrong, 1 missed at IoU 0.5')
    """

    default_name: ClassVar[str] = "box_f1"

    threshold: float = 0.5
    method: Method = "hungarian"
    labels: bool = True

    def judge(self, case: Case, output: Any, expected: Any) -> Result:
        """Score the boxes of an answer."""
        sides = self.boxes(case, output, expected)
        if isinstance(sides, Failure):
            return sides
        predicted, gold = sides
        counts = self._count(predicted.places, gold.places)
        note = f"{counts.found} found, {counts.wrong} wrong, {counts.missed} missed at IoU {self.threshold:g}"
        return Score(
            self.name,
            counts.f1,
            explanation=note,
            metadata={
                "precision": counts.precision,
                "recall": counts.recall,
                "found": counts.found,
                "wrong": counts.wrong,
                "missed": counts.missed,
                "matches": [[match.predicted, match.expected, match.overlap] for match in counts.matches],
                "located": predicted.to_json(),
            },
            evidence=self.evidence(case, gold.places, predicted.places, f"{self.name}: {note}"),
        )

    def evaluate_set(self, cases: Sequence[Case]) -> SetScore | Failure:
        """Micro F1 over all cases, with the interval over pictures."""
        from vlmops.statistics import bootstrap_ratio

        read = self.read_set(cases, self._counts_of)
        if isinstance(read, Failure):
            return read
        doubled = [2 * counts.found for counts in read.values]
        totals = [2 * counts.found + counts.wrong + counts.missed for counts in read.values]
        summed = BoxCounts(
            sum(counts.found for counts in read.values),
            sum(counts.wrong for counts in read.values),
            sum(counts.missed for counts in read.values),
        )
        return SetScore(
            self.name,
            summed.f1,
            n=read.n,
            failures=read.failures,
            interval=bootstrap_ratio(doubled, totals, clusters=read.clusters),
            explanation=f"{summed.found} found, {summed.wrong} wrong, {summed.missed} missed "
            f"at IoU {self.threshold:g}",
            metadata={"precision": summed.precision, "recall": summed.recall},
        )

    def _counts_of(self, case: Case) -> BoxCounts | Failure:
        sides = self.sides(case)
        located = sides if isinstance(sides, Failure) else self.boxes(case, *sides)
        if isinstance(located, Failure):
            return located
        return self._count(located[0].places, located[1].places)

    def _count(self, predicted: Sequence[Box], expected: Sequence[Box]) -> BoxCounts:
        return count_boxes(
            predicted, expected, threshold=self.threshold, method=self.method, labels=self.labels
        )


def _differ(label: str, other: str) -> bool:
    return bool(label and other) and label.strip().casefold() != other.strip().casefold()
