"""A confusion matrix as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops.evaluators.text import shortened

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw

    from vlmops.evaluators.classification.confusion import ConfusionMatrix

_MOST_LABELS = 40
_CELL = 56
_MARGIN = 16
_LABEL_LENGTH = 18
_FONT_SIZE = 14
_INK = (20, 24, 32)
_MUTED = (90, 98, 112)
_RIGHT = (22, 101, 52)
_WRONG = (185, 28, 28)


def draw_confusion_matrix(matrix: ConfusionMatrix, *, title: str = "") -> Picture:
    """Draw counts in cells, rows gold and columns predicted; shade is the share of the row.

    Right answers are green, confusions red. With more than 40 labels the most frequent 39 are drawn and the
    others are joined as "(other)", whose diagonal cell holds confusions among them too.

    Args:
        matrix: The counts.
        title: A line above the matrix.

    Returns:
        An RGB picture; its size grows with the number of labels.

    Example:
        >>> from vlmops.evaluators.classification import confusion_matrix
        >>> draw_confusion_matrix(confusion_matrix(["a", "b"], ["a", "a"])).mode
        'RGB'
    """
    from PIL import Image, ImageDraw, ImageFont

    names, counts = _drawable(matrix)
    font = ImageFont.load_default(_FONT_SIZE)
    left = _MARGIN + max([int(font.getlength(name)) for name in names] + [int(font.getlength("gold"))]) + 8
    top = _MARGIN + 3 * (_FONT_SIZE + 6)
    side = _CELL * len(names)
    heading = f"{title}  " if title else ""
    line = f"{heading}rows: gold, columns: predicted"
    width = max(left + side, _MARGIN + int(font.getlength(line))) + _MARGIN
    picture = Image.new("RGB", (width, top + side + _MARGIN), "white")
    draw = ImageDraw.Draw(picture)
    draw.text((_MARGIN, _MARGIN), line, fill=_MUTED, font=font)
    for index, name in enumerate(names):
        center = index * _CELL + _CELL // 2
        draw.text((left - 8, top + center), name, fill=_INK, font=font, anchor="rm")
        draw.text((left + center, top - 6), _fit(font, name), fill=_INK, font=font, anchor="mb")
        _draw_row(draw, font, counts[index], row=index, origin=(left, top))
    return picture


def _draw_row(draw: ImageDraw, font: Any, counts: Any, *, row: int, origin: tuple[int, int]) -> None:
    total = counts.sum()
    for column, count in enumerate(counts.tolist()):
        share = count / total if total else 0.0
        x, y = origin[0] + column * _CELL, origin[1] + row * _CELL
        shade = _blend(_RIGHT if row == column else _WRONG, share)
        draw.rectangle((x, y, x + _CELL - 2, y + _CELL - 2), fill=shade, outline=(222, 226, 232))
        if count:
            ink = "white" if share > 0.5 else _INK
            text = f"{count:g}"
            draw.text((x + _CELL // 2, y + _CELL // 2), text, fill=ink, font=font, anchor="mm")


def _blend(color: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    red, green, blue = (round(255 + (channel - 255) * share) for channel in color)
    return red, green, blue


def _fit(font: Any, name: str) -> str:
    while len(name) > 1 and font.getlength(name) > _CELL - 4:
        name = name[:-2] + "…" if name.endswith("…") else name[:-1] + "…"
    return name


def _drawable(matrix: ConfusionMatrix) -> tuple[list[str], Any]:
    import numpy as np

    counts = matrix.counts
    names = [shortened(" ".join(str(label).split()), _LABEL_LENGTH) for label in matrix.labels]
    if len(names) <= _MOST_LABELS:
        return names, counts
    weight = counts.sum(axis=0) + counts.sum(axis=1)
    kept = np.sort(np.argsort(-weight, kind="stable")[: _MOST_LABELS - 1])
    group = np.full(len(names), _MOST_LABELS - 1)
    group[kept] = np.arange(len(kept))
    joined = np.zeros((_MOST_LABELS, _MOST_LABELS), dtype=counts.dtype)
    np.add.at(joined, (group[:, None], group[None, :]), counts)
    return [*(names[index] for index in kept), "(other)"], joined
