"""How many tokens a picture of a given size counts for: one small rule per way of cutting pictures up.

A rule is a frozen dataclass: its fields are the parameters that rows of the table set, its ``count`` is a
pure function of width and height. What a model does to the size before is in :mod:`vlmops.geometry.resize`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from vlmops.geometry.resize import claude_fit, longest_side_fit, patch_fit, tile_fit
from vlmops.models.cards.counted import STRICT, Counted, ImageRule, cells
from vlmops.models.cards.open_rules import (
    BudgetRule,
    CanvasRule,
    GridRule,
    PaddedRule,
    PanAndScanRule,
    QwenRule,
    RowRule,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vlmops.geometry.box import Size


@dataclass(frozen=True, slots=True)
class FlatRule:
    """The same number whatever the size, as Gemini 3 (at most that many) and ``detail: low`` of tiled models.

    Attributes:
        tokens: That number.
        max_side: The longer side is brought to it first; ``None`` if the picture is seen as it is.
    """

    tokens: int
    max_side: int | None = None
    __pydantic_config__: ClassVar = STRICT

    def count(self, size: Size) -> Counted:
        """See :meth:`ImageRule.count`."""
        return Counted(self.tokens, longest_side_fit(size, self.max_side) if self.max_side else size)


@dataclass(frozen=True, slots=True)
class TileRule:
    """OpenAI's tiles: a base, and so much for every tile of 512 pixels after shrinking.

    Attributes:
        base: Tokens of any picture.
        tile: Tokens of each tile.
        max_side: Greatest longer side.
        short_side: Greatest shorter side.
        tile_side: Side of a tile in pixels.
    """

    base: int
    tile: int
    max_side: int = 2048
    short_side: int = 768
    tile_side: int = 512
    __pydantic_config__: ClassVar = STRICT

    def count(self, size: Size) -> Counted:
        """See :meth:`ImageRule.count`."""
        seen = tile_fit(size, max_side=self.max_side, short_side=self.short_side)
        tiles = cells(seen, self.tile_side)
        return Counted(self.base + self.tile * tiles, seen, tiles=tiles)


@dataclass(frozen=True, slots=True)
class PatchRule:
    """OpenAI's patches of 32 pixels, times a factor of the model.

    Attributes:
        multiplier: Tokens a patch.
        max_side: Greatest longer side; ``None`` for no limit.
        max_patches: Greatest number of patches, to which the picture is shrunk; ``None`` for no limit.
        reject_over: More patches than this are refused; ``None`` if none are.
        patch: Side of a patch in pixels.
    """

    multiplier: float
    max_side: int | None = None
    max_patches: int | None = None
    reject_over: int | None = None
    patch: int = 32
    __pydantic_config__: ClassVar = STRICT

    def count(self, size: Size) -> Counted:
        """See :meth:`ImageRule.count`."""
        seen = patch_fit(size, patch=self.patch, max_side=self.max_side, max_patches=self.max_patches)
        patches = cells(seen, self.patch)
        refused = self.reject_over is not None and patches > self.reject_over
        why = f"{patches} patches, more than {self.reject_over}" if refused else ""
        return Counted(math.ceil(patches * self.multiplier), seen, patches=patches, rejected=why)


@dataclass(frozen=True, slots=True)
class ClaudeRule:
    """Claude's patches of 28 pixels, one token each, after a fit to two limits.

    Attributes:
        max_edge: Greatest longer side.
        max_tokens: Greatest number of tokens.
    """

    max_edge: int
    max_tokens: int
    __pydantic_config__: ClassVar = STRICT

    def count(self, size: Size) -> Counted:
        """See :meth:`ImageRule.count`."""
        seen = claude_fit(size, max_edge=self.max_edge, max_tokens=self.max_tokens)
        patches = cells(seen, 28)
        return Counted(patches, seen, patches=patches)


@dataclass(frozen=True, slots=True)
class CropRule:
    """Tiles as large as the picture's shorter side suggests, as Gemini up to 2.5.

    Attributes:
        tile: Tokens of each tile.
        small: Pictures with both sides within it are one tile.
        divisor: The shorter side divided by it is the side of a tile.
    """

    tile: int = 258
    small: int = 384
    divisor: float = 1.5
    __pydantic_config__: ClassVar = STRICT

    def count(self, size: Size) -> Counted:
        """See :meth:`ImageRule.count`."""
        unit = max(1, math.floor(min(size) / self.divisor))
        tiles = 1 if max(size) <= self.small else cells(size, unit)
        return Counted(self.tile * tiles, size, tiles=tiles)


RULES: Mapping[str, type[ImageRule]] = {
    "budget": BudgetRule,
    "canvas": CanvasRule,
    "claude": ClaudeRule,
    "crops": CropRule,
    "flat": FlatRule,
    "grid": GridRule,
    "padded": PaddedRule,
    "pan-and-scan": PanAndScanRule,
    "patches": PatchRule,
    "qwen": QwenRule,
    "rows": RowRule,
    "tiles": TileRule,
}
"""Rules by the name that rows of the table give."""
