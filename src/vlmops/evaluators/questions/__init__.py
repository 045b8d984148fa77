"""Answers to questions about pictures: short, multiple-choice, open, yes or no."""

from __future__ import annotations

from vlmops.evaluators.questions.answer_text import VqaVariant, normalise_answer
from vlmops.evaluators.questions.choice_extraction import ExtractedChoice, extract_choice
from vlmops.evaluators.questions.choice_references import REFUSED, ChoiceVariant, reference_choice
from vlmops.evaluators.questions.multiple_choice import (
    CircularAccuracy,
    MultipleChoice,
    circular_correct,
    read_choice,
)
from vlmops.evaluators.questions.open_answer import OpenAnswer, open_answer_correct, parse_open_answer
from vlmops.evaluators.questions.vqa_accuracy import VqaAccuracy, vqa_accuracy
from vlmops.evaluators.questions.yes_no import YesNo, YesNoVariant, extract_yes_no, yes_no_label

__all__ = [
    "REFUSED",
    "ChoiceVariant",
    "CircularAccuracy",
    "ExtractedChoice",
    "MultipleChoice",
    "OpenAnswer",
    "VqaAccuracy",
    "VqaVariant",
    "YesNo",
    "YesNoVariant",
    "circular_correct",
    "extract_choice",
    "extract_yes_no",
    "normalise_answer",
    "open_answer_correct",
    "parse_open_answer",
    "read_choice",
    "reference_choice",
    "vqa_accuracy",
    "yes_no_label",
]
