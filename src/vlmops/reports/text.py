"""Any output or expected value as lines of text that people read and that can be compared."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from vlmops.images import Image

LONGEST = 6000
"""Characters of one value that a report holds; the platform has the rest."""

_INDENT = "  "


def readable(value: Any, longest: int = LONGEST) -> str:
    r"""Text as it is; objects and lists a line an entry, with texts unquoted and their line ends kept.

    Pictures stand there by their name; what is longer than ``longest`` characters is cut, and says so.

    Example:
        >>> print(readable({"text": "two\nlines", "fields": {"total": 12.5, "items": []}}))
        text:
          two
          lines
        fields:
          total: 12.5
          items: []
    """
    text = value if isinstance(value, str) else "\n".join(_lines(value))
    # Half characters, which JSON may spell, cannot be written to a file.
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    if len(text) <= longest:
        return text
    return f"{text[:longest]}\n... ({len(text) - longest} more characters)"


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _entry(f"{key}:", inner)
    elif isinstance(value, list | tuple) and value and not _flat(value):
        for inner in value:
            yield from _entry("-", inner)
    elif isinstance(value, str):
        yield from value.splitlines() or [""]
    else:
        yield _inline(value)


def _entry(head: str, value: Any) -> Iterator[str]:
    nested = (isinstance(value, Mapping) and bool(value)) or (
        isinstance(value, list | tuple) and bool(value) and not _flat(value)
    )
    if nested and head == "-":
        first, *others = _lines(value)
        yield f"{head} {first}"
        yield from (f"{_INDENT}{line}" for line in others)
    elif nested or (isinstance(value, str) and "\n" in value):
        yield head
        for line in _lines(value):
            yield f"{_INDENT}{line}"
    else:
        yield f"{head} {value if isinstance(value, str) else _inline(value)}"


def _flat(value: list[Any] | tuple[Any, ...]) -> bool:
    """Numbers and short words go on one line: a box is no column."""
    return all(isinstance(item, bool | int | float | None) for item in value)


def _inline(value: Any) -> str:
    if isinstance(value, Image):
        return f"(picture {value.source})"
    return json.dumps(value, ensure_ascii=False, default=str)
