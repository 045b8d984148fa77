"""Steps of a process: which were done, in which order, and the verdict on each."""

from __future__ import annotations

from vlmops.evaluators.steps.matching import match_steps, normalize_step, steps_in
from vlmops.evaluators.steps.sequence_evaluators import (
    Likeness,
    StepCompleteness,
    StepReader,
    StepSimilarity,
)
from vlmops.evaluators.steps.sequences import (
    StepDifference,
    common_steps_similarity,
    compare_steps,
    longest_common_steps,
    step_edit_distance,
    step_edit_similarity,
    step_swap_distance,
    step_swap_similarity,
)
from vlmops.evaluators.steps.verdict_evaluators import StepVerdicts

__all__ = [
    "Likeness",
    "StepCompleteness",
    "StepDifference",
    "StepReader",
    "StepSimilarity",
    "StepVerdicts",
    "common_steps_similarity",
    "compare_steps",
    "longest_common_steps",
    "match_steps",
    "normalize_step",
    "step_edit_distance",
    "step_edit_similarity",
    "step_swap_distance",
    "step_swap_similarity",
    "steps_in",
]
