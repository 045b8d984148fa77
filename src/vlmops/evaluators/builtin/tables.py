"""The tables of built-in evaluators, merged: name -> ``module:Class``."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from vlmops.errors import EvaluatorError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACKAGE = __name__.rpartition(".")[0]


@cache
def builtin_evaluators() -> Mapping[str, str]:
    """``module:Class`` of every evaluator that comes with vlmops, by name.

    Each use case contributes one module of this package that holds nothing but a table ``EVALUATORS``.

    Raises:
        EvaluatorError: Two use cases claim the same name.

    Example:
        >>> builtin_evaluators()["cer"]
        'vlmops.evaluators.documents.error_rate:CharacterErrorRate'
    """
    here = [str(Path(__file__).parent)]
    modules = sorted(module.name for module in pkgutil.iter_modules(here) if module.name != "tables")
    return merge_tables({name: import_module(f"{_PACKAGE}.{name}").EVALUATORS for name in modules})


def merge_tables(tables: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """One table of several, sorted by name; a name may be claimed once.

    Args:
        tables: Tables of name -> ``module:Class`` by the use case they come from.

    Raises:
        EvaluatorError: Two use cases claim the same name.

    Example:
        >>> merge_tables({"documents": {"cer": "a:B"}, "steps": {"tau": "c:D"}})
        {'cer': 'a:B', 'tau': 'c:D'}
    """
    owners: dict[str, str] = {}
    merged: dict[str, str] = {}
    for use_case, table in tables.items():
        for name, origin in table.items():
            if name in owners:
                raise EvaluatorError(
                    f"evaluator name {name!r} is in the tables of {owners[name]} and {use_case}; rename one"
                )
            owners[name] = use_case
            merged[name] = origin
    return dict(sorted(merged.items()))


def load_class(origin: str) -> type:
    """The class that ``module:Class`` names.

    Raises:
        EvaluatorError: The module has no such class.
        ImportError: The module cannot be imported.

    Example:
        >>> load_class("vlmops.evaluators.score:Score").__name__
        'Score'
    """
    module, _, qualname = origin.partition(":")
    cls = getattr(import_module(module), qualname, None)
    if not isinstance(cls, type):
        raise EvaluatorError(f"{origin} is not a class")
    return cls
