"""COCO's greedy matching of detections, for all pictures, thresholds and size classes at once.

The rules are those of ``pycocotools.cocoeval``: within a picture and class, detections take their turn by
falling confidence (stable); each takes the free expected box of greatest IoU at or above the threshold (the
last of equals), preferring boxes that count over ignored ones; crowds are ignored and never used up.

Only pairs at or above the least threshold can ever match, so they alone are kept; then the n-th detections of
all pictures are matched in one step. There are as many steps as detections in the fullest picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vlmops.evaluators.grounding.detection_set import DetectionSet

    Array = Any

# IoU is compared with at most this, as in pycocotools, so that rounding cannot deny a perfect box.
_ALMOST_ONE = 1 - 1e-10
_CHUNK_PAIRS = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class CocoMatches:
    """Outcome of matching; ``a`` size classes, ``t`` thresholds, ``d`` detections.

    Detections are those within ``max_detections`` per picture and class, sorted by class, picture and rank.

    Attributes:
        category: Shape (d,).
        image: Shape (d,).
        rank: Shape (d,), place within its picture and class, 0 is the surest.
        score: Shape (d,).
        matched: Shape (a, t, d), whether it found an expected box.
        ignored: Shape (a, t, d), whether it counts neither as right nor as wrong.
        gold_category: Shape (g,).
        gold_image: Shape (g,).
        gold_ignored: Shape (a, g), whether the expected box counts.
    """

    category: Array
    image: Array
    rank: Array
    score: Array
    matched: Array
    ignored: Array
    gold_category: Array
    gold_image: Array
    gold_ignored: Array


def match_coco(boxes: DetectionSet, thresholds: Array, areas: Array, max_detections: int) -> CocoMatches:
    """Match all detections of a set.

    Args:
        boxes: The set.
        thresholds: Shape (t,), least IoU.
        areas: Shape (a, 2), least and greatest area of each size class, inclusive.
        max_detections: How many per picture and class take part.
    """
    import numpy as np

    chosen, rank = _ranked(boxes, max_detections)
    category, image = boxes.category[chosen], boxes.image[chosen]
    xywh = boxes.xywh[chosen]
    area, gold_area = xywh[:, 2] * xywh[:, 3], boxes.gold_area
    gold_ignored = boxes.gold_crowd | _outside(gold_area, areas)
    limits = np.minimum(thresholds, _ALMOST_ONE)
    shape = (len(areas), len(limits), len(chosen))
    matched, ignored = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    pairs = _candidate_pairs(boxes, category, image, xywh, float(limits.min()))
    taken = np.zeros((len(areas), len(limits), len(gold_area)), dtype=bool)
    for detection, gold, overlap in _by_turn(*pairs, rank):
        _match_turn(detection, gold, overlap, limits, gold_ignored, boxes.gold_crowd, taken, matched, ignored)
    ignored |= ~matched & _outside(area, areas)[:, None, :]
    return CocoMatches(
        category, image, rank, boxes.score[chosen], matched, ignored,
        boxes.gold_category, boxes.gold_image, gold_ignored,
    )  # fmt: skip


def _ranked(boxes: DetectionSet, max_detections: int) -> tuple[Array, Array]:
    """Rows sorted by class, picture and falling confidence, cut to the first of each; and their rank."""
    import numpy as np

    order = np.lexsort((-boxes.score, boxes.image, boxes.category))
    group = boxes.category[order] * boxes.images + boxes.image[order]
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]]) if len(group) else np.zeros(0, dtype=int)
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    kept = rank < max_detections
    return order[kept], rank[kept]


def _outside(area: Array, areas: Array) -> Array:
    return (area < areas[:, :1]) | (area > areas[:, 1:])


def _candidate_pairs(
    boxes: DetectionSet, category: Array, image: Array, xywh: Array, least: float
) -> tuple[Array, Array, Array]:
    """Detections and expected boxes of one picture and class whose IoU reaches ``least``, and that IoU."""
    import numpy as np

    gold_group = boxes.gold_category * boxes.images + boxes.gold_image
    gold_order = np.argsort(gold_group, kind="stable")
    sorted_group = gold_group[gold_order]
    group = category * boxes.images + image
    first = np.searchsorted(sorted_group, group, side="left")
    count = np.searchsorted(sorted_group, group, side="right") - first
    kept: list[tuple[Array, Array, Array]] = []
    for start, stop in _chunks(count):
        detection = np.repeat(np.arange(start, stop), count[start:stop])
        within = np.arange(len(detection)) - np.repeat(
            np.cumsum(count[start:stop]) - count[start:stop], count[start:stop]
        )
        gold = gold_order[first[detection] + within]
        overlap = _iou(xywh[detection], boxes.gold_xywh[gold], boxes.gold_crowd[gold])
        enough = overlap >= least
        kept.append((detection[enough], gold[enough], overlap[enough]))
    detections, golds, overlaps = zip(*kept, strict=True) if kept else ((), (), ())
    empty = np.zeros(0, dtype=np.int64)
    return (
        np.concatenate([empty, *detections]),
        np.concatenate([empty, *golds]),
        np.concatenate([np.zeros(0), *overlaps]),
    )


def _chunks(count: Array) -> Iterator[tuple[int, int]]:
    """Ranges of rows with about as many pairs as fit in memory."""
    import numpy as np

    total = np.cumsum(count)
    start = 0
    while start < len(count):
        before = total[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(total, before + _CHUNK_PAIRS, side="right")))
        yield start, stop
        start = stop


def _iou(detection: Array, gold: Array, crowd: Array) -> Array:
    """IoU of pairs, in pycocotools' own order of operations."""
    import numpy as np

    ends = np.minimum(detection[:, :2] + detection[:, 2:], gold[:, :2] + gold[:, 2:])
    sides = ends - np.maximum(detection[:, :2], gold[:, :2])
    overlap = np.where((sides > 0).all(axis=1), sides[:, 0] * sides[:, 1], 0.0)
    area, gold_area = detection[:, 2] * detection[:, 3], gold[:, 2] * gold[:, 3]
    union = np.where(crowd, area, area + gold_area - overlap)
    return np.divide(overlap, union, out=np.zeros_like(overlap), where=overlap > 0)


