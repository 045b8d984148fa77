"""Mean average precision over a set of cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.errors import EvaluatorError
from vlmops.evaluators.failure import Failure
from vlmops.evaluators.grounding.average_precision import FIGURES, figure_of, match_all
from vlmops.evaluators.grounding.detection_set import DetectionSet
from vlmops.evaluators.grounding.f1 import BoxF1
from vlmops.evaluators.grounding.places import PlaceEvaluator
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import SetScore
from vlmops.geometry.syntax import places_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vlmops.evaluators.bases import Readings
    from vlmops.evaluators.case import Case
    from vlmops.evaluators.evaluator import Result
    from vlmops.evaluators.grounding.coco_matching import CocoMatches
    from vlmops.evaluators.score import Interval
    from vlmops.geometry import Box

_RESAMPLES = 200


@register("mean_average_precision")
@dataclass(frozen=True, kw_only=True)
class MeanAveragePrecision(PlaceEvaluator):
    """COCO average precision of all boxes of a set: for models that give a confidence.

    Every case is one picture. Classes are labels, without regard to case. Objects of the expected value may
    carry ``iscrowd`` and ``area``. A case of its own has no average precision: ``evaluate`` gives
    ``<name>.f1``, its F1 at IoU 0.5, which also tells what a model is worth that gives no confidence.

    Attributes:
        figure: Which of the twelve COCO figures is the value; the others are in the metadata.
        labels: Whether classes count; without them all boxes are of one class.

    Example:
        >>> from vlmops.evaluators import Case
        >>> gold = [{"bbox": [0, 0, 50, 50], "label": "cup"}]
        >>> cases = [Case(output=[{"bbox": [0, 0, 50, 50], "label": "cup", "score": 0.9}], expected=gold)]
        >>> evaluator = MeanAveragePrecision(convention="pixels", figure="AP50")
        >>> round(evaluator.evaluate_set(cases).value, 9)
        1.0
    """

    default_name: ClassVar[str] = "mean_average_precision"

    figure: str = "AP"
    labels: bool = True

    def __post_init__(self) -> None:
        """Check the figure's name."""
        super().__post_init__()
        if self.figure not in FIGURES:
            raise EvaluatorError(f"no COCO figure is named {self.figure!r}; there are: {', '.join(FIGURES)}")

    def judge(self, case: Case, output: Any, expected: Any) -> Result:
        """F1 at IoU 0.5 of one case, by confidence."""
        single = BoxF1(
            name=self.part("f1"),
            convention=self.convention,
            expected_convention=self.expected_convention,
            picture=self.picture,
            seen_size=self.seen_size,
            overlay=self.overlay,
            method="greedy",
            labels=self.labels,
        )
        return single.judge(case, output, expected)

    def evaluate_set(self, cases: Sequence[Case]) -> SetScore | Failure:
        """The twelve figures over all cases that can be read."""
        read = self.read_set(cases, self._row)
        if isinstance(read, Failure):
            return read
        matches = match_all(_detection_set(read.values, labels=self.labels))
        figures = {name: figure_of(matches, figure) for name, figure in FIGURES.items()}
        confident = sum(box.score is not None for row in read.values for box in row.predicted)
        predicted = sum(len(row.predicted) for row in read.values)
        value = figures[self.figure]
        return SetScore(
            self.name,
            value if value >= 0 else float("nan"),
            n=read.n,
            failures=read.failures,
            interval=self._interval(matches, read) if value >= 0 else None,
            explanation=f"{self.figure} of {predicted} predicted boxes, {confident} with a confidence"
            + ("" if confident == predicted else "; where it is missing, list order decides: look at F1"),
            metadata={"figures": figures, "predicted": predicted, "with_confidence": confident},
        )

    def _row(self, case: Case) -> _Row | Failure:
        sides = self.sides(case)
        if isinstance(sides, Failure):
            return sides
        located = self.boxes(case, *sides)
        if isinstance(located, Failure):
            return located
        predicted, gold = located
        nodes = [found.node or {} for found in places_in(sides[1], "box") or ()]
        return _Row(predicted.places, gold.places, nodes or [{}] * len(gold.places))

    def _interval(self, matches: CocoMatches, read: Readings[_Row]) -> Interval | None:
        from vlmops.statistics import reweighted_interval

        def figure(weights: Any) -> float:
            value = figure_of(matches, FIGURES[self.figure], weights)
            return value if value >= 0 else float("nan")

        return reweighted_interval(figure, read.n, clusters=read.clusters, resamples=_RESAMPLES)


@dataclass(frozen=True, slots=True)
class _Row:
    predicted: Sequence[Box]
    gold: Sequence[Box]
    nodes: Sequence[Mapping[str, Any]]


def _detection_set(rows: Sequence[_Row], *, labels: bool) -> DetectionSet:
    gold: list[dict[str, Any]] = []
    detections: list[dict[str, Any]] = []
    for image, row in enumerate(rows):
        for box, node in zip(row.gold, row.nodes, strict=True):
            extra = {key: node[key] for key in ("iscrowd", "area") if key in node}
            gold.append({**_annotation(image, box, labels=labels), **extra})
        detections.extend(
            {**_annotation(image, box, labels=labels), "score": 1.0 if box.score is None else box.score}
            for box in row.predicted
        )
    return DetectionSet.from_annotations(gold, detections, range(len(rows)))


def _annotation(image: int, box: Box, *, labels: bool) -> dict[str, Any]:
    label = box.label.strip().casefold() if labels else ""
    return {"image_id": image, "category_id": label, "bbox": box.xywh}
