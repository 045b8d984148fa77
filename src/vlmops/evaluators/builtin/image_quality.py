"""Evaluators of the pictures that a model was given."""

from __future__ import annotations

EVALUATORS: dict[str, str] = {
    "image_quality": "vlmops.evaluators.image_quality.issues:ImageQuality",
    "near_duplicates": "vlmops.evaluators.image_quality.near_duplicates:NearDuplicates",
}
