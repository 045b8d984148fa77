"""Boxes and points in one frame: pixels of the original picture, after its EXIF orientation was applied."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from vlmops.errors import UsageError

Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle, in pixels of the oriented original picture.

    The origin is the top-left corner, x grows to the right and y downwards; coordinates are edges, not pixel
    indices, so ``Box(0, 0, 640, 480)`` is the whole of a 640x480 picture.

    Attributes:
        x1: Left edge.
        y1: Top edge.
        x2: Right edge, not left of ``x1``.
        y2: Bottom edge, not above ``y1``.
        label: What is in the box; empty when nothing is said.
        score: Confidence, ``None`` when the model gives none.

    Raises:
        UsageError: A coordinate is not finite, or the corners are swapped.

    Example:
        >>> box = Box(10, 20, 40, 60, label="cup")
        >>> box.area, box.center, box.xywh
        (1200, (25.0, 40.0), (10, 20, 30, 40))
    """

    x1: float
    y1: float
    x2: float
    y2: float
    label: str = ""
    score: float | None = None

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, self.xyxy)):
            raise UsageError(f"a box needs finite coordinates, not {self.xyxy}")
        if self.x2 < self.x1 or self.y2 < self.y1:
            raise UsageError(f"a box needs x1 <= x2 and y1 <= y2, not {self.xyxy}; use Box.from_corners()")

    @classmethod
    def from_xywh(
        cls, x: float, y: float, width: float, height: float, label: str = "", score: float | None = None
    ) -> Box:
        """A box from its top-left corner and its size, as COCO writes it.

        Example:
            >>> Box.from_xywh(10, 20, 30, 40).xyxy
            (10, 20, 40, 60)
        """
        return cls(x, y, x + width, y + height, label, score)

    @classmethod
    def from_corners(
        cls, xa: float, ya: float, xb: float, yb: float, label: str = "", score: float | None = None
    ) -> Box:
        """A box from any two opposite corners.

        Example:
            >>> Box.from_corners(40, 20, 10, 60).xyxy
            (10, 20, 40, 60)
        """
        return cls(min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb), label, score)

    @property
    def xyxy(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        return self.x1, self.y1, self.x2, self.y2

    @property
    def xywh(self) -> tuple[float, float, float, float]:
        """Left, top, width, height."""
        return self.x1, self.y1, self.width, self.height

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.y2 - self.y1

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return self.width * self.height

    @property
    def center(self) -> tuple[float, float]:
        """The centre, as x and y."""
        return (self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2

    def clipped(self, size: Size) -> Box:
        """The part inside a picture of that size; a box wholly outside becomes empty, on the nearest edge.

        Example:
            >>> Box(-5, 10, 700, 20).clipped((640, 480)).xyxy
            (0, 10, 640, 20)
        """
        width, height = size
        return replace(
            self,
            x1=min(max(self.x1, 0), width),
            y1=min(max(self.y1, 0), height),
            x2=min(max(self.x2, 0), width),
            y2=min(max(self.y2, 0), height),
        )

    def contains(self, x: float, y: float) -> bool:
        """Whether a point lies in the box, edges included.

        Example:
            >>> Box(0, 0, 10, 10).contains(10, 5)
            True
        """
        return self.x1 <= x <= self.x2 and self.y1 <= y <= self.y2


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the picture, in pixels of the oriented original.

    Attributes:
        x: Distance from the left edge.
        y: Distance from the top edge.
        label: What is there; empty when nothing is said.

    Raises:
        UsageError: A coordinate is not finite.

    Example:
        >>> Point(3.5, 4).xy
        (3.5, 4)
    """

    x: float
    y: float
    label: str = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.x) and math.isfinite(self.y)):
            raise UsageError(f"a point needs finite coordinates, not {self.xy}")

    @property
    def xy(self) -> tuple[float, float]:
        """X and y."""
        return self.x, self.y
