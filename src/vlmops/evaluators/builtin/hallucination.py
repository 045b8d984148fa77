"""Evaluators of objects that a model sees and the picture does not show."""

from __future__ import annotations

EVALUATORS: dict[str, str] = {
    "chair": "vlmops.evaluators.hallucination.chair:Chair",
    "pope": "vlmops.evaluators.hallucination.pope:Pope",
}
