"""The fields of dataclasses: asked for with every record, so their names are found out once."""

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


def shallow(record: Any) -> dict[str, Any]:
    """A record's fields by name, with their values as they are: what ``asdict`` copies at length.

    Example:
        >>> from vlmops.evaluators import Interval
        >>> shallow(Interval(0.25, 0.75))
        {'low': 0.25, 'high': 0.75, 'confidence': 0.95}
    """
    return {name: getattr(record, name) for name in field_names(type(record))}


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind)) if is_dataclass(kind) else ()
