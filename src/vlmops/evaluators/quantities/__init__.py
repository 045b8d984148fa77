"""Counts, measures and amounts: reading numbers from answers, and how far they are off."""

from __future__ import annotations

from vlmops.evaluators.quantities.benchmark_counts import (
    NUMBER_STRATEGIES,
    CountOutcome,
    countbench_answer,
    countbench_count,
    first_integer,
    fsc147_count,
    fsc147_number,
    ocrbench_v2_count,
    osi_number,
    pixmo_count,
    vsibench_number,
)
from vlmops.evaluators.quantities.error_evaluators import (
    MeanRelativeAccuracy,
    QuantityError,
    QuantityReader,
    RelativeError,
)
from vlmops.evaluators.quantities.match_evaluators import (
    Benchmark,
    BenchmarkCount,
    CurrencyMatch,
    RelaxedAccuracy,
    WithinTolerance,
)
from vlmops.evaluators.quantities.numerals import DecimalMark, figure_value, plain_figures, words_value
from vlmops.evaluators.quantities.numeric_error import (
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_relative_accuracy,
    median_absolute_error,
    r2,
    relative_error,
    root_mean_squared_error,
)
from vlmops.evaluators.quantities.quantity import Quantity, quantities_in, read_quantity
from vlmops.evaluators.quantities.relaxed import chartqa_relaxed_match, relaxed_match

__all__ = [
    "NUMBER_STRATEGIES",
    "Benchmark",
    "BenchmarkCount",
    "CountOutcome",
    "CurrencyMatch",
    "DecimalMark",
    "MeanRelativeAccuracy",
    "Quantity",
    "QuantityError",
    "QuantityReader",
    "RelativeError",
    "RelaxedAccuracy",
    "WithinTolerance",
    "chartqa_relaxed_match",
    "countbench_answer",
    "countbench_count",
    "figure_value",
    "first_integer",
    "fsc147_count",
    "fsc147_number",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_relative_accuracy",
    "median_absolute_error",
    "ocrbench_v2_count",
    "osi_number",
    "pixmo_count",
    "plain_figures",
    "quantities_in",
    "r2",
    "read_quantity",
    "relative_error",
    "relaxed_match",
    "root_mean_squared_error",
    "vsibench_number",
    "words_value",
]
