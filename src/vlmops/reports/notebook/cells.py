"""Tables, texts and small pictures as HTML for notebooks: all text is escaped, nothing runs."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from vlmops.errors import ImageError
from vlmops.images import Image, images_in, map_images
from vlmops.reports.pictures import picture_uri
from vlmops.reports.text import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

SIDE = 200
"""Longest side of pictures in notebooks, in pixels."""
LONGEST = 1200
"""Characters of one value that notebooks show."""
_MOST_PICTURES = 6
_CELL = 'style="text-align:left;vertical-align:top"'


def html_table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML; the columns' names are text.

    Example:
        >>> html_table(["<a>"], [["<b>x</b>"]]).count("&lt;a&gt;")
        1
    """
    head = "".join(f"<th {_CELL}>{escape(column)}</th>" for column in columns)
    body = "".join("<tr>" + "".join(f"<td {_CELL}>{cell}</td>" for cell in line) + "</tr>" for line in lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def html_value(value: Any, longest: int = LONGEST) -> str:
    """Any output or expected value: its pictures, small, then its text.

    Example:
        >>> html_value("<script>")
        '<div style="white-space:pre-wrap">&lt;script&gt;</div>'
    """
    images = list(images_in(value))
    shown = "".join(html_picture(image) for image in images[:_MOST_PICTURES])
    if len(images) > _MOST_PICTURES:
        shown += f"<em>and {len(images) - _MOST_PICTURES} more pictures</em>"
    if isinstance(value, Image):
        return shown
    text = readable(map_images(value, lambda image: f"(picture {image.source})"), longest)
    return f'{shown}<div style="white-space:pre-wrap">{escape(text)}</div>'


def html_picture(image: Image, side: int = SIDE) -> str:
    """A small picture; where it cannot be read, why."""
    try:
        uri = picture_uri(image, side)
    except ImageError as error:
        return f"<em>{escape(str(error))}</em>"
    return f'<img src="{uri}" alt="{escape(image.source)}" style="max-width:{side}px;margin:0 6px 6px 0">'


def html_link(url: str, text: str) -> str:
    """A link where the URL is one that a browser may be sent to, else the text.

    Example:
        >>> html_link("javascript:alert(1)", "a & b")
        'a &amp; b'
    """
    if not url.lower().startswith(("http://", "https://")):
        return escape(text)
    return f'<a href="{escape(url)}" target="_blank" rel="noreferrer noopener">{escape(text)}</a>'
