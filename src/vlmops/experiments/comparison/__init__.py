"""Experiments side by side, with honest statistics."""

from __future__ import annotations

from vlmops.experiments.comparison.compare import compare, compare_async
from vlmops.experiments.comparison.markdown import comparison_markdown
from vlmops.experiments.comparison.recording import (
    difference_scores,
    record_comparison,
    record_comparison_async,
)
from vlmops.experiments.comparison.result import (
    Comparison,
    Difference,
    Measure,
    Variant,
    VariantValue,
)

__all__ = [
    "Comparison",
    "Difference",
    "Measure",
    "Variant",
    "VariantValue",
    "compare",
    "compare_async",
    "comparison_markdown",
    "difference_scores",
    "record_comparison",
    "record_comparison_async",
]
