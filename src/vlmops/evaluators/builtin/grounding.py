"""Evaluators of boxes, points, detections and spatial relations."""

from __future__ import annotations

EVALUATORS: dict[str, str] = {
    "accuracy_at_iou": "vlmops.evaluators.grounding.single_box:AccuracyAtIou",
    "box_diou": "vlmops.evaluators.grounding.single_box:BoxDiou",
    "box_f1": "vlmops.evaluators.grounding.f1:BoxF1",
    "box_giou": "vlmops.evaluators.grounding.single_box:BoxGiou",
    "box_iou": "vlmops.evaluators.grounding.single_box:BoxIou",
    "center_accuracy": "vlmops.evaluators.grounding.single_box:CenterAccuracy",
    "mean_average_precision": "vlmops.evaluators.grounding.mean_average_precision:MeanAveragePrecision",
    "point_accuracy": "vlmops.evaluators.grounding.points:PointAccuracy",
    "spatial_layout": "vlmops.evaluators.grounding.spatial:SpatialLayout",
    "spatial_relation": "vlmops.evaluators.grounding.spatial:SpatialRelation",
}
