"""Dotted keys: the part of an output, of an expected value or of metadata that is meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Missing:
    """Marks that a key leads nowhere; distinct from a ``None`` that is really there."""


MISSING = Missing()


def select(value: Any, key: str | None) -> Any:
    """Follow a dotted key into nested mappings and lists; :data:`MISSING` where it leads nowhere.

    Args:
        value: JSON.
        key: The path; ``None`` and ``""`` mean the whole value.

    Example:
        >>> select({"total": {"amount": 3}, "items": ["a", "b"]}, "total.amount")
        3
        >>> select({"items": ["a", "b"]}, "items.1")
        'b'
    """
    if not key:
        return value
    for part in key.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list | tuple) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return MISSING
    return value


def has_parts(value: Any, key: str | None) -> bool:
    """Whether a key can lead into a value at all; a text has no parts, and a list none with names.

    Example:
        >>> has_parts({"total": 3}, "text"), has_parts("INVOICE", "text"), has_parts(["A", "B"], "text")
        (True, False, False)
        >>> has_parts(["A", "B"], "1")
        True
    """
    if isinstance(value, list | tuple):
        return (key or "").partition(".")[0].isdecimal()
    return isinstance(value, Mapping)


def absence(side: str, whole: Any, key: str | None) -> str:
    """Why there is nothing to look at, for a person.

    Example:
        >>> absence("output", {"sum": 1, "tax": 2}, "total")
        "no 'total' in the output value: it has sum, tax"
    """
    if not key or whole is None:
        return f"the case has no {side} value"
    held = f"it has {', '.join(map(str, whole))}" if isinstance(whole, Mapping) else "it is not an object"
    return f"no '{key}' in the {side} value: {held}"
