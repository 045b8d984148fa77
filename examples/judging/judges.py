"""Two stand-ins for models as judges, so that no key is needed: one looks at the picture, one does not.

They are registered in this process: ``python judges.py audit ...`` is ``vlmops judges audit ...`` with them.
"""

from __future__ import annotations

import sys

from make_cases import COLOURS

from vlmops.cli import main
from vlmops.models import ModelReply, ModelRequest, register


def verdict(right: bool | None) -> ModelReply:
    """What a judge says of the one criterion; ``None`` where it cannot tell."""
    said = "cannot_tell" if right is None else "yes" if right else "no"
    told = {"right": {"reason": "By what I made of it.", "verdict": said, "confidence": "high"}}
    return ModelReply(output=told, text=str(told))


def answered_colour(request: ModelRequest) -> str:
    """The colour that the answer names first, which stands in the last piece of material."""
    texts = [part for turn in request.conversation[-1:] for part in turn.content if isinstance(part, str)]
    answer = next(text for text in texts if text.startswith("ANSWER"))
    return min(COLOURS, key=lambda name: answer.find(name) if name in answer else len(answer))


@register("looks")
class Looks:
    """Compares the answer with the pixels in the middle of the picture."""

    name = "looks"

    async def answer(self, request: ModelRequest) -> ModelReply:
        """Judge by the pixels."""
        if not request.pictures:
            return verdict(None)
        pixels = request.pictures[0].to_array()
        middle = pixels[pixels.shape[0] // 2, pixels.shape[1] // 2]
        if int(middle.max()) - int(middle.min()) < 40:
            return verdict(None)
        seen = min(
            COLOURS, key=lambda name: sum(abs(int(a) - b) for a, b in zip(middle, COLOURS[name], strict=True))
        )
        return verdict(answered_colour(request) == seen)


@register("does_not_look")
class DoesNotLook:
    """Thinks well of red and blue, whatever the picture shows."""

    name = "does_not_look"

    async def answer(self, request: ModelRequest) -> ModelReply:
        """Judge by the words."""
        return verdict(answered_colour(request) in {"red", "blue"})


if __name__ == "__main__":
    sys.argv[1:1] = ["judges"]
    main()
