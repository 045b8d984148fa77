"""JSON inside an answer: behind prose, in code fences, with trailing commas, cut off in the middle."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_FENCE = re.compile(r"```[a-zA-Z]*\s*(.*?)(?:```|\Z)", re.DOTALL)
_STRING_OR_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[\]}])')
_OPENING = re.compile(r"[\[{]")
_LONGEST = 1_000_000
# Each failed attempt may read the rest of the text, so hostile input must not get many of them.
_MAX_FAILURES = 100
_MAX_LITERALS = 3


def json_in_text(text: str) -> Iterator[Any]:
    """The JSON values in a text, the likeliest first; the rest of a cut or broken value is one list.

    Code fences come before the rest of the text. Trailing commas are dropped and single quotes accepted.
    Text beyond the first million characters is not read.

    Example:
        >>> next(json_in_text('Here you are: [{"a": 1,}] - anything else?'))
        [{'a': 1}]
        >>> next(json_in_text('[{"a": 1}, {"a": 2}, {"a":'))
        [{'a': 1}, {'a': 2}]
    """
    text = text[:_LONGEST]
    for candidate in (*_FENCE.findall(text), text):
        values, broken = _values(_without_trailing_commas(candidate))
        if broken and values:
            yield values
        else:
            yield from values


def _values(text: str) -> tuple[list[Any], bool]:
    """The values that stand next to each other in a text, and whether something between could not be read."""
    decoder = json.JSONDecoder()
    values: list[Any] = []
    position = failures = 0
    while failures < _MAX_FAILURES and (opening := _OPENING.search(text, position)):
        try:
            value, position = decoder.raw_decode(text, opening.start())
            values.append(value)
            continue
        except (ValueError, RecursionError):
            failures += 1
        position = opening.start() + 1
        literal = _literal(text[opening.start() :]) if failures <= _MAX_LITERALS else None
        if literal is not None:
            return [*values, literal], False
    return values, failures > 0


def _literal(text: str) -> Any:
    """A Python literal (single quotes, tuples) that ends at the last closing bracket."""
    end = max(text.rfind("]"), text.rfind("}")) + 1
    try:
        return ast.literal_eval(text[:end])
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None


def _without_trailing_commas(text: str) -> str:
    return _STRING_OR_COMMA.sub(lambda match: match[1] or "", text)
