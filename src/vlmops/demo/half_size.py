"""A reader that is given half-size pictures: a second variant where no second reader can be installed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vlmops.evaluators import Failure
    from vlmops.images import Image
    from vlmops.models import Model, ModelReply, ModelRequest


@dataclass(frozen=True)
class HalfSize:
    """Shrinks pictures to half their width and height before another model reads them.

    Attributes:
        model: Who reads.
    """

    model: Model

    @property
    def name(self) -> str:
        """The model's name, and what is different."""
        return f"{self.model.name} half-size"

    async def answer(self, request: ModelRequest) -> ModelReply | Failure:
        """The model's answer to the smaller pictures."""
        return await self.model.answer(replace(request, images=tuple(map(_halved, request.images))))


def _halved(image: Image) -> Image:
    from vlmops.images import Preparation

    return Preparation(max_side=max(1, max(image.size) // 2)).prepare(image)
