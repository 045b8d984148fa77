"""From a model's answer to boxes and points in pixels of the original picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from vlmops.errors import UsageError
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.geometry.box import Box, Point, Size
from vlmops.geometry.convention import Convention, convention_named
from vlmops.geometry.syntax import Found, Kind, places_in

if TYPE_CHECKING:
    from collections.abc import Sequence

Place = TypeVar("Place", bound=Box | Point)

_EXCERPT = 120


@dataclass(frozen=True, slots=True)
class Located(Generic[Place]):
    """What an answer says about places, with everything needed to check how it was read.

    Attributes:
        places: Boxes or points in pixels of the oriented original, in the answer's order.
        raw: The numbers as the model wrote them, one tuple per place.
        convention: Name of the convention they were read by.
        seen_size: Size of the picture the model saw, where the convention depends on it.
        original_size: Size of the oriented original, when known.
        notes: What was repaired: swapped corners, parts outside of the picture that were cut off.
    """

    places: tuple[Place, ...]
    raw: tuple[tuple[float, ...], ...]
    convention: str
    seen_size: Size | None = None
    original_size: Size | None = None
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The same as JSON, with ``canonical_xyxy_px`` (boxes) or ``canonical_xy_px`` (points)."""
        boxes = [list(place.xyxy) for place in self.places if isinstance(place, Box)]
        points = [list(place.xy) for place in self.places if isinstance(place, Point)]
        return {
            "raw": [list(numbers) for numbers in self.raw],
            "convention": self.convention,
            "seen_size": list(self.seen_size) if self.seen_size else None,
            "original_size": list(self.original_size) if self.original_size else None,
            **({"canonical_xy_px": points} if points else {"canonical_xyxy_px": boxes}),
            "notes": list(self.notes),
        }


def locate_boxes(
    answer: Any,
    convention: str | Convention,
    original_size: Size | None = None,
    *,
    seen_size: Size | None = None,
) -> Located[Box] | Failure:
    """The boxes of an answer, in pixels of the oriented original.

    Read are the convention's own tags, JSON (in code fences, behind prose, with trailing commas, numbers as
    text, cut off in the middle) and bracketed numbers. Swapped corners are put right and parts outside of the
    picture cut off, each with a note. An empty JSON list is an answer with no boxes.

    Args:
        answer: Text, or JSON already read.
        convention: A name in ``CONVENTIONS``, or a convention of your own.
        original_size: Width and height of the oriented original.
        seen_size: Width and height of the picture the model saw, if measured; else computed.

    Returns:
        The boxes, or an ``unparsable`` failure: never a made-up box.

    Raises:
        UsageError: The convention is unknown or needs a size that is not given.

    Example:
        >>> answer = '[{"box_2d": [100, 200, 300, 400], "label": "cup"}]'
        >>> located = locate_boxes(answer, "gemini", (1000, 500))
        >>> located.places[0].xyxy, located.places[0].label
        ((200.0, 50.0, 400.0, 150.0), 'cup')
    """
    if (placed := _already_placed(answer, Box)) is not None:
        return Located(placed, tuple(box.xyxy for box in placed), "pixels", original_size=original_size)
    found, reading = _read(answer, "box", convention, original_size, seen_size)
    if isinstance(found, Failure):
        return found
    boxes = [reading.box(place) for place in found]
    return reading.located(tuple(boxes), found)


def locate_points(
    answer: Any,
    convention: str | Convention,
    original_size: Size | None = None,
    *,
    seen_size: Size | None = None,
) -> Located[Point] | Failure:
    """The points of an answer, in pixels of the oriented original; points outside of the picture stay there.

    Arguments, result and errors are those of :func:`locate_boxes`.

    Example:
        >>> located = locate_points('<point x="50" y="25" alt="cup">cup</point>', "molmo", (640, 480))
        >>> located.places
        (Point(x=320.0, y=120.0, label='cup'),)
    """
    if (placed := _already_placed(answer, Point)) is not None:
        return Located(placed, tuple(point.xy for point in placed), "pixels", original_size=original_size)
    found, reading = _read(answer, "point", convention, original_size, seen_size)
    if isinstance(found, Failure):
        return found
    return reading.located(tuple(reading.point(place) for place in found), found)


