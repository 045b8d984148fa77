"""A benchmark as one file or one Python object."""

from __future__ import annotations

from vlmops.experiments.specification.result import SpecificationResult
from vlmops.experiments.specification.sections import (
    BudgetSpec,
    DatasetSpec,
    EvaluatorSpec,
    LimitsSpec,
    ModelLimitsSpec,
    PlatformSpec,
    PromptSpec,
    SliceSpec,
    VariantSpec,
)
from vlmops.experiments.specification.specification import FILE_NAME, Specification

__all__ = [
    "FILE_NAME",
    "BudgetSpec",
    "DatasetSpec",
    "EvaluatorSpec",
    "LimitsSpec",
    "ModelLimitsSpec",
    "PlatformSpec",
    "PromptSpec",
    "SliceSpec",
    "Specification",
    "SpecificationResult",
    "VariantSpec",
]
