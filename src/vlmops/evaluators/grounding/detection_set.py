"""Expected and predicted boxes of many pictures as arrays, the form that set-level metrics work on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    Array = Any


@dataclass(frozen=True, slots=True, eq=False)
class DetectionSet:
    """Expected and predicted boxes of a set of pictures, row by row.

    Attributes:
        gold_image: Shape (g,), the picture of each expected box, 0..images-1.
        gold_category: Shape (g,), its class.
        gold_xywh: Shape (g, 4), left, top, width, height.
        gold_area: Shape (g,), what decides its size class; the mask's area in COCO's own files.
        gold_crowd: Shape (g,), true where it stands for a group: matched by many, counted by none.
        image: Shape (d,), the picture of each predicted box.
        category: Shape (d,).
        xywh: Shape (d, 4).
        score: Shape (d,), confidence; more is surer.
        images: How many pictures there are.
    """

    gold_image: Array
    gold_category: Array
    gold_xywh: Array
    gold_area: Array
    gold_crowd: Array
    image: Array
    category: Array
    xywh: Array
    score: Array
    images: int

    @classmethod
    def from_annotations(
        cls,
        gold: Iterable[Mapping[str, Any]],
        detections: Iterable[Mapping[str, Any]],
        images: Sequence[Hashable] | None = None,
    ) -> DetectionSet:
        """From COCO annotations and results: ``image_id``, ``category_id``, ``bbox`` (xywh), ``score``...

        Args:
            gold: Annotations, with ``iscrowd`` and ``area`` where known (else the box's own).
            detections: Results.
            images: All picture ids; those of ``gold`` and ``detections`` when ``None``. Results are ranked in
                the order of the sorted ids where confidences are equal, as in pycocotools.

        Raises:
            UsageError: A result belongs to no known picture.

        Example:
            >>> row = {"image_id": 7, "category_id": 1, "bbox": [0, 0, 10, 10]}
            >>> DetectionSet.from_annotations([row], [{**row, "score": 0.9}]).images
            1
        """
        gold, detections = list(gold), list(detections)
        known: set[Any] = {row["image_id"] for row in (*gold, *detections)} if images is None else set(images)
        order: dict[Any, int] = {image: index for index, image in enumerate(sorted(known))}
        strangers = {row["image_id"] for row in (*gold, *detections)} - set(order)
        if strangers:
            raise UsageError(f"boxes of pictures that are not in the set: {sorted(strangers)[:5]}")
        categories = sorted({row["category_id"] for row in (*gold, *detections)})
        numbers: dict[Any, int] = {category: index for index, category in enumerate(categories)}
        gold_xywh = _boxes([row["bbox"] for row in gold])
        area = gold_xywh[:, 2] * gold_xywh[:, 3]
        return cls(
            gold_image=_integers([order[row["image_id"]] for row in gold]),
            gold_category=_integers([numbers[row["category_id"]] for row in gold]),
            gold_xywh=gold_xywh,
            gold_area=_floats([row.get("area", own) for row, own in zip(gold, area, strict=True)]),
            gold_crowd=_integers([row.get("iscrowd", 0) for row in gold]).astype(bool),
            image=_integers([order[row["image_id"]] for row in detections]),
            category=_integers([numbers[row["category_id"]] for row in detections]),
            xywh=_boxes([row["bbox"] for row in detections]),
            score=_floats([row["score"] for row in detections]),
            images=len(order),
        )


def _boxes(rows: Sequence[Sequence[float]]) -> Array:
    import numpy as np

    return np.array(rows, dtype=float).reshape(-1, 4)


def _integers(values: Sequence[int]) -> Array:
    import numpy as np

    return np.array(values, dtype=np.int64)


def _floats(values: Sequence[float]) -> Array:
    import numpy as np

    return np.array(values, dtype=float)
