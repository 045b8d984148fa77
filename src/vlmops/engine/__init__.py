"""The engine around model calls, for experiments and judges alike: cache, limits, retries, budget."""

from __future__ import annotations

from vlmops.engine.budget import Budget
from vlmops.engine.cache import CachedModel, ResponseCache
from vlmops.engine.engine import Engine, EngineModel
from vlmops.engine.expectation import Estimator
from vlmops.engine.limits import Limits, Retry
from vlmops.engine.tally import Tally

__all__ = [
    "Budget",
    "CachedModel",
    "Engine",
    "EngineModel",
    "Estimator",
    "Limits",
    "ResponseCache",
    "Retry",
    "Tally",
]
