"""Vectors of counts, number extraction and numeric errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops.evaluators import quantities

if TYPE_CHECKING:
    from collections.abc import Callable

    from vlmops.evaluators.verify.vector import Vector


def _error(metric: Callable[[Any, Any], float]) -> Callable[[Vector], float]:
    return lambda vector: metric(vector.input["y_pred"], vector.input["y_true"])


def _fsc147(vector: Vector) -> dict[str, float]:
    outcome = quantities.fsc147_count(vector.input["prediction"], vector.input["count"])
    return {"fsc147_exact_match": float(outcome.exact), "fsc147_mae": outcome.error}


def _ocrbench_v2(vector: Vector) -> float:
    given = vector.input
    return quantities.ocrbench_v2_count(given["prediction"], given["answers"], method=given["method"])


def _relaxed(vector: Vector) -> bool:
    given = vector.input
    return quantities.chartqa_relaxed_match(
        given["prediction"], given["target"], tolerance=given.get("max_relative_change", 0.05)
    )


def _relative(vector: Vector) -> float:
    return quantities.mean_relative_accuracy(vector.input["prediction"], vector.input["target"])


METRICS: dict[str, Callable[[Vector], Any]] = {
    "count_fsc147": _fsc147,
    "count_pixmo_first_integer": lambda vector: quantities.pixmo_count(
        vector.input["prediction"], vector.input["answer"]
    ),
    "count_word_normalise": lambda vector: quantities.countbench_answer(vector.input["text"]),
    "counting_ocrbench_v2": _ocrbench_v2,
    "extract_number": lambda vector: quantities.vsibench_number(vector.input["text"]),
    "mae": _error(quantities.mean_absolute_error),
    "mape": _error(quantities.mean_absolute_percentage_error),
    "mean_relative_accuracy": _relative,
    "median_ae": _error(quantities.median_absolute_error),
    "r2": _error(quantities.r2),
    "relaxed_accuracy": _relaxed,
    "rmse": _error(quantities.root_mean_squared_error),
}
