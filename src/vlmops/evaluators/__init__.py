"""Vision metrics: one package per use case, one module per noun, one registry by name.

The shared types are imported at once; an evaluator class is imported when it is first asked for, so that
``import vlmops.evaluators`` stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops.evaluators.builtin import builtin_evaluators, load_class
from vlmops.evaluators.case import Case, Usage
from vlmops.evaluators.evaluator import (
    MISSING,
    ComparisonEvaluator,
    Evaluator,
    Result,
    SetEvaluator,
    SetResult,
    evaluate,
    select,
)
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.registry import EvaluatorEntry, create, entries, register
from vlmops.evaluators.score import Direction, Interval, Range, Score, SetScore, Value

if TYPE_CHECKING:
    from vlmops.evaluators.documents import CharacterErrorRate as CharacterErrorRate
    from vlmops.evaluators.documents import WordErrorRate as WordErrorRate

_CLASSES = {origin.rpartition(":")[2]: origin for origin in builtin_evaluators().values()}

__all__ = [
    "MISSING",
    "Case",
    "ComparisonEvaluator",
    "Direction",
    "Evaluator",
    "EvaluatorEntry",
    "Failure",
    "FailureKind",
    "Interval",
    "Range",
    "Result",
    "Score",
    "SetEvaluator",
    "SetResult",
    "SetScore",
    "Usage",
    "Value",
    "create",
    "entries",
    "evaluate",
    "register",
    "select",
]
__all__ += _CLASSES
__all__.sort()


def __getattr__(name: str) -> Any:
    if name not in _CLASSES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    cls = load_class(_CLASSES[name])
    globals()[name] = cls
    return cls


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
