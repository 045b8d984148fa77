"""Where in a TOML file a key stands: readers of TOML do not say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Path = tuple[str | int, ...]
"""Keys and, within lists, positions: ``("variants", 1, "model")``."""

_HEADER = re.compile(r"^\s*(\[\[?)\s*(?P<keys>[^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_PAIR = re.compile(r"^\s*(?P<keys>[A-Za-z0-9_\-\.\"' ]+?)\s*=")
_KEY = re.compile(r"\"([^\"]*)\"|'([^']*)'|([A-Za-z0-9_-]+)")


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    r"""The line, from 1, of a key or else of the innermost table around it; ``None`` where none is found.

    Example:
        >>> text = '[dataset]\nname = "d"\n[[variants]]\nmodel = "a"\n[[variants]]\nmodle = "b"\n'
        >>> line_of(text, ["variants", 1, "modle"]), line_of(text, ["variants", 0, "prompt"])
        (6, 3)
    """
    places = _places(text)
    for end in range(len(path), 0, -1):
        if (line := places.get(tuple(path[:end]))) is not None:
            return line
    return None


def _places(text: str) -> dict[Path, int]:
    places: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    quote = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if not quote:
            if header := _HEADER.match(line):
                table = _table(_keys(header["keys"]), counts, listed=header[1] == "[[")
                places.setdefault(table, number)
            elif pair := _PAIR.match(line):
                path = table
                for key in _keys(pair["keys"]):
                    path = (*path, key)
                    places.setdefault(path, number)
        quote = _open_quote(line, quote)
    return places


def _table(keys: Sequence[str], counts: dict[Path, int], *, listed: bool) -> Path:
    """The path of a header: a table below a list belongs to its last item."""
    path: Path = ()
    for key in keys[:-1]:
        path = (*path, key)
        if path in counts:
            path = (*path, counts[path] - 1)
    path = (*path, keys[-1])
    if listed:
        counts[path] = counts.get(path, 0) + 1
        return (*path, counts[path] - 1)
    return path


def _keys(text: str) -> list[str]:
    return [a or b or c for a, b, c in _KEY.findall(text)]


def _open_quote(line: str, quote: str) -> str:
    """The quotes of a text over several lines that is still open after this line."""
    for mark in ('"""', "'''"):
        if quote in ("", mark) and line.count(mark) % 2:
            return "" if quote else mark
    return quote
