"""Reading places out of an answer: the ways in which models write boxes and points.

Nothing here knows about pixels; every reader gives the numbers as they stand, with label and score.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vlmops.geometry.json_text import json_in_text
from vlmops.geometry.numbers import number

Kind = Literal["box", "point"]
"""What is looked for."""

BOX_KEYS = ("bbox_2d", "box_2d", "xyxy", "bbox_xyxy", "bbox", "box", "bounding_box", "boundingBox", "bboxes")
BOX_KEYS_XYWH = ("xywh", "bbox_xywh")
POINT_KEYS = ("point_2d", "point", "points", "xy", "coordinates", "coordinate", "center")
LABEL_KEYS = ("label", "name", "class", "category", "object", "phrase", "text_content", "text")
SCORE_KEYS = ("score", "confidence", "conf", "probability")
_CORNERS = (
    ("x1", "y1", "x2", "y2"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("left", "top", "right", "bottom"),
)
_CORNER_AND_SIZE = (("x", "y", "width", "height"), ("x", "y", "w", "h"), ("left", "top", "width", "height"))

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_FOUR = re.compile(
    rf"[\[(]\s*({_NUMBER})\s*[,\s]\s*({_NUMBER})\s*[,\s]\s*({_NUMBER})\s*[,\s]\s*({_NUMBER})\s*[\])]"
)
_TWO_CORNERS = re.compile(
    rf"\(\s*({_NUMBER})\s*,\s*({_NUMBER})\s*\)\s*,?\s*\(\s*({_NUMBER})\s*,\s*({_NUMBER})\s*\)"
)
_TWO = re.compile(rf"[\[(]\s*({_NUMBER})\s*,\s*({_NUMBER})\s*[\])]")
_DET = re.compile(r"(?:<\|ref\|>(?P<label>.*?)<\|/ref\|>\s*)?<\|det\|>(?P<place>.*?)<\|/det\|>", re.DOTALL)
_BOX = re.compile(
    r"(?:(?:<ref>|<\|object_ref_start\|>)(?P<label>.*?)(?:</ref>|<\|object_ref_end\|>)\s*)?"
    r"(?:<box>|<\|box_start\|>)(?P<place>.*?)(?:</box>|<\|box_end\|>)",
    re.DOTALL,
)
_LOC = re.compile(r"((?:<loc_?\d+>){4})")
_LOC_NUMBER = re.compile(r"<loc_?(\d+)>")
_POINT_TAG = re.compile(r"<points?\s+(?P<attributes>[^<>]*)>(?P<label>[^<]*)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"(\w+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'/>]+))")


@dataclass(frozen=True, slots=True)
class Found:
    """One place as it is written in the answer.

    Attributes:
        numbers: Four for a box, two for a point.
        label: What is there; empty when nothing is said.
        score: Confidence, when given.
        xywh: Whether the key says that the last two are a size.
        named: Whether keys named the numbers (``x1``...), so that no order is to be assumed.
        node: The JSON object it came from, empty for tags and bare numbers.
    """

    numbers: tuple[float, ...]
    label: str = ""
    score: float | None = None
    xywh: bool = False
    named: bool = False
    node: Mapping[str, Any] | None = None


def places_in(answer: Any, kind: Kind, syntax: str = "json") -> list[Found] | None:
    r"""All places in an answer, in its order; ``None`` when it holds none and does not say so either.

    An empty JSON list or object with an empty list is an answer: nothing is there.

    Args:
        answer: Text, or JSON already read.
        kind: Boxes or points.
        syntax: The tags to try first; JSON and bracketed numbers are tried after them.

    Example:
        >>> places_in('```json\\n[{"bbox_2d": [1, 2, "3", 4,], "label": "cup"}]```', "box")[0].numbers
        (1.0, 2.0, 3.0, 4.0)
        >>> places_in("I cannot see it.", "box") is None
        True
    """
    if not isinstance(answer, str):
        return _in_tree(answer, kind)
    reader = _TAG_READERS.get(syntax)
    found = list(reader(answer, kind)) if reader is not None else []
    if found:
        return found
    for tree in json_in_text(answer):
        in_tree = _in_tree(tree, kind)
        if in_tree is not None:
            return in_tree
    return list(_bare(answer, kind)) or None


def _in_tree(tree: Any, kind: Kind) -> list[Found] | None:
    found = list(_walk(tree, kind, "", None, False))
    return found if found or _says_nothing(tree) else None


def _says_nothing(tree: Any) -> bool:
    """An empty list, alone or as the only list of an object."""
    if isinstance(tree, Mapping):
        return len(tree) > 0 and all(isinstance(value, list | tuple) and not value for value in tree.values())
    return isinstance(tree, list | tuple) and not tree


def _walk(tree: Any, kind: Kind, label: str, node: Mapping[str, Any] | None, xywh: bool) -> Iterator[Found]:
    if isinstance(tree, Mapping):
        yield from _walk_object(tree, kind, label, node)
    elif isinstance(tree, list | tuple):
        numbers = _corners(tree) if kind == "box" else _numbers(tree, 2)
        if numbers is not None:
            yield Found(numbers, label, _score(node), xywh=xywh, node=node)
        else:
            for item in tree:
                yield from _walk(item, kind, label, node, xywh)


def _walk_object(
    tree: Mapping[str, Any], kind: Kind, label: str, parent: Mapping[str, Any] | None
) -> Iterator[Found]:
    label = next((str(tree[key]) for key in LABEL_KEYS if isinstance(tree.get(key), str)), label)
    named = _named(tree, kind)
    if named is not None:
        score = _score(tree)
        yield Found(named, label, score if score is not None else _score(parent), named=True, node=tree)
        return
    keys = (*BOX_KEYS, *BOX_KEYS_XYWH) if kind == "box" else POINT_KEYS
    present = [key for key in keys if isinstance(tree.get(key), list | tuple | Mapping)]
    for key in present:
        yield from _walk(tree[key], kind, label, tree, key in BOX_KEYS_XYWH)
    if not present:
        for key, value in tree.items():
            # {"cup": [x1, y1, x2, y2]}: the key is what is there
            inner = (
                str(key)
                if not label and (_corners(value) if kind == "box" else _numbers(value, 2))
                else label
            )
            yield from _walk(value, kind, inner, None, False)


def _named(tree: Mapping[str, Any], kind: Kind) -> tuple[float, ...] | None:
    """Corners as x1, y1, x2, y2 whatever they are called; a point as x, y."""
    if kind == "point":
        return _values(tree, ("x", "y")) if not {"width", "w"} & set(tree) else None
    for names in _CORNERS:
        if (corners := _values(tree, names)) is not None:
            return corners
    for names in _CORNER_AND_SIZE:
        if (placed := _values(tree, names)) is not None:
            x, y, width, height = placed
            return x, y, x + width, y + height
    return None


def _values(tree: Mapping[str, Any], names: tuple[str, ...]) -> tuple[float, ...] | None:
    if not all(name in tree for name in names):
        return None
    values = [number(tree[name]) for name in names]
    return tuple(value for value in values if value is not None) if None not in values else None


def _corners(value: Any) -> tuple[float, ...] | None:
    """Four numbers, flat or as two corners."""
    if isinstance(value, list | tuple) and len(value) == 2:
        first, second = _numbers(value[0], 2), _numbers(value[1], 2)
        return (*first, *second) if first is not None and second is not None else None
    return _numbers(value, 4)


def _numbers(value: Any, count: int) -> tuple[float, ...] | None:
    if not isinstance(value, list | tuple) or len(value) != count:
        return None
    read = [number(item) for item in value]
    return tuple(item for item in read if item is not None) if None not in read else None


def _score(node: Mapping[str, Any] | None) -> float | None:
    if node is None:
        return None
    return next((value for key in SCORE_KEYS if (value := number(node.get(key))) is not None), None)


def _bare(text: str, kind: Kind, label: str = "") -> Iterator[Found]:
    """Bracketed numbers in prose: ``[1, 2, 3, 4]``, ``(1,2),(3,4)``; for points ``(1, 2)``."""
    patterns = (_FOUR, _TWO_CORNERS) if kind == "box" else (_TWO,)
    matches = sorted(
        (match for pattern in patterns for match in pattern.finditer(text)), key=lambda match: match.start()
    )
    for match in matches:
        yield Found(tuple(map(float, match.groups())), label)


def _tagged(pattern: re.Pattern[str]) -> Callable[[str, Kind], Iterator[Found]]:
    def read(text: str, kind: Kind) -> Iterator[Found]:
        for match in pattern.finditer(text):
            yield from _bare(match["place"], kind, (match["label"] or "").strip())

    return read


def _locations(text: str, kind: Kind) -> Iterator[Found]:
    """Location tokens. PaliGemma writes the label after them, Florence-2 before them."""
    if kind == "point":
        return
    pieces = _LOC.split(text)
    before = ""
    for index in range(1, len(pieces), 2):
        numbers = tuple(float(digits) for digits in _LOC_NUMBER.findall(pieces[index]))
        lead, trail = _words(pieces[index - 1]), _words(pieces[index + 1].split(";")[0])
        if "<loc_" in pieces[index]:
            before = lead or before
            yield Found(numbers, before)
        else:
            yield Found(numbers, trail)


def _words(text: str) -> str:
    return re.sub(r"<[^>]*>", " ", text).strip(" ;,\n\t")


def _point_tags(text: str, kind: Kind) -> Iterator[Found]:
    """Molmo: ``<point x="10.5" y="20" alt="cup">`` and ``<points x1=".." y1=".." x2=".." y2="..">``."""
    if kind == "box":
        return
    for match in _POINT_TAG.finditer(text):
        attributes = {name: a or b or c for name, a, b, c in _ATTRIBUTE.findall(match["attributes"])}
        label = attributes.get("alt") or match["label"].strip()
        for suffix in sorted({name[1:] for name in attributes if re.fullmatch(r"[xy]\d*", name)}, key=_rank):
            x, y = number(attributes.get(f"x{suffix}")), number(attributes.get(f"y{suffix}"))
            if x is not None and y is not None:
                yield Found((x, y), label)


def _rank(suffix: str) -> int:
    return int(suffix or 0)


_TAG_READERS: dict[str, Callable[[str, Kind], Iterator[Found]]] = {
    "det": _tagged(_DET),
    "box": _tagged(_BOX),
    "loc": _locations,
    "points": _point_tags,
}
