"""Evaluators of the pictures that a model was given: to tell its errors from theirs."""

from __future__ import annotations

from vlmops.evaluators.image_quality.issues import ImageQuality, QualityLimits, quality_issues
from vlmops.evaluators.image_quality.measures import (
    QualityMeasures,
    laplacian_variance,
    luminance,
    measure_quality,
)
from vlmops.evaluators.image_quality.near_duplicates import NearDuplicates, near_duplicate_groups

__all__ = [
    "ImageQuality",
    "NearDuplicates",
    "QualityLimits",
    "QualityMeasures",
    "laplacian_variance",
    "luminance",
    "measure_quality",
    "near_duplicate_groups",
    "quality_issues",
]
