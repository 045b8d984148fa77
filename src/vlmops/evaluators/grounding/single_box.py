"""Evaluators of one place per question, as in referring expressions: IoU and accuracy."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.grounding.matching import assign
from vlmops.evaluators.grounding.overlap import Overlap, iou, pairwise
from vlmops.evaluators.grounding.places import PlaceEvaluator
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.evaluators.case import Case
    from vlmops.evaluators.evaluator import Result
    from vlmops.geometry import Box, Located

Take = Literal["all", "first", "last", "surest"]
"""Which of several boxes of an answer count."""


def center_inside(predicted: Sequence[float], expected: Sequence[float]) -> bool:
    """Whether the centre of the predicted box lies in the expected one, edges included.

    Args:
        predicted: Left, top, right, bottom.
        expected: The same.

    Example:
        >>> center_inside([0, 0, 10, 10], [5, 0, 15, 10])
        True
    """
    x, y = (predicted[0] + predicted[2]) / 2, (predicted[1] + predicted[3]) / 2
    return expected[0] <= x <= expected[2] and expected[1] <= y <= expected[3]


@dataclass(frozen=True, kw_only=True)
class BoxEvaluator(PlaceEvaluator):
    """Base of evaluators that give one figure for the boxes of one answer.

    Attributes:
        take: Which of several boxes of an answer count. Benchmarks take the first (lmms-eval) or the last
            (OCRBench v2); ``all`` charges for boxes too many.
    """

    take: Take = "all"

    def judge(self, case: Case, output: Any, expected: Any) -> Result:
        """Score the boxes of an answer."""
        sides = self.boxes(case, output, expected)
        if isinstance(sides, Failure):
            return sides
        predicted, gold = taken(sides[0].places, self.take), sides[1].places
        if any(box.area == 0 for box in gold):
            return self.failure(FailureKind.MISSING_EXPECTED, "an expected box has no area")
        score = self.score(predicted, gold)
        return Score(
            score.name,
            score.value,
            explanation=score.explanation,
            range=score.range,
            metadata={**score.metadata, **_reading(sides[0])},
            evidence=self.evidence(case, gold, predicted, f"{score.name}: {score.explanation}"),
        )

    @abstractmethod
    def score(self, predicted: Sequence[Box], gold: Sequence[Box]) -> Score:
        """Score boxes in pixels of the original."""


@dataclass(frozen=True, kw_only=True)
class BoxOverlapEvaluator(BoxEvaluator):
    """Base of IoU and its relatives.

    With one box on either side the value is their overlap. With several, the best one-to-one assignment is
    averaged over the longer side, and a box left alone counts as the least possible overlap; nothing on
    either side is 1.
    """

    measure: ClassVar[Overlap]
    least: ClassVar[float] = 0.0

    def score(self, predicted: Sequence[Box], gold: Sequence[Box]) -> Score:
        """Mean overlap of assigned boxes."""
        longer = max(len(predicted), len(gold))
        table = pairwise(self.measure, list(predicted), list(gold)) if predicted and gold else None
        overlaps = [] if table is None else [float(value) for value in table[assign(table)]]
        alone = longer - len(overlaps)
        value = (sum(overlaps) + alone * self.least) / longer if longer else 1.0
        return Score(
            self.name,
            value,
            explanation=_counts(predicted, gold) + (f", {alone} without a partner" if alone else ""),
            range=(self.least, 1.0),
            metadata={"overlaps": overlaps},
        )


@register("box_iou")
@dataclass(frozen=True, kw_only=True)
class BoxIou(BoxOverlapEvaluator):
    """Intersection over union of predicted and expected box: 0 is apart, 1 is equal.

    Example:
        >>> BoxIou(convention="pixels").compare("[0, 0, 10, 10]", [0, 0, 10, 5]).value
        0.5
    """

    default_name: ClassVar[str] = "box_iou"
    measure: ClassVar[Overlap] = "iou"


@register("box_giou")
@dataclass(frozen=True, kw_only=True)
class BoxGiou(BoxOverlapEvaluator):
    """Generalised IoU: tells near misses from far ones; -1 is far apart, 1 is equal.

    Example:
        >>> BoxGiou(convention="pixels").compare([0, 0, 10, 10], [10, 0, 20, 10]).value
        0.0
    """

    default_name: ClassVar[str] = "box_giou"
    measure: ClassVar[Overlap] = "giou"
    least: ClassVar[float] = -1.0


@register("box_diou")
@dataclass(frozen=True, kw_only=True)
class BoxDiou(BoxOverlapEvaluator):
    """Distance IoU: IoU less the distance of the centres; -1 is far apart, 1 is equal.

    Example:
        >>> BoxDiou(convention="pixels").compare([0, 0, 10, 10], [0, 0, 10, 5]).value
        0.46875
    """

    default_name: ClassVar[str] = "box_diou"
    measure: ClassVar[Overlap] = "diou"
    least: ClassVar[float] = -1.0


@register("accuracy_at_iou")
@dataclass(frozen=True, kw_only=True)
class AccuracyAtIou(BoxEvaluator):
    """Whether the box is right: IoU at or above a threshold (Acc@0.5 of RefCOCO).

    With several boxes, whether every expected one is met by one of its own and none is left over.

    Attributes:
        threshold: Least IoU, inclusive.

    Example:
        >>> AccuracyAtIou(convention="pixels").compare("[0, 0, 10, 10]", [0, 0, 10, 5]).value
        True
    """

    default_name: ClassVar[str] = "accuracy_at_iou"

    threshold: float = 0.5

    def score(self, predicted: Sequence[Box], gold: Sequence[Box]) -> Score:
        """Whether all boxes are met."""
        table = iou(list(predicted), list(gold))
        met = _met(table >= self.threshold)
        best = f", best IoU {table.max():.3f}" if table.size else ""
        return Score(
            self.name,
            met == len(gold) == len(predicted),
            explanation=f"{met} of {len(gold)} met at {self.threshold:g}, {len(predicted)} predicted{best}",
            metadata={"met": met, "expected": len(gold), "predicted": len(predicted)},
        )


@register("center_accuracy")
@dataclass(frozen=True, kw_only=True)
class CenterAccuracy(BoxEvaluator):
    """Whether the centre of the predicted box lies in the expected box, edges included.

    With several boxes, whether every expected one is met by one of its own and none is left over.

    Example:
        >>> CenterAccuracy(convention="pixels").compare("[0, 0, 10, 10]", [5, 0, 15, 10]).value
        True
    """

    default_name: ClassVar[str] = "center_accuracy"

    def score(self, predicted: Sequence[Box], gold: Sequence[Box]) -> Score:
        """Whether all centres hit."""
        import numpy as np

        hits = np.array([[center_inside(p.xyxy, g.xyxy) for g in gold] for p in predicted])
        met = _met(hits.reshape(len(predicted), len(gold)))
        return Score(
            self.name,
            met == len(gold) == len(predicted),
            explanation=f"{met} of {len(gold)} met, {len(predicted)} predicted",
            metadata={"met": met, "expected": len(gold), "predicted": len(predicted)},
        )


def taken(boxes: Sequence[Box], take: Take) -> tuple[Box, ...]:
    """The boxes that count; ``surest`` is the first of greatest confidence.

    Example:
        >>> from vlmops.geometry import Box
        >>> [box.x2 for box in taken([Box(0, 0, 1, 1), Box(0, 0, 2, 2)], "last")]
        [2]
    """
    if not boxes or take == "all":
        return tuple(boxes)
    if take == "surest":
        return (max(boxes, key=lambda box: float("-inf") if box.score is None else box.score),)
    return (boxes[0 if take == "first" else -1],)


def _met(hits: Any) -> int:
    """How many boxes can be paired off, at most."""
    return int(hits[assign(hits)].sum()) if hits.size else 0


def _counts(predicted: Sequence[Box], gold: Sequence[Box]) -> str:
    return f"{len(predicted)} predicted, {len(gold)} expected"


def _reading(located: Located[Box]) -> dict[str, Any]:
    return {"located": located.to_json()}
