"""How known benchmarks read boxes and points out of text, rule for rule.

They are kept to reproduce published figures; :func:`vlmops.geometry.locate_boxes` reads more and hides
nothing. Where a benchmark goes on with ``[0, 0, 0, 0]``, these say ``None``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vlmops.geometry.box import Size

_FIRST = re.compile(
    r"\[\s*(-?\d+(?:\.\d+)?),\s*(-?\d+(?:\.\d+)?),\s*(-?\d+(?:\.\d+)?),\s*(-?\d+(?:\.\d+)?)\s*\]"
)
_INTEGERS = re.compile(r"[(\[]\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*[)\]]")
_TUPLE = re.compile(r"\(([-+]?\d+\.?\d*(?:,\s*[-+]?\d+\.?\d*)*?)\)")
_OCRBENCH_FULL = 1000


def lmms_refcoco_box(text: str) -> tuple[float, float, float, float] | None:
    """First ``[a, b, c, d]`` of a text, as lmms-eval reads RefCOCO answers.

    Example:
        >>> lmms_refcoco_box("it is at [-0.1, 0, 0.5, 1]")
        (-0.1, 0.0, 0.5, 1.0)
        >>> lmms_refcoco_box("[.5, .5, .6, .6]") is None
        True
    """
    match = _FIRST.search(text)
    if match is None:
        return None
    a, b, c, d = map(float, match.groups())
    return a, b, c, d


def ocrbench_v2_box(text: str) -> tuple[int, int, int, int] | None:
    """Last integer box within 0..1000 of a text, as OCRBench v2 reads it.

    Example:
        >>> ocrbench_v2_box("(1, 2, 3, 4) then [5,6,7,8]")
        (5, 6, 7, 8)
    """
    boxes = [tuple(map(int, match)) for match in _INTEGERS.findall(text)]
    within = [box for box in boxes if max(box) <= _OCRBENCH_FULL]
    if not within:
        return None
    a, b, c, d = within[-1]
    return a, b, c, d


def lmms_point_pixels(text: str, size: Size, full: float = 1) -> list[tuple[int, int]]:
    """Pixels of all ``(x, y)`` tuples of a text, as lmms-eval reads RefSpatial and Where2Place answers.

    Args:
        text: The answer.
        size: Width and height of the mask.
        full: The number that stands for a whole side, 1 or 1000.

    Example:
        >>> lmms_point_pixels("[(0.5, 0.3)]", (20, 10))
        [(10, 3)]
    """
    width, height = size
    pairs = [match.split(",") for match in _TUPLE.findall(text)]
    return [
        (int(float(pair[0]) / full * width), int(float(pair[1]) / full * height))
        for pair in pairs
        if len(pair) == 2
    ]
