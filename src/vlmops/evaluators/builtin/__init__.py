"""Names of the evaluators that come with vlmops, one module per use case; importing it imports no metric."""

from __future__ import annotations

from vlmops.evaluators.builtin.tables import builtin_evaluators, load_class, merge_tables

__all__ = ["builtin_evaluators", "load_class", "merge_tables"]
