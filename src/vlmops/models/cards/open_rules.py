"""How models with open weights count pictures, as their processors do; see ``rules``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from vlmops.errors import UsageError
from vlmops.geometry.resize import (
    QWEN_MAX_PIXELS,
    QWEN_MIN_PIXELS,
    budget_fit,
    padded_fit,
    smart_resize,
    whole_patch_fit,
)
from vlmops.models.cards.counted import STRICT, Counted, cells

if TYPE_CHECKING:
    from vlmops.geometry.box import Size


@dataclass(frozen=True, slots=True)
class QwenRule:
    """Qwen-VL's merged patches after ``smart_resize``, and a marker at either end.

    Attributes:
        factor: Side of a merged patch in pixels: 28, or 32 from Qwen3-VL on.
        min_pixels: Least area, a setting of the processor that serves it.
        max_pixels: Greatest area, a setting of the processor that serves it.
        markers: Tokens around each picture.
    """

    factor: int = 28
    min_pixels: int = QWEN_MIN_PIXELS
    max_pixels: int = QWEN_MAX_PIXELS
    markers: int = 2
    __pydantic_config__: ClassVar = STRICT

    def count(self, size: Size) -> Counted:
        """See :meth:`ImageRule.count`."""
        try:
            seen = smart_resize(
                size, factor=self.factor, min_pixels=self.min_pixels, max_pixels=self.max_pixels
            )
        except UsageError as error:
            return Counted(0, size, rejected=str(error))
        patches = cells(seen, self.factor)
        return Counted(patches + self.markers, seen, patches=patches)


@dataclass(frozen=True, slots=True)
class CanvasRule:
    """Llama 4: the canvas of tiles that needs the least enlarging, and the whole picture as one more tile.

    Each tile of several has a separator; a start, a middle and an end marker go around them.

    Attributes:
        tile_side: Side of a tile in pixels.
        max_tiles: Greatest number of tiles.
        tile: Tokens of each tile.
        markers: Tokens around each picture.
    """

    tile_side: int = 336
    max_tiles: int = 16
    tile: int = 144
    markers: int = 3
    __pydantic_config__: ClassVar = STRICT

    def count(self, size: Size) -> Counted:
        """See :meth:`ImageRule.count`."""
        columns, rows = self._canvas(size)
        tiles = columns * rows
        canvas = (columns * self.tile_side, rows * self.tile_side)
        seen = _within(size, canvas, at_least=self.tile_side)
        if tiles == 1:
            return Counted(self.tile + self.markers, seen, tiles=1)
        return Counted(self.tile * (tiles + 1) + tiles + self.markers, seen, tiles=tiles)

    def _canvas(self, size: Size) -> tuple[int, int]:
        """Columns and rows: the least enlargement, else the least shrinking, then the least area."""
        scales = {
            (columns, rows): min(columns * self.tile_side / size[0], rows * self.tile_side / size[1])
            for columns in range(1, self.max_tiles + 1)
            for rows in range(1, self.max_tiles // columns + 1)
        }
        enlarging = [scale for scale in scales.values() if scale >= 1]
        chosen = min(enlarging) if enlarging else max(scales.values())
        return min((grid for grid in scales if scales[grid] == chosen), key=lambda grid: grid[0] * grid[1])


@dataclass(frozen=True, slots=True)
class RowRule:
    """Pixtral and later Mistral: a token a patch, and one at the end of every row.

    Attributes:
        max_side: Side of the square that the picture is shrunk into.
        patch: Side of a (merged) patch in pixels.
    """

    max_side: int = 1024
    patch: int = 16
    __pydantic_config__: ClassVar = STRICT

    def count(self, size: Size) -> Counted:
        """See :meth:`ImageRule.count`."""
        seen = whole_patch_fit(size, max_side=self.max_side, patch=self.patch)
        columns, rows = seen[0] // self.patch, seen[1] // self.patch
        return Counted((columns + 1) * rows, seen, patches=columns * rows)


@dataclass(frozen=True, slots=True)
class GridRule:
    """InternVL: the grid of tiles nearest to the picture's aspect, with a thumbnail if there are several.

    Attributes:
        tile_side: Side of a tile in pixels.
        max_tiles: Greatest number of tiles, the thumbnail not counted; 1 switches tiling off.
        tile: Tokens of each tile.
        markers: Tokens around each picture.
    """

    tile_side: int = 448
    max_tiles: int = 12
    tile: int = 256
    markers: int = 2
    __pydantic_config__: ClassVar = STRICT

    def count(self, size: Size) -> Counted:
        """See :meth:`ImageRule.count`."""
        columns, rows = self._grid(size)
        tiles = columns * rows + (1 if columns * rows > 1 else 0)
        seen = (columns * self.tile_side, rows * self.tile_side)
        return Counted(self.tile * tiles + self.markers, seen, tiles=tiles)

    def _grid(self, size: Size) -> tuple[int, int]:
        """Columns and rows; of grids of equal aspect the larger, while the picture fills over half of it."""
        sides = range(1, self.max_tiles + 1)
        grids = [(columns, rows) for columns in sides for rows in sides if columns * rows <= self.max_tiles]
        aspect, area = size[0] / size[1], size[0] * size[1]
        best, least = (1, 1), math.inf
        for grid in sorted(grids, key=lambda grid: grid[0] * grid[1]):
            difference = abs(aspect - grid[0] / grid[1])
            fills = area > 0.5 * self.tile_side**2 * grid[0] * grid[1]
            if difference < least or (difference == least and fills):
                best, least = grid, difference
        return best


@dataclass(frozen=True, slots=True)
class PanAndScanRule:
    """Gemma 3: one square picture, and with pan and scan one for each crop of an elongated picture.

    Attributes:
        tile: Tokens of each picture or crop.
        side: Pixels of a side that each is squeezed into.
        pan_and_scan: Whether the server crops; processors do not by default.
        max_crops: Greatest number of crops.
        min_crop: Least side of a crop in pixels.
        min_ratio: Least aspect ratio that is cropped.
    """

    tile: int = 256
    side: int = 896
    pan_and_scan: bool = False
    max_crops: int = 4
    min_crop: int = 256
    min_ratio: float = 1.2
    __pydantic_config__: ClassVar = STRICT

    def count(self, size: Size) -> Counted:
        """See :meth:`ImageRule.count`."""
        tiles = 1 + (self._crops(size) if self.pan_and_scan else 0)
        return Counted(self.tile * tiles, (self.side, self.side), tiles=tiles)

    def _crops(self, size: Size) -> int:
        long, short = max(size), min(size)
        if long / short < self.min_ratio:
            return 0
        wanted = min(math.floor(long / self.min_crop), math.floor(long / short + 0.5))
        crops = min(max(2, wanted), self.max_crops)
        return 0 if min(math.ceil(long / crops), short) < self.min_crop else crops


@dataclass(frozen=True, slots=True)
class BudgetRule:
    """Gemma 4: a token for each cell of 48 pixels, after scaling up or down to a budget.

    Attributes:
        max_tokens: The budget: 70, 140, 280, 560 or 1120.
        cell: Side of a cell in pixels.
    """

    max_tokens: int = 280
    cell: int = 48
    __pydantic_config__: ClassVar = STRICT

    def count(self, size: Size) -> Counted:
        """See :meth:`ImageRule.count`."""
        seen = budget_fit(size, cell=self.cell, max_cells=self.max_tokens)
        patches = cells(seen, self.cell)
        return Counted(patches, seen, patches=patches)


@dataclass(frozen=True, slots=True)
class PaddedRule:
    """Kimi: a token for each cell of merged patches, after shrinking and padding.

    Attributes:
        patch: Side of a patch in pixels.
        merge: How many patches a side make one token.
        max_patches: Greatest number of patches.
        max_side_patches: Greatest number of patches along one side.
    """

    patch: int = 14
    merge: int = 2
    max_patches: int = 16384
    max_side_patches: int = 512
    __pydantic_config__: ClassVar = STRICT

    def count(self, size: Size) -> Counted:
        """See :meth:`ImageRule.count`."""
        seen = padded_fit(
            size,
            patch=self.patch,
            merge=self.merge,
            max_patches=self.max_patches,
            max_side_patches=self.max_side_patches,
        )
        patches = cells(seen, self.patch * self.merge)
        return Counted(patches, seen, patches=patches)


def _within(size: Size, canvas: Size, *, at_least: int) -> Size:
    """The picture's size on its canvas; small ones are enlarged to ``at_least`` and no further."""
    target = tuple(min(max(side, at_least), limit) for side, limit in zip(size, canvas, strict=True))
    scale = min(target[0] / size[0], target[1] / size[1])
    return max(1, math.floor(size[0] * scale)), max(1, math.floor(size[1] * scale))
