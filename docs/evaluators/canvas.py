"""A sheet to draw figures on: text, marks, bars and pictures, in colours that everybody can tell apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image as PilImage
from PIL import ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vlmops import Image

Color = tuple[int, int, int]

INK: Color = (30, 34, 42)
MUTED: Color = (110, 118, 130)
LINE: Color = (214, 219, 226)
# Okabe and Ito's palette, as the library's overlays use it.
RIGHT: Color = (0, 158, 115)
WRONG: Color = (213, 94, 0)
THIRD: Color = (0, 114, 178)

MARGIN = 20
ROW = 30


class Canvas:
    """A white sheet with a title line.

    Args:
        width: In pixels.
        height: In pixels.
        title: What the figure shows.
    """

    def __init__(self, width: int, height: int, title: str) -> None:
        self.image = PilImage.new("RGB", (width, height), "white")
        self.draw = ImageDraw.Draw(self.image)
        self.text((MARGIN, MARGIN), title, color=MUTED, size=15)

    def text(
        self, at: tuple[float, float], text: str, *, color: Color = INK, size: int = 16, anchor: str = "la"
    ) -> float:
        """Write a line; gives where it ends."""
        font = ImageFont.load_default(size)
        self.draw.text(at, text, fill=color, font=font, anchor=anchor)
        return at[0] + font.getlength(text)

    def line(self, start: tuple[float, float], end: tuple[float, float], color: Color = LINE) -> None:
        """Draw a line two pixels wide."""
        self.draw.line((*start, *end), fill=color, width=2)

    def bar(self, corner: tuple[float, float], size: tuple[float, float], color: Color) -> None:
        """Fill a rectangle."""
        self.draw.rectangle((*corner, corner[0] + size[0], corner[1] + size[1]), fill=color)

    def mark(self, center: tuple[float, float], *, good: bool) -> None:
        """A tick or a cross: told apart by shape as well as by colour."""
        x, y = center
        if good:
            self.draw.line((x - 7, y, x - 2, y + 6, x + 8, y - 7), fill=RIGHT, width=3)
        else:
            self.draw.line((x - 6, y - 6, x + 6, y + 6), fill=WRONG, width=3)
            self.draw.line((x - 6, y + 6, x + 6, y - 6), fill=WRONG, width=3)

    def paste(self, picture: Image, at: tuple[int, int], width: int) -> int:
        """Put a picture on the sheet at this width; gives its height there."""
        drawn = picture.to_pil("RGB")
        height = round(drawn.height * width / drawn.width)
        self.image.paste(drawn.resize((width, height)), at)
        return height

    def table(self, top: int, columns: Iterable[tuple[int, str]], rows: Iterable[Iterable[object]]) -> int:
        """Write a table: booleans as marks, the rest as text; gives where it ends.

        Args:
            top: Where it begins.
            columns: Left edge and heading of each.
            rows: Cells; a pair of text and colour is written in that colour.
        """
        edges = list(columns)
        for left, heading in edges:
            self.text((left, top), heading, color=MUTED, size=14)
        y = top + 24
        for row in rows:
            self.line((MARGIN, y), (self.image.width - MARGIN, y))
            for (left, _), cell in zip(edges, row, strict=True):
                self._cell((left, y + 6), cell)
            y += ROW
        return y

    def _cell(self, at: tuple[int, int], cell: object) -> None:
        if isinstance(cell, bool):
            self.mark((at[0] + 10, at[1] + 9), good=cell)
        elif isinstance(cell, tuple):
            self.text(at, cell[0], color=cell[1], size=15)
        else:
            self.text(at, str(cell), size=15)
