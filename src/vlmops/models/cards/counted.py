"""What a rule of counting is, and what it says of one picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from vlmops.geometry.box import Size

STRICT = {"extra": "forbid"}
"""For rules: a parameter that a rule lacks is a mistake in the table."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a rule says of one picture.

    Attributes:
        tokens: How many it counts for.
        seen: Width and height of the picture as the model sees it, padding not included.
        tiles: How many tiles it is cut into; ``None`` where it is not cut into tiles.
        patches: How many patches, or cells of merged patches, cover it; ``None`` where they do not count.
        rejected: Why the model does not take a picture of this size; empty if it does.
    """

    tokens: int
    seen: Size
    tiles: int | None = None
    patches: int | None = None
    rejected: str = ""


class ImageRule(Protocol):
    """A way of counting, with its parameters set."""

    def count(self, size: Size) -> Counted:
        """Tokens of a picture of that width and height, upright."""
        ...


def cells(size: Size, side: int) -> int:
    """How many squares of that side cover a picture.

    Example:
        >>> cells((1920, 1080), 512)
        12
    """
    return math.ceil(size[0] / side) * math.ceil(size[1] / side)