@dataclass(slots=True)
class _Reading:
    """One answer being turned into pixels; collects the notes."""

    convention: Convention
    original_size: Size | None
    seen_size: Size | None
    factors: tuple[float, float]
    notes: list[str]

    def box(self, found: Found) -> Box:
        across, down = self.factors
        xa, ya, xb, yb = self._corners(found)
        box = Box.from_corners(xa * across, ya * down, xb * across, yb * down, found.label, found.score)
        if xa > xb or ya > yb:
            self.notes.append(f"corners of {list(found.numbers)} were swapped")
        if self.original_size is None:
            return box
        inside = box.clipped(self.original_size)
        if inside.xyxy != box.xyxy:
            width, height = self.original_size
            over = max(-box.x1, -box.y1, box.x2 - width, box.y2 - height)
            self.notes.append(
                f"{list(found.numbers)} reached {over:.1f} px beyond the picture and was cut off"
            )
        return inside

    def point(self, found: Found) -> Point:
        first, second = found.numbers
        x, y = (second, first) if self.convention.order == "yxyx" and not found.named else (first, second)
        return Point(x * self.factors[0], y * self.factors[1], found.label)

    def located(self, places: tuple[Place, ...], found: Sequence[Found]) -> Located[Place]:
        raw = tuple(place.numbers for place in found)
        name, notes = self.convention.name, tuple(self.notes)
        return Located(places, raw, name, self.seen_size, self.original_size, notes)

    def _corners(self, found: Found) -> tuple[float, float, float, float]:
        a, b, c, d = found.numbers
        if found.named:
            return a, b, c, d
        if found.xywh or self.convention.order == "xywh":
            return a, b, a + c, b + d
        return (b, a, d, c) if self.convention.order == "yxyx" else (a, b, c, d)


def _read(
    answer: Any, kind: Kind, name: str | Convention, original_size: Size | None, seen_size: Size | None
) -> tuple[list[Found] | Failure, _Reading]:
    convention = convention_named(name)
    factors = convention.to_pixels(original_size, seen_size)
    if convention.unit != "seen_px":
        seen_size = None
    elif seen_size is None:
        seen_size = convention.seen_size(original_size)
    reading = _Reading(convention, original_size, seen_size, factors, [])
    found = places_in(answer, kind, convention.syntax)
    if found is None:
        return Failure(FailureKind.UNPARSABLE, f"no {kind} in {_excerpt(answer)}"), reading
    return found, reading


def _already_placed(answer: Any, kind: type[Place]) -> tuple[Place, ...] | None:
    """Places of our own need no reading."""
    if isinstance(answer, kind):
        return (answer,)
    if isinstance(answer, list | tuple) and answer and all(isinstance(item, kind) for item in answer):
        return tuple(answer)
    return None


def _excerpt(answer: Any) -> str:
    text = repr(answer)
    return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}... ({len(text)} characters)"


def gold_boxes(expected: Any) -> tuple[Box, ...]:
    """The boxes of an expected value: pixels of the oriented original, xyxy unless the key says ``xywh``.

    Taken are a :class:`Box`, four numbers, an object with a box key (and ``label``), or lists of these; an
    empty list says that nothing is there.

    Raises:
        UsageError: There is no box in it.

    Example:
        >>> gold_boxes([{"bbox_xywh": [10, 20, 30, 40], "label": "cup"}])[0].xyxy
        (10.0, 20.0, 40.0, 60.0)
    """
    located = locate_boxes(expected, "pixels")
    if isinstance(located, Failure):
        raise UsageError(
            f"expected value: {located.message}; give [x1, y1, x2, y2] in pixels of the original"
        )
    return located.places


def gold_points(expected: Any) -> tuple[Point, ...]:
    """The points of an expected value, in pixels of the oriented original.

    Raises:
        UsageError: There is no point in it.

    Example:
        >>> gold_points([{"x": 3, "y": 4}])[0].xy
        (3.0, 4.0)
    """
    located = locate_points(expected, "pixels")
    if isinstance(located, Failure):
        raise UsageError(f"expected value: {located.message}; give [x, y] in pixels of the original")
    return located.places
