"""Evaluators of counts, measures and amounts."""

from __future__ import annotations

EVALUATORS: dict[str, str] = {
    "benchmark_count": "vlmops.evaluators.quantities.match_evaluators:BenchmarkCount",
    "currency_match": "vlmops.evaluators.quantities.match_evaluators:CurrencyMatch",
    "mean_relative_accuracy": "vlmops.evaluators.quantities.error_evaluators:MeanRelativeAccuracy",
    "quantity_error": "vlmops.evaluators.quantities.error_evaluators:QuantityError",
    "relative_error": "vlmops.evaluators.quantities.error_evaluators:RelativeError",
    "relaxed_accuracy": "vlmops.evaluators.quantities.match_evaluators:RelaxedAccuracy",
    "within_tolerance": "vlmops.evaluators.quantities.match_evaluators:WithinTolerance",
}
