"""Reviews by people: which cases to look at, sending them, and bringing the verdicts back."""

from __future__ import annotations

from vlmops.reviews.choice import ChosenCase, choose, require_scores
from vlmops.reviews.collecting import (
    CollectedReviews,
    HumanLabel,
    collect_reviews,
    collect_reviews_async,
)
from vlmops.reviews.label_file import LabelChanges, update_labels
from vlmops.reviews.questions import parse_question, questions_of
from vlmops.reviews.rules import (
    Contradiction,
    Disagreement,
    Failed,
    RandomShare,
    Reason,
    ReviewRule,
    Unsure,
)
from vlmops.reviews.sending import send_for_review, send_for_review_async

__all__ = [
    "ChosenCase",
    "CollectedReviews",
    "Contradiction",
    "Disagreement",
    "Failed",
    "HumanLabel",
    "LabelChanges",
    "RandomShare",
    "Reason",
    "ReviewRule",
    "Unsure",
    "choose",
    "collect_reviews",
    "collect_reviews_async",
    "parse_question",
    "questions_of",
    "require_scores",
    "send_for_review",
    "send_for_review_async",
    "update_labels",
]
