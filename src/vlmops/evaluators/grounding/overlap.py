"""How much two boxes agree: IoU and its relatives, pairwise over arrays."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from vlmops.geometry import Box

    Array = Any
    Boxes = ArrayLike | Sequence[Box]

Overlap = Literal["iou", "giou", "diou"]
"""Which measure of overlap."""


def as_xyxy(boxes: Boxes) -> Array:
    """Boxes as a float array of shape (n, 4), left, top, right, bottom.

    Example:
        >>> from vlmops.geometry import Box
        >>> as_xyxy([Box(0, 0, 2, 2)]).shape, as_xyxy([]).shape
        ((1, 4), (0, 4))
    """
    import numpy as np

    rows: Any = boxes
    if isinstance(boxes, list | tuple):
        rows = [getattr(box, "xyxy", box) for box in boxes]
    return np.asarray(rows, dtype=float).reshape(-1, 4)


def iou(predicted: Boxes, expected: Boxes, *, crowd: ArrayLike | None = None) -> Array:
    """Intersection over union of each predicted with each expected box.

    Boxes without area overlap nothing: 0, as in pycocotools. Where ``crowd`` is set, the intersection is
    divided by the predicted box's area alone.

    Args:
        predicted: Shape (n, 4), xyxy.
        expected: Shape (m, 4), xyxy.
        crowd: Shape (m,), true where the expected box stands for a group.

    Returns:
        Shape (n, m), 0..1, more is better.

    Example:
        >>> iou([[0, 0, 10, 10]], [[0, 0, 10, 5], [10, 0, 20, 10]]).tolist()
        [[0.5, 0.0]]
    """
    import numpy as np

    left, right = as_xyxy(predicted)[:, None], as_xyxy(expected)[None]
    overlap, union = _overlap_and_union(left, right)
    if crowd is not None:
        union = np.where(np.asarray(crowd, dtype=bool), _area(left), union)
    return _ratio(overlap, union)


def integer_iou(predicted: Boxes, expected: Boxes) -> Array:
    """IoU after cutting coordinates down to integers, as OCRBench v2 computes it.

    Boxes in 0..1 become empty by it, so it always gives 0 for them.

    Example:
        >>> integer_iou([[0.1, 0.1, 0.9, 0.9]], [[0.1, 0.1, 0.9, 0.9]]).tolist()
        [[0.0]]
    """
    import numpy as np

    return iou(np.trunc(as_xyxy(predicted)), np.trunc(as_xyxy(expected)))


def giou(predicted: Boxes, expected: Boxes) -> Array:
    """Generalised IoU: IoU less the share of the enclosing box that neither covers (Rezatofighi et al. 2019).

    Returns:
        Shape (n, m), above -1 and up to 1, more is better; NaN where two boxes without area touch.

    Example:
        >>> giou([[0, 0, 10, 10]], [[10, 0, 20, 10]]).tolist()
        [[0.0]]
    """
    left, right = as_xyxy(predicted)[:, None], as_xyxy(expected)[None]
    _, union = _overlap_and_union(left, right)
    width, height = _enclosing_sides(left, right)
    enclosing = width * height
    return _iou_or_nan(left, right) - _ratio(enclosing - union, enclosing, math.nan)


def diou(predicted: Boxes, expected: Boxes) -> Array:
    """Distance IoU: IoU less the squared distance of the centres over the squared enclosing diagonal.

    After Zheng et al. 2020; :func:`powerboxes_diou` is what powerboxes computes under this name.

    Returns:
        Shape (n, m), above -1 and up to 1, more is better; NaN where two boxes without area touch.

    Example:
        >>> diou([[0, 0, 10, 10]], [[0, 0, 10, 5]]).tolist()
        [[0.46875]]
    """
    left, right = as_xyxy(predicted)[:, None], as_xyxy(expected)[None]
    width, height = _enclosing_sides(left, right)
    return _iou_or_nan(left, right) - _ratio(_squared_distance(left, right), width**2 + height**2)


def powerboxes_diou(predicted: Boxes, expected: Boxes) -> Array:
    """DIoU as powerboxes 0.3 computes it: over the diagonal of the *intersection*, and 0 for disjoint boxes.

    It is not the paper's DIoU and has no lower bound (touching boxes give -1 or -infinity); it is here to
    compare with figures made by that package.

    Returns:
        Shape (n, m), up to 1; NaN where two boxes without area touch.

    Example:
        >>> powerboxes_diou([[0, 0, 10, 10]], [[10, 0, 20, 10], [20, 0, 30, 10]]).tolist()
        [[-1.0, 0.0]]
    """
    import numpy as np

    left, right = as_xyxy(predicted)[:, None], as_xyxy(expected)[None]
    width, height = _shared_sides(left, right)
    with np.errstate(divide="ignore", invalid="ignore"):
        penalty = _squared_distance(left, right) / (width**2 + height**2)
        return np.where(_apart(left, right), 0.0, _iou_or_nan(left, right) - penalty)


def pairwise(measure: Overlap, predicted: Boxes, expected: Boxes) -> Array:
    """The named measure of each predicted with each expected box, shape (n, m).

    Example:
        >>> pairwise("giou", [[0, 0, 2, 2]], [[0, 0, 2, 2]]).tolist()
        [[1.0]]
    """
    return {"iou": iou, "giou": giou, "diou": diou}[measure](predicted, expected)


def _overlap_and_union(left: Array, right: Array) -> tuple[Array, Array]:
    import numpy as np

    width, height = _shared_sides(left, right)
    overlap = np.maximum(width, 0) * np.maximum(height, 0)
    return overlap, _area(left) + _area(right) - overlap


def _iou_or_nan(left: Array, right: Array) -> Array:
    """IoU; NaN where it is 0/0 and the boxes are not even apart."""
    import numpy as np

    return np.where(_apart(left, right), 0.0, _ratio(*_overlap_and_union(left, right), math.nan))


def _apart(left: Array, right: Array) -> Array:
    width, height = _shared_sides(left, right)
    return (width < 0) | (height < 0)


def _shared_sides(left: Array, right: Array) -> tuple[Array, Array]:
    """Width and height of the intersection, negative where boxes are apart."""
    import numpy as np

    return (
        np.minimum(left[..., 2], right[..., 2]) - np.maximum(left[..., 0], right[..., 0]),
        np.minimum(left[..., 3], right[..., 3]) - np.maximum(left[..., 1], right[..., 1]),
    )


def _enclosing_sides(left: Array, right: Array) -> tuple[Array, Array]:
    """Width and height of the smallest box around both."""
    import numpy as np

    return (
        np.maximum(left[..., 2], right[..., 2]) - np.minimum(left[..., 0], right[..., 0]),
        np.maximum(left[..., 3], right[..., 3]) - np.minimum(left[..., 1], right[..., 1]),
    )


def _area(boxes: Array) -> Array:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def _squared_distance(left: Array, right: Array) -> Array:
    """Between the centres."""
    across = (left[..., 0] + left[..., 2] - right[..., 0] - right[..., 2]) / 2
    down = (left[..., 1] + left[..., 3] - right[..., 1] - right[..., 3]) / 2
    return across**2 + down**2


def _ratio(top: Array, bottom: Array, undefined: float = 0.0) -> Array:
    import numpy as np

    result = np.full(np.broadcast_shapes(top.shape, bottom.shape), undefined)
    return np.divide(top, bottom, out=result, where=bottom > 0)
