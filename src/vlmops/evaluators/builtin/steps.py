"""Evaluators of steps of a process."""

from __future__ import annotations

EVALUATORS: dict[str, str] = {
    "step_completeness": "vlmops.evaluators.steps.sequence_evaluators:StepCompleteness",
    "step_similarity": "vlmops.evaluators.steps.sequence_evaluators:StepSimilarity",
    "step_verdicts": "vlmops.evaluators.steps.verdict_evaluators:StepVerdicts",
}
