"""A picture with expected and predicted places drawn into it, readable at any size."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vlmops.geometry.box import Box, Point

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from PIL import Image as PilImage
    from PIL import ImageDraw, ImageFont

    from vlmops.images import Image

# Okabe and Ito's palette: told apart with any colour vision; dashes tell them apart in print.
EXPECTED_COLOR = (0, 158, 115)
PREDICTED_COLOR = (213, 94, 0)
_HALO = (255, 255, 255)
_LEGEND_INK = (30, 30, 30)
_SHORTEST = 480
_LONGEST = 1600
_LABEL_LENGTH = 40

Color = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Overlay:
    """A picture with places on it; drawn only when its bytes are read, so that it costs nothing unseen.

    It is an ``Origin`` of :class:`vlmops.images.Image`: :meth:`image` gives a lazy picture.

    Attributes:
        picture: The picture the places lie in.
        expected: Boxes and points that should have been found; solid.
        predicted: Boxes and points that were found; dashed.
        note: One line for the legend.
    """

    picture: Image
    expected: Sequence[Box | Point] = ()
    predicted: Sequence[Box | Point] = ()
    note: str = ""

    @property
    def description(self) -> str:
        """What it is, for messages."""
        return f"overlay of {self.picture.source}"

    def image(self) -> Image:
        """The overlay as a lazy picture."""
        from vlmops.images import Image

        return Image.from_origin(self)

    def read(self) -> bytes:
        """Draw it, as PNG."""
        drawn = draw_overlay(self.picture.to_pil("RGB"), self.expected, self.predicted, self.note)
        buffer = io.BytesIO()
        drawn.save(buffer, "PNG")
        return buffer.getvalue()


def draw_overlay(
    picture: PilImage.Image,
    expected: Sequence[Box | Point] = (),
    predicted: Sequence[Box | Point] = (),
    note: str = "",
) -> PilImage.Image:
    """A copy of the picture with places drawn into it and a legend under it.

    Expected places are solid green, predicted ones dashed orange. Pictures under 480 px on their longer side
    are enlarged, those over 1600 px reduced, so that lines and names can be read.

    Args:
        picture: Upright RGB picture in which the places are pixels.
        expected: Boxes and points that should have been found.
        predicted: Boxes and points that were found.
        note: One line for the legend.

    Example:
        >>> from PIL import Image
        >>> draw_overlay(Image.new("RGB", (64, 48)), expected=[Box(5, 5, 30, 30, "cup")]).size
        (480, 412)
    """
    from PIL import Image, ImageDraw, ImageFont

    longer = max(picture.size)
    scale = min(_LONGEST / longer, max(1.0, _SHORTEST / longer))
    width, height = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    stroke = max(2, round(max(width, height) / 320))
    font = ImageFont.load_default(size=max(13, round(max(width, height) / 45)))
    legend = _legend_lines(len(expected), len(predicted), note)
    line_height = round(font.getbbox("Ag")[3] * 1.5)
    canvas = Image.new("RGB", (max(width, _SHORTEST), height + line_height * len(legend) + stroke * 2), _HALO)
    canvas.paste(picture.convert("RGB").resize((width, height)), (0, 0))
    pen = _Pen(ImageDraw.Draw(canvas), font, scale, stroke, (width, height))
    for place in expected:
        pen.draw(place, EXPECTED_COLOR, dashed=False)
    for place in predicted:
        pen.draw(place, PREDICTED_COLOR, dashed=True)
    for row, (text, color) in enumerate(legend):
        pen.surface.text((stroke * 2, height + stroke + row * line_height), text, fill=color, font=font)
    return canvas


def _legend_lines(expected: int, predicted: int, note: str) -> list[tuple[str, Color]]:
    lines = [
        (f"solid: expected ({expected})", EXPECTED_COLOR),
        (f"dashed: predicted ({predicted})", PREDICTED_COLOR),
    ]
    return [*lines, (note, _LEGEND_INK)] if note else lines


@dataclass(slots=True)
class _Pen:
    """Draws places at one scale; every stroke has a white halo, to show on any background."""

    surface: ImageDraw.ImageDraw
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont
    scale: float
    stroke: int
    size: tuple[int, int]

    def draw(self, place: Box | Point, color: Color, *, dashed: bool) -> None:
        if isinstance(place, Box):
            self._box(place, color, dashed=dashed)
        else:
            self._point(place, color, dashed=dashed)

    def _box(self, box: Box, color: Color, *, dashed: bool) -> None:
        x1, y1, x2, y2 = (round(value * self.scale) for value in box.xyxy)
        sides = (((x1, y1), (x2, y1)), ((x2, y1), (x2, y2)), ((x2, y2), (x1, y2)), ((x1, y2), (x1, y1)))
        for start, end in sides:
            self.surface.line([start, end], fill=_HALO, width=self.stroke * 2)
        for start, end in sides:
            for piece in _dashes(start, end, self.stroke * 4) if dashed else ((start, end),):
                self.surface.line(piece, fill=color, width=self.stroke)
        text = _name(box.label, box.score)
        if text:
            self._text((x1, y2) if dashed else (x1, y1), text, color, below=dashed)

    def _point(self, point: Point, color: Color, *, dashed: bool) -> None:
        x, y = round(point.x * self.scale), round(point.y * self.scale)
        radius = self.stroke * 3
        for reach, ink, width in (
            (radius + self.stroke, _HALO, self.stroke * 2),
            (radius, color, self.stroke),
        ):
            if dashed:
                self.surface.line([(x - reach, y - reach), (x + reach, y + reach)], fill=ink, width=width)
                self.surface.line([(x - reach, y + reach), (x + reach, y - reach)], fill=ink, width=width)
            else:
                self.surface.ellipse((x - reach, y - reach, x + reach, y + reach), outline=ink, width=width)
        if point.label:
            self._text((x + radius * 2, y), point.label[:_LABEL_LENGTH], color, below=dashed)

    def _text(self, at: tuple[int, int], text: str, color: Color, *, below: bool) -> None:
        left, _top, right, bottom = self.font.getbbox(text)
        width, height = round(right - left) + 6, round(bottom) + 6
        x = min(max(at[0], 0), max(self.size[0] - width, 0))
        y = min(max(at[1] if below else at[1] - height, 0), max(self.size[1] - height, 0))
        self.surface.rectangle((x, y, x + width, y + height), fill=color)
        self.surface.text((x + 3 - left, y + 3), text, fill=_HALO, font=self.font)


def _dashes(
    start: tuple[int, int], end: tuple[int, int], length: int
) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    total = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
    for begin in range(0, max(total, 1), length * 2):
        stop = min(begin + length, total)
        yield _along(start, end, begin, total), _along(start, end, stop, total)


def _along(start: tuple[int, int], end: tuple[int, int], distance: int, total: int) -> tuple[int, int]:
    share = distance / total if total else 0.0
    return round(start[0] + (end[0] - start[0]) * share), round(start[1] + (end[1] - start[1]) * share)


def _name(label: str, score: float | None) -> str:
    shown = label[:_LABEL_LENGTH]
    return f"{shown} {score:.2f}".strip() if score is not None else shown
