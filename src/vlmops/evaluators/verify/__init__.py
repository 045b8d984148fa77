"""Our metrics against stored values of reference implementations: ``python -m vlmops.evaluators.verify``."""

from __future__ import annotations

from vlmops.evaluators.verify.comparison import Mismatch, Raised, compare, outcome, revive
from vlmops.evaluators.verify.report import Outcome, Report, verify, verify_files
from vlmops.evaluators.verify.tables import Adapter, adapters, not_offered, tolerances, unavailable
from vlmops.evaluators.verify.vector import Vector, VectorsError, read_vectors

__all__ = [
    "Adapter",
    "Mismatch",
    "Outcome",
    "Raised",
    "Report",
    "Vector",
    "VectorsError",
    "adapters",
    "compare",
    "not_offered",
    "outcome",
    "read_vectors",
    "revive",
    "tolerances",
    "unavailable",
    "verify",
    "verify_files",
]
