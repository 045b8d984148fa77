"""Evaluators of where things are: boxes, points, detections and spatial relations."""

from __future__ import annotations

from vlmops.evaluators.grounding.average_precision import FIGURES, coco_average_precision
from vlmops.evaluators.grounding.detection_set import DetectionSet
from vlmops.evaluators.grounding.f1 import BoxCounts, BoxF1, count_boxes
from vlmops.evaluators.grounding.matching import Match, assign, match_boxes
from vlmops.evaluators.grounding.mean_average_precision import MeanAveragePrecision
from vlmops.evaluators.grounding.overlap import diou, giou, integer_iou, iou, powerboxes_diou
from vlmops.evaluators.grounding.places import PlaceEvaluator
from vlmops.evaluators.grounding.points import PointAccuracy, points_in_boxes, points_in_mask
from vlmops.evaluators.grounding.relations import (
    SYNONYMS,
    relation_holds,
    relation_named,
    relations_mentioned,
)
from vlmops.evaluators.grounding.single_box import (
    AccuracyAtIou,
    BoxDiou,
    BoxGiou,
    BoxIou,
    CenterAccuracy,
    center_inside,
)
from vlmops.evaluators.grounding.spatial import SpatialLayout, SpatialRelation

__all__ = [
    "FIGURES",
    "SYNONYMS",
    "AccuracyAtIou",
    "BoxCounts",
    "BoxDiou",
    "BoxF1",
    "BoxGiou",
    "BoxIou",
    "CenterAccuracy",
    "DetectionSet",
    "Match",
    "MeanAveragePrecision",
    "PlaceEvaluator",
    "PointAccuracy",
    "SpatialLayout",
    "SpatialRelation",
    "assign",
    "center_inside",
    "coco_average_precision",
    "count_boxes",
    "diou",
    "giou",
    "integer_iou",
    "iou",
    "match_boxes",
    "points_in_boxes",
    "points_in_mask",
    "powerboxes_diou",
    "relation_holds",
    "relation_named",
    "relations_mentioned",
]
