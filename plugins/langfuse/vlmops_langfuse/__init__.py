"""vlmops on Langfuse: a thin adapter to Langfuse's own datasets, experiments, media and scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops_langfuse.plugin import PLATFORM

if TYPE_CHECKING:
    from vlmops_langfuse.gate import raise_on_regression as raise_on_regression
    from vlmops_langfuse.native import as_evaluator as as_evaluator
    from vlmops_langfuse.native import as_mapper as as_mapper
    from vlmops_langfuse.native import as_run_evaluator as as_run_evaluator
    from vlmops_langfuse.platform import LangfusePlatform as LangfusePlatform

__all__ = [
    "PLATFORM",
    "LangfusePlatform",
    "as_evaluator",
    "as_mapper",
    "as_run_evaluator",
    "raise_on_regression",
]

_HOMES = {
    "LangfusePlatform": "vlmops_langfuse.platform",
    "as_evaluator": "vlmops_langfuse.native",
    "as_mapper": "vlmops_langfuse.native",
    "as_run_evaluator": "vlmops_langfuse.native",
    "raise_on_regression": "vlmops_langfuse.gate",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'vlmops_langfuse' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
