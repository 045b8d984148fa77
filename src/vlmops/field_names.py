"""The names of a dataclass' fields: asked for with every record, so found out once."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any


def field_names(kind: type[Any]) -> tuple[str, ...]:
    """In the order of their declaration; of a class that is no dataclass there are none.

    Example:
        >>> from vlmops.evaluators import Usage
        >>> field_names(Usage)[:2], field_names(int)
        (('input_tokens', 'output_tokens'), ())
    """
    return _names(kind)  # type: ignore[arg-type]  # mypy takes a class for unhashable


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind)) if is_dataclass(kind) else ()
