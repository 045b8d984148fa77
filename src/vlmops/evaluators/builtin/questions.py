"""Evaluators of answers to questions about pictures."""

from __future__ import annotations

EVALUATORS: dict[str, str] = {
    "circular_accuracy": "vlmops.evaluators.questions.multiple_choice:CircularAccuracy",
    "multiple_choice": "vlmops.evaluators.questions.multiple_choice:MultipleChoice",
    "open_answer": "vlmops.evaluators.questions.open_answer:OpenAnswer",
    "vqa_accuracy": "vlmops.evaluators.questions.vqa_accuracy:VqaAccuracy",
    "yes_no": "vlmops.evaluators.questions.yes_no:YesNo",
}
