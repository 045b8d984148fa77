"""Experiments: a task on a dataset, scored, with honest figures."""

from __future__ import annotations

from vlmops.experiments.comparison import (
    Comparison,
    Difference,
    Measure,
    Variant,
    VariantValue,
    compare,
    compare_async,
    comparison_markdown,
    record_comparison,
    record_comparison_async,
)
from vlmops.experiments.dataset_estimate import (
    Assumptions,
    Estimate,
    ModelEstimate,
    estimate,
)
from vlmops.experiments.estimate_drift import Drift, drift, record_drift
from vlmops.experiments.experiment import (
    Experiment,
    ExperimentResult,
    score_experiment,
    score_experiment_async,
)
from vlmops.experiments.git_state import git_state
from vlmops.experiments.picture_estimate import PictureEstimate, estimate_picture
from vlmops.experiments.selector import ExperimentSelector
from vlmops.experiments.specification import Specification, SpecificationResult
from vlmops.experiments.summary import ExperimentSummary, summarise
from vlmops.experiments.task import ModelTask, function_task

__all__ = [
    "Assumptions",
    "Comparison",
    "Difference",
    "Drift",
    "Estimate",
    "Experiment",
    "ExperimentResult",
    "ExperimentSelector",
    "ExperimentSummary",
    "Measure",
    "ModelEstimate",
    "ModelTask",
    "PictureEstimate",
    "Specification",
    "SpecificationResult",
    "Variant",
    "VariantValue",
    "compare",
    "compare_async",
    "comparison_markdown",
    "drift",
    "estimate",
    "estimate_picture",
    "function_task",
    "git_state",
    "record_comparison",
    "record_comparison_async",
    "record_drift",
    "score_experiment",
    "score_experiment_async",
    "summarise",
]
