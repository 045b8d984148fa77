"""HTML tables as libxml2 reads them, with nothing but the standard library.

Published table scores come from lxml, whose parser closes tags by libxml2's rules, not by those of
HTML 5: no ``tbody`` is added, nothing is moved out of a table, a stray end tag is ignored. The rules here
were read off libxml2 2.14.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_FULL_DOCUMENT = re.compile(r"\s*<(?:html|!doctype)", re.IGNORECASE)
_VOID = frozenset(
    {"area", "base", "basefont", "br", "col", "embed", "frame", "hr", "img", "input", "isindex", "link"}
    | {"meta", "param"}
)
_IN_HEAD = frozenset({"base", "link", "meta", "script", "style", "title"})

_SECTION = frozenset({"tbody", "td", "tfoot", "th", "tr"})
_BLOCK = frozenset({"dd", "dl", "dt", "fieldset", "form", "li", "table", "ul"})
_HEADING = frozenset({"fieldset", "form", "li", "p", "table"})
_TABLE_PART = frozenset({"colgroup", "tbody", "tfoot", "thead", "tr"})
_CLOSED_BY: dict[str, frozenset[str]] = {
    "a": frozenset({"a", "fieldset", "table", "td", "th"}),
    "address": frozenset({"dd", "dl", "dt", "form", "li", "ul"}),
    "b": frozenset({"center", "p", "td", "th"}),
    "big": frozenset({"p"}),
    "caption": _TABLE_PART | {"col"},
    "colgroup": _TABLE_PART,
    "dd": frozenset({"dt"}),
    "dl": frozenset({"form", "li"}),
    "dt": frozenset({"dd", "dl"}),
    "font": frozenset({"center", "td", "th"}),
    "form": frozenset({"form"}),
    **{f"h{level}": _HEADING for level in range(1, 7)},
    "i": frozenset({"center", "p", "td", "th"}),
    "li": frozenset({"li"}),
    "ol": frozenset({"form"}),
    "option": frozenset({"optgroup", "option"}),
    "p": _SECTION
    | {"colgroup"}
    | {"address", "blockquote", "body", "caption", "center", "col", "dd", "dir", "div", "dl", "dt", "form"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "head", "hr", "li", "listing", "menu", "ol", "p", "pre", "table"}
    | {"title", "ul"},
    "pre": _BLOCK,
    "s": frozenset({"p"}),
    "small": frozenset({"p"}),
    "span": frozenset({"td", "th"}),
    "strike": frozenset({"p"}),
    "tbody": frozenset({"tbody", "tfoot"}),
    "td": _SECTION,
    "tfoot": frozenset({"tbody"}),
    "th": _SECTION,
    "thead": frozenset({"tbody", "tfoot"}),
    "tr": frozenset({"tbody", "tfoot", "tr"}),
    "tt": frozenset({"p"}),
    "u": frozenset({"p", "td", "th"}),
    "ul": frozenset({"address", "form", "menu", "pre"}),
}
"""Open element -> start tags that end it."""

_STRENGTH = {
    "div": 150,
    "td": 160,
    "th": 160,
    "tr": 170,
    "tbody": 180,
    "tfoot": 180,
    "thead": 180,
    "table": 190,
    "body": 200,
    "head": 200,
    "html": 220,
}
_USUAL_STRENGTH = 100
"""An end tag closes what is open inside of its element, unless something there is stronger."""


@dataclass(slots=True)
class Element:
    """An HTML element.

    Attributes:
        tag: Its lower-case name.
        attributes: As written; a value that is not given is empty.
        content: Elements and text, in order.
    """

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    content: list[Element | str] = field(default_factory=list)

    @property
    def elements(self) -> list[Element]:
        """The element children."""
        return [part for part in self.content if isinstance(part, Element)]

    def descendants(self) -> Iterator[Element]:
        """All elements inside, in document order; without this one."""
        waiting = self.elements[::-1]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(element.elements[::-1])


def parse_html(text: str) -> Element:
    """The ``html`` element of a document or fragment; parsing never fails.

    Example:
        >>> document = parse_html("<table><tr><td>a<td>b</table>")
        >>> [element.tag for element in document.descendants()]
        ['body', 'table', 'tr', 'td', 'td']
    """
    builder = _Builder()
    builder.feed(text)
    builder.close()
    return builder.root


def find_table(text: str) -> Element | None:
    """The first table, wherever it stands: in prose, in a Markdown fence, inside other elements.

    Example:
        >>> find_table("Here it is: <div><table><tr><td>a</td></tr></table></div>").tag
        'table'
        >>> find_table("no table") is None
        True
    """
    return next((element for element in parse_html(text).descendants() if element.tag == "table"), None)


def find_body_table(text: str) -> Element | None:
    """The first table that is a direct child of ``body`` in a full document; what PubTabNet's script takes.

    Example:
        >>> find_body_table("<table></table>") is None
        True
        >>> find_body_table("<html><body><table></table></body></html>").tag
        'table'
    """
    document = parse_html(text)
    parts = document.elements
    if not _FULL_DOCUMENT.match(text) and all(part.tag != "head" for part in parts):
        return None
    bodies = (part for part in parts if part.tag == "body")
    return next((child for body in bodies for child in body.elements if child.tag == "table"), None)


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("html")
        self._open = [self.root]
        self._body_seen = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        while len(self._open) > 1 and tag in _CLOSED_BY.get(self._open[-1].tag, ()):
            self._open.pop()
        if tag == "html" or (tag == "body" and self._body_seen):
            return
        self._imply(tag)
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].content.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if self._open[-1].tag == tag and len(self._open) > 1:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        strength = _STRENGTH.get(tag, _USUAL_STRENGTH)
        for position in range(len(self._open) - 1, 0, -1):
            open_tag = self._open[position].tag
            if open_tag == tag:
                del self._open[position:]
                return
            if _STRENGTH.get(open_tag, _USUAL_STRENGTH) > strength:
                return

    def handle_data(self, data: str) -> None:
        if len(self._open) > 1:
            self._open[-1].content.append(data)

    def _imply(self, tag: str) -> None:
        """Open the ``head`` or ``body`` that the document leaves out."""
        if self._body_seen or tag == "head":
            return
        in_head = any(element.tag == "head" for element in self._open)
        if tag in _IN_HEAD:
            if not in_head:
                self._push("head")
            return
        del self._open[1:]
        self._body_seen = True
        if tag != "body":
            self._push("body")

    def _push(self, tag: str) -> None:
        element = Element(tag)
        self._open[-1].content.append(element)
        self._open.append(element)
