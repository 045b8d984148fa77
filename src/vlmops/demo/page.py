"""Typesetting of small documents: rows of text, whose wording is the ground truth at the same time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from vlmops.demo.dataset import demo_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image as PillowImage
    from PIL import ImageDraw, ImageFont

Align = Literal["left", "centre", "right"]


@dataclass(frozen=True, slots=True)
class Cell:
    """Text at a place in its row.

    Attributes:
        text: What is written.
        at: Where its anchor stands, as a share of the width between the margins, 0..1.
        align: Which part of the text the anchor is.
    """

    text: str
    at: float = 0.0
    align: Align = "left"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a document.

    Attributes:
        cells: Its texts from left to right; empty for an empty line.
        size: Height of the letters as a factor of the style's.
        bold: Set in the style's bold face.
        rule: Draw a thin line instead.
    """

    cells: tuple[Cell, ...] = ()
    size: float = 1.0
    bold: bool = False
    rule: bool = False

    @property
    def text(self) -> str:
        """What stands in the row, with one space wherever there is a gap."""
        return " ".join(" ".join(cell.text for cell in self.cells).split())


def centred(text: str, *, size: float = 1.0, bold: bool = False) -> Row:
    """A row in the middle of the page."""
    return Row((Cell(text, 0.5, "centre"),), size, bold)


def plain(text: str = "", *, size: float = 1.0, bold: bool = False) -> Row:
    """A row at the left margin, or an empty one."""
    return Row((Cell(text),) if text else (), size, bold)


def spread(left: str, right: str, *, size: float = 1.0, bold: bool = False) -> Row:
    """A row with one text at each margin."""
    return Row((Cell(left), Cell(right, 1.0, "right")), size, bold)


def rule() -> Row:
    """A thin line over the width of the text."""
    return Row(rule=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a page looks.

    Attributes:
        font: File name of the regular face in the bundled ``fonts`` folder.
        bold_font: The same of the bold face.
        size: Height of the letters in pixels.
        width: Width of the page in pixels.
        margin: Free space on every side, in pixels.
        leading: Distance between baselines as a factor of the size.
        ink: Colour of the letters.
        paper: Colour of the page.
        frame: Draw a border as on a sign.
    """

    font: str = "DejaVuSansMono.ttf"
    bold_font: str = "DejaVuSansMono-Bold.ttf"
    size: int = 22
    width: int = 560
    margin: int = 36
    leading: float = 1.45
    ink: tuple[int, int, int] = (25, 25, 28)
    paper: tuple[int, int, int] = (252, 252, 249)
    frame: bool = False


def text_of_rows(rows: Sequence[Row]) -> str:
    r"""The rows' wording, a line each; empty rows and rules say nothing.

    Example:
        >>> text_of_rows([centred("CAFE"), rule(), spread("Tea", "2.50")])
        'CAFE\nTea 2.50'
    """
    return "\n".join(row.text for row in rows if row.cells)


def draw(rows: Sequence[Row], style: Style) -> PillowImage.Image:
    """The clean page, as wide as the style says and as high as the rows need."""
    from PIL import Image, ImageDraw

    height = 2 * style.margin + sum(_height(row, style) for row in rows)
    page = Image.new("RGB", (style.width, height), style.paper)
    pen = ImageDraw.Draw(page)
    if style.frame:
        inset = style.margin // 3
        box = (inset, inset, style.width - inset - 1, height - inset - 1)
        pen.rounded_rectangle(box, radius=inset, outline=style.ink, width=max(3, style.size // 8))
    top = style.margin
    for row in rows:
        _draw_row(pen, row, style, top)
        top += _height(row, style)
    return page


def _draw_row(pen: ImageDraw.ImageDraw, row: Row, style: Style, top: int) -> None:
    span = style.width - 2 * style.margin
    middle = top + _height(row, style) // 2
    if row.rule:
        pen.line((style.margin, middle, style.width - style.margin, middle), fill=style.ink, width=2)
    face = _face(style.bold_font if row.bold else style.font, round(style.size * row.size))
    anchors = {"left": "lm", "centre": "mm", "right": "rm"}
    for cell in row.cells:
        place = (round(style.margin + cell.at * span), middle)
        pen.text(place, cell.text, font=face, fill=style.ink, anchor=anchors[cell.align])


def _height(row: Row, style: Style) -> int:
    return round(style.size * style.leading * row.size * (0.6 if not row.cells else 1))


@cache
def _face(name: str, size: int) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    # The basic layout engine is in every build of Pillow; raqm, which sets letters differently, is not.
    path = demo_folder() / "fonts" / name
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