def _by_turn(
    detection: Array, gold: Array, overlap: Array, rank: Array
) -> Iterator[tuple[Array, Array, Array]]:
    """The pairs of all surest detections, then those of all second surest, and so on.

    Within a detection the pairs rise by IoU and list order, so that of the allowed ones the last is best.
    """
    import numpy as np

    turn = rank[detection]
    order = np.lexsort((gold, overlap, detection, turn))
    detection, gold, overlap, turn = detection[order], gold[order], overlap[order], turn[order]
    bounds = np.flatnonzero(np.r_[True, turn[1:] != turn[:-1], True]) if len(turn) else np.zeros(1, dtype=int)
    for start, stop in pairwise(bounds):
        yield detection[start:stop], gold[start:stop], overlap[start:stop]


def _match_turn(
    detection: Array,
    gold: Array,
    overlap: Array,
    limits: Array,
    gold_ignored: Array,
    crowd: Array,
    taken: Array,
    matched: Array,
    ignored: Array,
) -> None:
    """One detection of each picture takes its box, in every size class and at every threshold."""
    import numpy as np

    starts = np.flatnonzero(np.r_[True, detection[1:] != detection[:-1]])
    sizes = np.diff(np.r_[starts, len(detection)])
    place = np.arange(len(detection))
    # Any box that counts comes before any ignored one; among either the last place wins.
    worth = np.where(gold_ignored[:, gold], place, place + len(detection))
    allowed = (overlap >= limits[:, None]) & (~taken[:, :, gold] | crowd[gold])
    value = np.where(allowed, worth[:, None, :], -1)
    best = np.maximum.reduceat(value, starts, axis=2)
    won = allowed & (value == np.repeat(best, sizes, axis=2))
    area, threshold, pair = np.nonzero(won)
    matched[area, threshold, detection[pair]] = True
    ignored[area, threshold, detection[pair]] = gold_ignored[area, gold[pair]]
    taken[area, threshold, gold[pair]] = True
