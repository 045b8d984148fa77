"""From text boxes to text: which boxes share a line, and in what order lines are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class TextBox:
    """One piece of text found in a picture.

    Attributes:
        text: What it says.
        confidence: The recogniser's own confidence in 0..1; more is surer.
        corners: The corners in pixels of the upright picture, ``(x, y)`` with the origin at the top left,
            clockwise from the text's top left corner.

    Example:
        >>> TextBox.upright("TOTAL", 10, 20, 90, 40).bounds
        (10, 20, 90, 40)
    """

    text: str
    confidence: float
    corners: tuple[Point, Point, Point, Point]

    @classmethod
    def upright(
        cls, text: str, left: float, top: float, right: float, bottom: float, confidence: float = 1.0
    ) -> TextBox:
        """A box whose sides are parallel to the picture's."""
        return cls(text, confidence, ((left, top), (right, top), (right, bottom), (left, bottom)))

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """The smallest upright rectangle around it: left, top, right, bottom, in pixels."""
        xs, ys = [x for x, _ in self.corners], [y for _, y in self.corners]
        return min(xs), min(ys), max(xs), max(ys)


def lines_of(boxes: Sequence[TextBox], *, slope: float | None = None) -> list[list[TextBox]]:
    """Group boxes to lines, top to bottom, each from left to right.

    The rule: the page's slope is taken out first, then boxes are visited by the height of their centre, and
    one joins the line last begun when at least half of the smaller of the two heights overlaps vertically
    with that line's most recent member. Columns are not told apart: a row of a table is one line, and so
    are two lines that stand side by side.

    Args:
        boxes: In any order.
        slope: Rise of the text's baselines per pixel to the right, downwards positive; measured as the
            median over the boxes, weighted by their width, when ``None``.

    Example:
        >>> row = [TextBox.upright("7.80", 200, 11, 240, 31), TextBox.upright("Flat white", 10, 10, 120, 30)]
        >>> below = TextBox.upright("TOTAL", 10, 40, 80, 60)
        >>> [[box.text for box in line] for line in lines_of([below, *row])]
        [['Flat white', '7.80'], ['TOTAL']]
    """
    tilt = _slope(boxes) if slope is None else slope
    lines: list[list[TextBox]] = []
    for box in sorted(boxes, key=lambda box: _centre(box, tilt)):
        line = next((line for line in reversed(lines[-2:]) if _shares_line(line, box, tilt)), None)
        if line is None:
            lines.append([box])
        else:
            line.append(box)
    return [sorted(line, key=lambda box: box.bounds[0]) for line in lines]


def text_of(boxes: Sequence[TextBox]) -> str:
    r"""The text in reading order: boxes of a line joined by one space, lines by ``\n``.

    Example:
        >>> text_of([TextBox.upright("b", 30, 0, 40, 10), TextBox.upright("a", 0, 0, 10, 10)])
        'a b'
    """
    return "\n".join(" ".join(box.text for box in line) for line in lines_of(boxes))


def _slope(boxes: Sequence[TextBox]) -> float:
    measured = []
    for box in boxes:
        (left, top), (right, other_top) = box.corners[0], box.corners[1]
        width = right - left
        # A box of a character or two says nothing about the slope of its baseline.
        if width > 2 * abs(box.corners[3][1] - top):
            measured.append(((other_top - top) / width, width))
    if not measured:
        return 0.0
    measured.sort()
    half, reached = sum(width for _, width in measured) / 2, 0.0
    for slope, width in measured:
        reached += width
        if reached >= half:
            return slope
    return measured[-1][0]


def _centre(box: TextBox, slope: float) -> float:
    return sum(y - slope * x for x, y in box.corners) / 4


def _height(box: TextBox) -> float:
    (_, a), (_, b), (_, c), (_, d) = box.corners
    return max((abs(d - a) + abs(c - b)) / 2, 1e-6)


def _shares_line(line: Sequence[TextBox], box: TextBox, slope: float) -> bool:
    # The nearest member decides, since lines of a warped page drift over its width.
    left, _, right, _ = box.bounds
    nearest = min(line, key=lambda other: max(other.bounds[0] - right, left - other.bounds[2]))
    overlap = (_height(nearest) + _height(box)) / 2 - abs(_centre(nearest, slope) - _centre(box, slope))
    return overlap >= 0.5 * min(_height(nearest), _height(box))
