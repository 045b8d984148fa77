"""What fits into a cell of Langfuse's tables, which keep 200 characters of a span's input. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from vlmops_langfuse.references import references_in

LONGEST_CELL = 200


def as_cell(value: Any, words: str) -> Any:
    """A value whose pictures are drawn also in a table: a short object as it is, else what fits of it.

    Langfuse cuts what is longer, which then is no JSON any more, and shows the references as text; of a chat
    message, low rows show no more than how it is built.

    Args:
        value: JSON with reference strings in the place of pictures.
        words: What it says besides, of which the beginning is kept.

    Example:
        >>> as_cell({"question": "?"}, "?")
        {'question': '?'}
        >>> picture = "@@@langfuseMedia:type=image/png|id=bo6GOjSC6Os4v2IdUSF1fB|source=bytes@@@"
        >>> shown = as_cell({"image": picture, "question": "why? " * 50}, "why? " * 50)
        >>> shown["image"] == picture, shown["text"][-6:], len(json.dumps(shown))
        (True, 'hy? w…', 200)
    """
    references = list(references_in(value))
    if not references or (isinstance(value, Mapping) and _fits(value)):
        return value
    while len(references) > 1 and not _fits(_cell(references, "")):
        references.pop()
    for length in range(min(len(words), LONGEST_CELL), 0, -1):
        text = words if length == len(words) else f"{words[:length].rstrip()}…"
        if _fits(cell := _cell(references, text)):
            return cell
    return _cell(references, "")


def _cell(references: list[str], text: str) -> dict[str, Any]:
    pictures = {"image": references[0]} if len(references) == 1 else {"images": references}
    return {**pictures, "text": text} if text else pictures


def _fits(value: Any) -> bool:
    return len(json.dumps(value)) <= LONGEST_CELL
