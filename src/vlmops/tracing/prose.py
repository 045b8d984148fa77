"""Text with references of pictures in it, cut where they stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_LONGEST = 1_000_000
_MOST = 200


class References:
    r"""Finds references in text, with the Markdown or HTML that draws them.

    Args:
        references: What stands in the place of pictures.

    Example:
        >>> found = References(["https://host/a.png"])
        >>> list(found.cut("See ![page](https://host/a.png)."))
        [('See ', ''), ('![page](https://host/a.png)', 'https://host/a.png'), ('.', '')]
        >>> found.are_all_of(" https://host/a.png\n"), found.are_all_of("at https://host/a.png")
        (True, False)
    """

    def __init__(self, references: Collection[str]) -> None:
        # Longer ones first: one may begin with another.
        known = sorted(set(references), key=len, reverse=True)[:_MOST]
        self._one = re.compile("|".join(map(re.escape, known))) if known else None
        one = self._one.pattern if self._one is not None else "(?!)"
        markdown = rf"!\[[^\]\n]{{0,200}}\]\(\s?(?:{one})[^)\n]{{0,80}}\)"
        html = rf"<img\b[^<>]{{0,200}}?(?:{one})[^<>]{{0,200}}>"
        self._drawn = re.compile(f"{markdown}|{html}|(?:{one})")

    def within(self, text: object) -> bool:
        """Whether there is any in the text."""
        return isinstance(text, str) and self._one is not None and self._one.search(text) is not None

    def are_all_of(self, text: str) -> bool:
        """Whether the text consists of references and blanks alone."""
        return self.within(text) and self._one is not None and not self._one.sub("", text).strip()

    def cut(self, text: str) -> Iterator[tuple[str, str]]:
        """The text in pieces that add up to it, each with the reference that it draws, or with none."""
        done = 0
        for match in self._drawn.finditer(text) if len(text) <= _LONGEST else ():
            if match.start() > done:
                yield text[done : match.start()], ""
            inner = self._one.search(match[0]) if self._one is not None else None
            yield match[0], inner[0] if inner is not None else ""
            done = match.end()
        if done < len(text):
            yield text[done:], ""
