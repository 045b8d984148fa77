"""Evaluators of labels: one or several per item, with confidences or probabilities."""

from __future__ import annotations

EVALUATORS: dict[str, str] = {
    "calibration": "vlmops.evaluators.classification.confidence:Calibration",
    "classification": "vlmops.evaluators.classification.single_label:Classification",
    "label_match": "vlmops.evaluators.classification.single_label:LabelMatch",
    "label_set_match": "vlmops.evaluators.classification.label_sets:LabelSetMatch",
    "probabilities": "vlmops.evaluators.classification.confidence:Probabilities",
}
