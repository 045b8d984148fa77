"""vlmops on Arize Phoenix: a thin adapter to its own datasets, experiments and annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops_phoenix.plugin import PLATFORM

if TYPE_CHECKING:
    from vlmops_phoenix.native import as_evaluator as as_evaluator
    from vlmops_phoenix.native import as_experiment_evaluator as as_experiment_evaluator
    from vlmops_phoenix.platform import PhoenixPlatform as PhoenixPlatform

__all__ = ["PLATFORM", "PhoenixPlatform", "as_evaluator", "as_experiment_evaluator"]

_HOMES = {
    "PhoenixPlatform": "vlmops_phoenix.platform",
    "as_evaluator": "vlmops_phoenix.native",
    "as_experiment_evaluator": "vlmops_phoenix.native",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'vlmops_phoenix' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
