"""COCO average precision and recall, the twelve figures of ``pycocotools``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from vlmops.evaluators.grounding.coco_matching import CocoMatches, match_coco

if TYPE_CHECKING:
    from vlmops.evaluators.grounding.detection_set import DetectionSet

    Array = Any

AREAS = {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
"""Size classes by area in square pixels, both ends included."""

MAX_DETECTIONS = (1, 10, 100)
"""How many detections per picture and class enter AR1, AR10 and everything else."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What one of the twelve figures is a mean of.

    Attributes:
        kind: Precision at the 101 recalls, or the greatest recall.
        area: Size class, a key of :data:`AREAS`.
        thresholds: First and one past the last of the ten IoU thresholds that enter.
        max_detections: How many detections per picture and class take part.
    """

    kind: Literal["precision", "recall"]
    area: str = "all"
    thresholds: tuple[int, int] = (0, 10)
    max_detections: int = MAX_DETECTIONS[-1]


FIGURES = {
    "AP": Figure("precision"),
    "AP50": Figure("precision", thresholds=(0, 1)),
    "AP75": Figure("precision", thresholds=(5, 6)),
    "APs": Figure("precision", "small"),
    "APm": Figure("precision", "medium"),
    "APl": Figure("precision", "large"),
    "AR1": Figure("recall", max_detections=MAX_DETECTIONS[0]),
    "AR10": Figure("recall", max_detections=MAX_DETECTIONS[1]),
    "AR100": Figure("recall"),
    "ARs": Figure("recall", "small"),
    "ARm": Figure("recall", "medium"),
    "ARl": Figure("recall", "large"),
}
"""The twelve figures by name, in the order in which pycocotools prints them."""

_NOTHING = -1.0


def coco_average_precision(boxes: DetectionSet) -> dict[str, float]:
    """The twelve COCO figures of a set of pictures, equal to ``pycocotools`` 2.0.11 to the last bit.

    ``AP`` is the mean over classes and the IoU thresholds .50 to .95 of the precision interpolated at 101
    recalls; ``AR`` the mean recall. Figures of small, medium and large boxes are -1 where no expected box has
    that size. Where confidences are equal, the order of the detections decides: a model that gives none has
    an arbitrary AP, so show F1 beside it.

    Returns:
        Figures by name, each 0..1 (more is better) or -1 when there is nothing to find.

    Example:
        >>> from vlmops.evaluators.grounding import DetectionSet
        >>> row = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 50, 50]}
        >>> figures = coco_average_precision(DetectionSet.from_annotations([row], [{**row, "score": 1}]))
        >>> round(figures["AP50"], 9), figures["APl"]
        (1.0, -1.0)
    """
    matches = match_all(boxes)
    return {name: figure_of(matches, figure) for name, figure in FIGURES.items()}


def match_all(boxes: DetectionSet) -> CocoMatches:
    """Matching at all ten thresholds and in all size classes, the basis of all twelve figures."""
    return match_coco(boxes, iou_thresholds(), area_ranges(), MAX_DETECTIONS[-1])


def figure_of(matches: CocoMatches, figure: Figure, weights: Array | None = None) -> float:
    """One figure of finished matching.

    Args:
        matches: From :func:`match_all`.
        figure: Which one.
        weights: Shape (images,), how often each picture counts; once each when ``None``.
    """
    import numpy as np

    area = list(AREAS).index(figure.area)
    counted = ~matches.gold_ignored[area]
    categories: Any = np.unique(matches.gold_category[counted])
    gold_weights = None if weights is None else weights[matches.gold_image[counted]]
    positives: Any = np.bincount(matches.gold_category[counted], gold_weights)
    curves = [
        _curve(matches, figure, area, category, positives[category], weights)
        for category in categories
        if positives[category] > 0
    ]
    # Summing in pycocotools' order (thresholds, recalls, classes) keeps the mean equal to the last bit.
    return float(np.stack(curves, axis=-1).mean()) if curves else _NOTHING


def iou_thresholds() -> Array:
    """The ten IoU thresholds .50, .55, ... .95."""
    import numpy as np

    return np.linspace(0.5, 0.95, 10)


def recall_grid() -> Array:
    """The 101 recalls 0, .01, ... 1 at which precision is read."""
    import numpy as np

    return np.linspace(0.0, 1.0, 101)


def area_ranges() -> Array:
    """The size classes as an array, in the order of :data:`AREAS`."""
    import numpy as np

    return np.array(list(AREAS.values()))


def _curve(
    matches: CocoMatches, figure: Figure, area: int, category: Any, positives: float, weights: Array | None
) -> Array:
    """Precision (t, 101) or recall (t,) of one class."""
    import numpy as np

    start, stop = np.searchsorted(matches.category, [category, category + 1])
    rows = start + np.flatnonzero(matches.rank[start:stop] < figure.max_detections)
    rows = rows[np.argsort(-matches.score[rows], kind="stable")]
    first, last = figure.thresholds
    counts = ~matches.ignored[area, first:last][:, rows]
    right = matches.matched[area, first:last][:, rows]
    precision, recall = interpolate(
        right & counts, ~right & counts, positives, None if weights is None else weights[matches.image[rows]]
    )
    return precision if figure.kind == "precision" else recall


def interpolate(
    right: Array, wrong: Array, positives: float, weights: Array | None = None
) -> tuple[Array, Array]:
    """Precision at the 101 recalls, and the greatest recall, of ranked detections.

    Args:
        right: Shape (t, d), true positives, surest first.
        wrong: Shape (t, d), false positives.
        positives: How many boxes are to be found.
        weights: Shape (d,), how often each detection counts.

    Returns:
        Precision of shape (t, 101) and recall of shape (t,).
    """
    import numpy as np

    grid = recall_grid()
    precision = np.zeros((len(right), len(grid)))
    if right.shape[1] == 0:
        return precision, np.zeros(len(right))
    if weights is not None:
        right, wrong = right * weights, wrong * weights
    hits, misses = np.cumsum(right, axis=1, dtype=float), np.cumsum(wrong, axis=1, dtype=float)
    recall: Any = hits / positives
    falling = hits / (misses + hits + np.spacing(1))
    envelope: Any = np.maximum.accumulate(falling[:, ::-1], axis=1)[:, ::-1]
    for row in range(len(right)):
        place: Any = np.searchsorted(recall[row], grid, side="left")
        reached = place < recall.shape[1]
        precision[row, reached] = envelope[row, place[reached]]
    return precision, recall[:, -1]
