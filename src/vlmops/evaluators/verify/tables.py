"""Which metric of a vectors file is computed by which of our functions: the use cases' tables, merged."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from vlmops.errors import EvaluatorError
from vlmops.evaluators.verify.vector import Vector

if TYPE_CHECKING:
    from types import ModuleType

Adapter = Callable[[Vector], Any]
"""Computes our value for a vector, in the shape of its ``expected``."""

T = TypeVar("T")

_PACKAGE = __name__.rpartition(".")[0]
_MACHINERY = frozenset({"__main__", "comparison", "report", "tables", "vector"})


@cache
def adapters() -> Mapping[str, Adapter]:
    """The adapter of every metric that can be verified, by its name in vectors files.

    Raises:
        EvaluatorError: Two use cases claim the same metric.

    Example:
        >>> adapters()["cer_corpus"](Vector("", "", {"reference": ["ab"], "hypothesis": ["ac"]}, None))
        0.5
    """
    return _merge({module.__name__: module.METRICS for module in _use_cases()})


@cache
def not_offered() -> Mapping[str, str]:
    """Why a metric is deliberately absent, by its name in vectors files."""
    return _merge({module.__name__: getattr(module, "NOT_OFFERED", {}) for module in _use_cases()})


@cache
def tolerances() -> Mapping[str, float]:
    """Relative tolerance of the metrics that do not keep to the usual one, by name in vectors files.

    A use case's module defines ``TOLERANCES`` where a reference is itself less exact than 1e-9, for instance
    because its optimiser stops early, and says why. A vector's own ``tolerance`` goes first.

    Example:
        >>> tolerances()["bradley_terry"]
        1e-06
    """
    return _merge({module.__name__: getattr(module, "TOLERANCES", {}) for module in _use_cases()})


@cache
def unavailable() -> Mapping[str, str]:
    """Why a use case could not be imported, by its name; its metrics are unknown then."""
    return {name: str(found) for name, found in _imports().items() if isinstance(found, ImportError)}


def _use_cases() -> list[ModuleType]:
    return [found for found in _imports().values() if not isinstance(found, ImportError)]


@cache
def _imports() -> Mapping[str, ModuleType | ImportError]:
    names = (module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    return {name: _import(name) for name in names if name not in _MACHINERY}


def _import(name: str) -> ModuleType | ImportError:
    try:
        return import_module(f"{_PACKAGE}.{name}")
    except ImportError as error:
        return error


def _merge(tables: Mapping[str, Mapping[str, T]]) -> dict[str, T]:
    owners: dict[str, str] = {}
    merged: dict[str, T] = {}
    for owner, table in tables.items():
        for metric, entry in table.items():
            if metric in owners:
                raise EvaluatorError(f"metric {metric!r} is in both {owners[metric]} and {owner}; rename one")
            owners[metric] = owner
            merged[metric] = entry
    return merged
