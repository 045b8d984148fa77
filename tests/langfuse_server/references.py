"""Media reference strings inside a dataset item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_START, _END = "@@@langfuseMedia:", "@@@"


def media_id_of(text: str) -> str | None:
    """The media id of a string that is exactly one reference, else None. The id may be empty.

    >>> media_id_of("@@@langfuseMedia:source=bytes|id=abc|type=image/png@@@")
    'abc'
    >>> media_id_of("see @@@langfuseMedia:type=image/png|id=abc|source=bytes@@@") is None
    True
    """
    if not (text.startswith(_START) and text.endswith(_END)) or len(text) < len(_START) + len(_END):
        return None
    inside = text[len(_START) : -len(_END)]
    if _END in inside:
        return None
    parts = dict(part.split("=", 1) for part in inside.split("|") if "=" in part)
    return parts["id"] if {"type", "id", "source"} <= parts.keys() else None


def references(tree: Any, path: str = "$") -> Iterator[tuple[str, str, str]]:
    """Each reference of a JSON tree: its jsonPath, the string, the media id. Keys are never references."""
    if isinstance(tree, str):
        media_id = media_id_of(tree)
        if media_id is not None:
            yield path, tree, media_id
    elif isinstance(tree, list):
        for index, element in enumerate(tree):
            yield from references(element, f"{path}[{index}]")
    elif isinstance(tree, dict):
        for key, element in tree.items():
            yield from references(element, f"{path}['{key}']")
