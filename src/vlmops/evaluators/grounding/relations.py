"""Spatial relations: is what is said of two things true of their boxes?

All relations are those of the picture plane, seen by the viewer; none is about depth.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vlmops.geometry import Box

TOLERANCE = 0.05
"""Share of the two boxes' mean side by which centres must differ for one to be beside or above the other."""

INSIDE_SHARE = 0.9
"""Least share of a box's area that lies in the other for it to be inside."""

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "left of": ("left of", "to the left of", "on the left of", "at the left of", "left", "leftof"),
    "right of": ("right of", "to the right of", "on the right of", "at the right of", "right", "rightof"),
    "above": ("above", "over", "higher than", "on top of", "up"),
    "below": ("below", "under", "beneath", "underneath", "lower than", "down"),
    "inside": ("inside", "in", "within", "contained in", "inside of"),
    "containing": ("containing", "contains", "around", "surrounding", "contain"),
    "overlapping": ("overlapping", "overlaps", "overlap", "intersects", "intersecting"),
    "apart from": ("apart from", "separate from", "not overlapping", "disjoint from", "apart"),
    "nearer to": ("nearer to", "closer to", "nearer", "closer"),
    "farther from": ("farther from", "further from", "farther", "further"),
    "larger than": ("larger than", "bigger than", "larger", "bigger"),
    "smaller than": ("smaller than", "smaller"),
}
"""Words for each relation."""

_WORDS = {word: relation for relation, words in SYNONYMS.items() for word in words}
_MENTION = re.compile(
    r"(?<!\w)(" + "|".join(re.escape(word) for word in sorted(_WORDS, key=len, reverse=True)) + r")(?!\w)"
)


def relation_named(words: str) -> str:
    """The relation that words stand for.

    Raises:
        UsageError: No relation has these words; the message lists them.

    Example:
        >>> relation_named("To the left of")
        'left of'
    """
    key = " ".join(words.lower().replace("_", " ").split())
    if key not in _WORDS:
        raise UsageError(f"no spatial relation is called {words!r}; there are: {', '.join(SYNONYMS)}")
    return _WORDS[key]


def relations_mentioned(text: str) -> list[str]:
    """The relations that a text mentions, each once, in order.

    Example:
        >>> relations_mentioned("The cup is to the left of the plate.")
        ['left of']
    """
    mentions = _MENTION.findall(" ".join(text.lower().split()))
    return list(dict.fromkeys(_WORDS[word] for word in mentions))


def relation_holds(
    subject: Box, relation: str, object_: Box, than: Box | None = None, *, tolerance: float = TOLERANCE
) -> bool:
    """Whether a relation holds between boxes.

    ``left of``, ``right of``, ``above`` and ``below`` compare centres, which must differ by more than
    ``tolerance`` times the mean side of the two boxes in that direction. ``inside`` asks for 90 % of the
    subject's area in the object; ``overlapping`` for any shared area. ``nearer to`` and ``farther from``
    compare the distance of centres with that of ``than``; sizes compare areas, by more than the tolerance.

    Args:
        subject: Of which something is said.
        relation: What is said, see :data:`SYNONYMS`.
        object_: With regard to what.
        than: The third thing, for ``nearer to`` and ``farther from``: the cup is nearer to the plate *than*
            the fork.
        tolerance: See above; 0 decides by any difference.

    Raises:
        UsageError: The relation is unknown or lacks its third thing.

    Example:
        >>> from vlmops.geometry import Box
        >>> relation_holds(Box(0, 0, 10, 10), "left of", Box(20, 0, 30, 10))
        True
    """
    name = relation_named(relation)
    if name in _COMPARING:
        if than is None:
            raise UsageError(f"{name!r} needs a third thing: nearer to the object than what?")
        near, far = _distance(subject, object_), _distance(than, object_)
        return near < far * (1 - tolerance) if name == "nearer to" else near > far * (1 + tolerance)
    return _HOLDS[name](subject, object_, tolerance)


def _beside(subject: Box, other: Box, tolerance: float) -> bool:
    return other.center[0] - subject.center[0] > tolerance * (subject.width + other.width) / 2


def _above(subject: Box, other: Box, tolerance: float) -> bool:
    return other.center[1] - subject.center[1] > tolerance * (subject.height + other.height) / 2


def _shared(subject: Box, other: Box) -> float:
    width = min(subject.x2, other.x2) - max(subject.x1, other.x1)
    height = min(subject.y2, other.y2) - max(subject.y1, other.y1)
    return max(width, 0.0) * max(height, 0.0)


def _inside(subject: Box, other: Box, _tolerance: float) -> bool:
    if subject.area == 0:
        return other.contains(*subject.center)
    return _shared(subject, other) >= INSIDE_SHARE * subject.area


def _distance(first: Box, second: Box) -> float:
    (xa, ya), (xb, yb) = first.center, second.center
    return float(((xa - xb) ** 2 + (ya - yb) ** 2) ** 0.5)


_COMPARING = ("nearer to", "farther from")
_HOLDS: Mapping[str, Callable[[Box, Box, float], bool]] = {
    "left of": _beside,
    "right of": lambda subject, other, tolerance: _beside(other, subject, tolerance),
    "above": _above,
    "below": lambda subject, other, tolerance: _above(other, subject, tolerance),
    "inside": _inside,
    "containing": lambda subject, other, tolerance: _inside(other, subject, tolerance),
    "overlapping": lambda subject, other, _: _shared(subject, other) > 0,
    "apart from": lambda subject, other, _: _shared(subject, other) == 0,
    "larger than": lambda subject, other, tolerance: subject.area > other.area * (1 + tolerance),
    "smaller than": lambda subject, other, tolerance: subject.area < other.area * (1 - tolerance),
}
