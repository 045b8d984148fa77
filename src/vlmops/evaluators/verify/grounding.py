"""Adapters of the grounding metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops.evaluators import grounding
from vlmops.evaluators.verify.comparison import Raised
from vlmops.geometry.reference_parsers import lmms_point_pixels, lmms_refcoco_box, ocrbench_v2_box

if TYPE_CHECKING:
    from vlmops.evaluators.verify.tables import Adapter
    from vlmops.evaluators.verify.vector import Vector


def _box_iou(vector: Vector) -> dict[str, Any]:
    predicted, gold = vector.input["pred_xyxy"], vector.input["gold_xyxy"]
    value = float(grounding.iou([predicted], [gold])[0, 0])
    empty = _area(predicted) == 0 and _area(gold) == 0
    return {
        "pycocotools": value,
        "pycocotools_crowd": float(grounding.iou([predicted], [gold], crowd=[True])[0, 0]),
        "lmms_eval": Raised("boxes without area: ours is 0, lmms-eval divides by zero") if empty else value,
        "vlmevalkit_refcoco": value,
        "ocrbench_v2_int": float(grounding.integer_iou([predicted], [gold])[0, 0]),
    }


def _area(box: list[float]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _giou(vector: Vector) -> float:
    return float(grounding.giou([vector.input["pred_xyxy"]], [vector.input["gold_xyxy"]])[0, 0])


def _diou(vector: Vector) -> float:
    """The reference is powerboxes; ours of that name is the paper's."""
    return float(grounding.powerboxes_diou([vector.input["pred_xyxy"]], [vector.input["gold_xyxy"]])[0, 0])


def _accuracy_at_iou(vector: Vector) -> dict[str, bool]:
    value = grounding.iou([vector.input["pred_xyxy"]], [vector.input["gold_xyxy"]])[0, 0]
    return {threshold: bool(value >= float(threshold)) for threshold in vector.expected}


def _center_accuracy(vector: Vector) -> bool:
    return grounding.center_inside(vector.input["pred_xyxy"], vector.input["gold_xyxy"])


def _hungarian(vector: Vector) -> dict[str, Any]:
    predicted, gold = (_corners(vector.input[side]) for side in ("pred_xywh", "gold_xywh"))
    table = grounding.iou(predicted, gold)
    rows, columns = grounding.assign(table)
    pairs = [[int(row), int(column)] for row, column in zip(rows, columns, strict=True)]
    return {"pairs": pairs, "iou": [float(table[row, column]) for row, column in pairs]}


def _corners(boxes: list[list[float]]) -> list[list[float]]:
    return [[x, y, x + width, y + height] for x, y, width, height in boxes]


def _box_parse(vector: Vector) -> Any:
    if "OCRBench" in vector.implementation:
        return ocrbench_v2_box(vector.input["text"])
    # lmms-eval goes on with zeros where ours reports an unparsable answer.
    return lmms_refcoco_box(vector.input["text"]) or [0, 0, 0, 0]


def _point_accuracy(vector: Vector) -> dict[str, Any]:
    import numpy as np

    width, height = vector.input["mask_size_wh"]
    mask = np.zeros((height, width), dtype=bool)
    mask[slice(*vector.input["mask_true_rows"]), slice(*vector.input["mask_true_cols"])] = True
    points = lmms_point_pixels(vector.input["text"], (width, height), vector.input["normalization"])
    hits = grounding.points_in_mask(points, mask)
    return {"points": points, "accuracy": sum(hits) / len(hits) if hits else 0.0}


def _coco_map(vector: Vector) -> Any:
    if not vector.input["detections"] and "raises" in vector.expected:
        return Raised("no detections: ours finds nothing and scores 0, pycocotools cannot load them")
    rows = {
        side: [{**row, "bbox": row["bbox_xywh"]} for row in vector.input[side]]
        for side in ("gold", "detections")
    }
    images = range(1, vector.input["images"] + 1)
    return grounding.coco_average_precision(
        grounding.DetectionSet.from_annotations(rows["gold"], rows["detections"], images)
    )


METRICS: dict[str, Adapter] = {
    "box_iou": _box_iou,
    "box_matching_hungarian": _hungarian,
    "box_parse": _box_parse,
    "center_accuracy": _center_accuracy,
    "coco_map": _coco_map,
    "diou": _diou,
    "giou": _giou,
    "grounding_acc_at_iou": _accuracy_at_iou,
    "point_accuracy": _point_accuracy,
}
