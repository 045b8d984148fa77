"""Labels: reading them from answers, scoring one or several per item, confidences and probabilities."""

from __future__ import annotations

from vlmops.evaluators.classification.confidence import Calibration, Probabilities
from vlmops.evaluators.classification.confusion import (
    Average,
    ClassScores,
    ConfusionMatrix,
    PrecisionRecallF1,
    confusion_matrix,
)
from vlmops.evaluators.classification.label_sets import LabelSetMatch
from vlmops.evaluators.classification.labels import LabelReading, LabelSet, normalize_label
from vlmops.evaluators.classification.metrics import (
    accuracy,
    balanced_accuracy,
    class_scores,
    hamming_loss,
    matthews_correlation,
    precision_recall_f1,
)
from vlmops.evaluators.classification.multilabel import (
    MultiAverage,
    exact_match_rate,
    indicator_matrix,
    jaccard,
    multilabel_precision_recall_f1,
)
from vlmops.evaluators.classification.picture import draw_confusion_matrix
from vlmops.evaluators.classification.probability import (
    average_precision,
    brier_score,
    expected_calibration_error,
    log_loss,
    multiclass_roc_auc,
    roc_auc,
)
from vlmops.evaluators.classification.single_label import Classification, LabelMatch, LabelReader

__all__ = [
    "Average",
    "Calibration",
    "ClassScores",
    "Classification",
    "ConfusionMatrix",
    "LabelMatch",
    "LabelReader",
    "LabelReading",
    "LabelSet",
    "LabelSetMatch",
    "MultiAverage",
    "PrecisionRecallF1",
    "Probabilities",
    "accuracy",
    "average_precision",
    "balanced_accuracy",
    "brier_score",
    "class_scores",
    "confusion_matrix",
    "draw_confusion_matrix",
    "exact_match_rate",
    "expected_calibration_error",
    "hamming_loss",
    "indicator_matrix",
    "jaccard",
    "log_loss",
    "matthews_correlation",
    "multiclass_roc_auc",
    "multilabel_precision_recall_f1",
    "normalize_label",
    "precision_recall_f1",
    "roc_auc",
]
