"""Accuracy of points: do they fall into the expected region?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.errors import ImageError
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.grounding.places import PlaceEvaluator
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score
from vlmops.geometry.location import locate_boxes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from vlmops.evaluators.case import Case
    from vlmops.evaluators.evaluator import Result
    from vlmops.geometry import Box, Point


def points_in_mask(points: Sequence[tuple[float, float]], mask: ArrayLike) -> list[bool]:
    """For each point, whether the mask is set at its pixel; a point outside of the mask is not.

    Args:
        points: x and y in pixels of the mask; fractions are cut off.
        mask: Shape (height, width), true where a point is right.

    Example:
        >>> points_in_mask([(1.9, 0), (2, 0), (-0.5, 0)], [[False, True]])
        [True, False, False]
    """
    import numpy as np

    table = np.asarray(mask, dtype=bool)
    height, width = table.shape
    return [bool(0 <= x < width and 0 <= y < height and table[int(y), int(x)]) for x, y in points]


def points_in_boxes(points: Sequence[tuple[float, float]], boxes: Sequence[Box]) -> list[bool]:
    """For each point, whether it lies in any of the boxes, edges included.

    Example:
        >>> from vlmops.geometry import Box
        >>> points_in_boxes([(5, 5), (50, 5)], [Box(0, 0, 10, 10)])
        [True, False]
    """
    return [any(box.contains(x, y) for box in boxes) for x, y in points]


@register("point_accuracy")
@dataclass(frozen=True, kw_only=True)
class PointAccuracy(PlaceEvaluator):
    """Share of the predicted points that fall into the expected boxes or mask.

    The expected value is a box, boxes, or a mask picture of the original's size (white is right). Edges of
    boxes are included, mask pixels are half-open. An answer with no point at all is unparsable; one that says
    that there is nothing (an empty list) scores 0, or 1 if nothing was expected either.

    Example:
        >>> PointAccuracy(convention="pixels").compare("(5, 5) and (50, 5)", [0, 0, 10, 10]).value
        0.5
    """

    default_name: ClassVar[str] = "point_accuracy"

    def judge(self, case: Case, output: Any, expected: Any) -> Result:
        """Score the points of an answer."""
        located = self.points(case, output)
        if isinstance(located, Failure):
            return located
        region = self._region(case, expected, located.places)
        if isinstance(region, Failure):
            return region
        hits, boxes, empty = region
        value = sum(hits) / len(hits) if hits else float(empty)
        note = f"{sum(hits)} of {len(hits)} points fall into the expected region"
        return Score(
            self.name,
            value,
            explanation=note,
            metadata={"hits": hits, "located": located.to_json()},
            evidence=self.evidence(case, boxes, located.places, f"{self.name}: {note}"),
        )

    def _region(
        self, case: Case, expected: Any, points: Sequence[Point]
    ) -> tuple[list[bool], Sequence[Box], bool] | Failure:
        """Hits, the expected boxes to draw, and whether nothing was expected."""
        from vlmops.images import Image

        places = [point.xy for point in points]
        if isinstance(expected, Image):
            try:
                mask = expected.to_array()[..., 0] >= 128
            except ImageError as error:
                return self.failure(FailureKind.BAD_IMAGE, f"expected mask: {error}")
            return points_in_mask(places, mask), (), not mask.any()
        gold = self.gold(locate_boxes, case, expected)
        if isinstance(gold, Failure):
            return gold
        return points_in_boxes(places, gold.places), gold.places, not gold.places
