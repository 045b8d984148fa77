"""Vectors of classification metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops.evaluators.classification import (
    accuracy,
    average_precision,
    balanced_accuracy,
    brier_score,
    class_scores,
    confusion_matrix,
    expected_calibration_error,
    hamming_loss,
    jaccard,
    log_loss,
    matthews_correlation,
    multilabel_precision_recall_f1,
    precision_recall_f1,
    roc_auc,
)
from vlmops.statistics.agreement import cohen_kappa

if TYPE_CHECKING:
    from collections.abc import Callable

    from vlmops.evaluators.verify.vector import Vector


def _labels(vector: Vector) -> tuple[Any, Any]:
    return vector.input["y_true"], vector.input["y_pred"]


def _probabilities(metric: Callable[..., float]) -> Callable[[Vector], float]:
    return lambda vector: metric(vector.input["y_true"], vector.input["y_prob"])


def _options(vector: Vector, *names: str) -> dict[str, Any]:
    return {name: vector.input[name] for name in names if name in vector.input}


def _kappa(vector: Vector) -> float:
    first = vector.input["y1"] if "y1" in vector.input else vector.input["y_true"]
    second = vector.input["y2"] if "y2" in vector.input else vector.input["y_pred"]
    return cohen_kappa(first, second, weights=vector.input.get("weights"))


def _confusion(vector: Vector) -> Any:
    return confusion_matrix(*_labels(vector), vector.input.get("labels")).counts


def _per_class(vector: Vector) -> dict[str, Any]:
    scores = class_scores(*_labels(vector), **_options(vector, "labels", "zero_division"))
    return {
        "precision": scores.precision.tolist(),
        "recall": scores.recall.tolist(),
        "f1": scores.f1.tolist(),
        "support": scores.support.tolist(),
    }


def _averaged(vector: Vector) -> dict[str, float]:
    options = _options(vector, "average", "zero_division", "labels")
    return precision_recall_f1(*_labels(vector), **options)._asdict()


def _multilabel(vector: Vector) -> dict[str, float]:
    options = _options(vector, "average", "zero_division")
    return multilabel_precision_recall_f1(*_labels(vector), **options)._asdict()


def _ece(vector: Vector) -> float:
    given = vector.input
    return expected_calibration_error(given["correct"], given["confidence"], bins=given["n_bins"])


METRICS: dict[str, Callable[[Vector], Any]] = {
    "accuracy": lambda vector: accuracy(*_labels(vector)),
    "average_precision": _probabilities(average_precision),
    "balanced_accuracy": lambda vector: balanced_accuracy(*_labels(vector)),
    "balanced_accuracy_adjusted": lambda vector: balanced_accuracy(*_labels(vector), adjusted=True),
    "brier": _probabilities(brier_score),
    "cohen_kappa": _kappa,
    "confusion_matrix": _confusion,
    "ece": _ece,
    "hamming_loss": lambda vector: hamming_loss(*_labels(vector)),
    "jaccard": lambda vector: jaccard(*_labels(vector), **_options(vector, "average", "zero_division")),
    "log_loss": _probabilities(log_loss),
    "mcc": lambda vector: matthews_correlation(*_labels(vector)),
    "multilabel_prf": _multilabel,
    "per_class_prf": _per_class,
    "precision_recall_f1": _averaged,
    "roc_auc": _probabilities(roc_auc),
}
