"""Boxes and points of a case, in pixels of its first picture, to be drawn over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError
from vlmops.evaluators import Failure
from vlmops.geometry import Box, Point, convention_for, gold_boxes, gold_points, locate_boxes, locate_points
from vlmops.geometry.syntax import BOX_KEYS, BOX_KEYS_XYWH, POINT_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vlmops.evaluators import Case
    from vlmops.geometry import Size
    from vlmops.platforms.records import Run

PlaceJson = list[Any]
"""``[x1, y1, x2, y2, label]`` of a box, ``[x, y, label]`` of a point, in pixels of the upright original."""

_BOX_KEYS = frozenset((*BOX_KEYS, *BOX_KEYS_XYWH))
_POINT_KEYS = frozenset(POINT_KEYS)
_MOST = 200


def expected_places(case: Case) -> list[PlaceJson]:
    """The places of the expected value, where it names any under a key for boxes or points.

    Example:
        >>> from vlmops.evaluators import Case
        >>> expected_places(Case("a", expected={"objects": [{"bbox": [1, 2, 3, 4], "label": "cup"}]}))
        [[1.0, 2.0, 3.0, 4.0, 'cup']]
        >>> expected_places(Case("a", expected={"codes": [1, 2, 3, 4]}))
        []
    """
    keys = set(_keys(case.expected))
    try:
        if keys & _BOX_KEYS or _of(case.expected, Box):
            return _plain(gold_boxes(case.expected))
        if keys & _POINT_KEYS or _of(case.expected, Point):
            return _plain(gold_points(case.expected))
    except UsageError:
        pass
    return []


def predicted_places(run: Run, model: str, size: Size | None) -> list[PlaceJson]:
    """The places of an answer: as an evaluator read them, else by the convention of its model.

    Without either none are drawn: a box in thousandths and one in pixels look alike.

    Args:
        run: The answer.
        model: Name of the model that gave it, as recorded with its experiment.
        size: Of the upright original, when known.
    """
    if isinstance(run.case.output, Failure):
        return []
    read = next((found for result in run.results if (found := _as_read(result))), None)
    if read is not None:
        return read
    keys = set(_keys(run.case.output))
    convention = convention_for(model)
    if convention is None or (convention.unit == "seen_px" and size is None):
        return []
    for wanted, locate in ((_BOX_KEYS, locate_boxes), (_POINT_KEYS, locate_points)):
        if keys & wanted:
            try:
                located = locate(run.case.output, convention, size)
            except UsageError:
                return []
            return [] if isinstance(located, Failure) else _plain(located.places)
    return []


def _as_read(result: Any) -> list[PlaceJson] | None:
    metadata = getattr(result, "metadata", None)
    if not isinstance(metadata, Mapping):
        return None
    for part in (metadata, metadata.get("located"), metadata.get("predicted")):
        if isinstance(part, Mapping):
            for key, length in (("canonical_xyxy_px", 4), ("canonical_xy_px", 2)):
                found = part.get(key)
                if isinstance(found, Sequence) and found and all(_numbers(each, length) for each in found):
                    return [[*map(float, each), ""] for each in found[:_MOST]]
    return None


def _numbers(value: Any, length: int) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == length
        and all(isinstance(number, int | float) for number in value)
    )


def _keys(tree: Any) -> Iterator[str]:
    if isinstance(tree, Mapping):
        for key, inner in tree.items():
            yield str(key)
            yield from _keys(inner)
    elif isinstance(tree, list | tuple):
        for inner in tree:
            yield from _keys(inner)


def _of(value: Any, kind: type) -> bool:
    return isinstance(value, kind) or (
        isinstance(value, list | tuple) and bool(value) and all(isinstance(item, kind) for item in value)
    )


def _plain(places: Sequence[Box | Point]) -> list[PlaceJson]:
    return [
        [*(place.xyxy if isinstance(place, Box) else place.xy), place.label[:80]] for place in places[:_MOST]
    ]
