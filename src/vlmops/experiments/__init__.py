"""Experiments: a task on a dataset, scored, with honest figures."""

from __future__ import annotations

from vlmops.experiments.experiment import (
    Experiment,
    ExperimentResult,
    score_experiment,
    score_experiment_async,
)
from vlmops.experiments.summary import ExperimentSummary, summarise
from vlmops.experiments.task import ModelTask, function_task

__all__ = [
    "Experiment",
    "ExperimentResult",
    "ExperimentSummary",
    "ModelTask",
    "function_task",
    "score_experiment",
    "score_experiment_async",
    "summarise",
]
