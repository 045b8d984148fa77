"""The turns of a request with their pictures made ready, whatever interface they go to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from vlmops.models.answer_schema import AnswerSchema
    from vlmops.models.delivery import Delivered, PictureDelivery
    from vlmops.models.model import ModelRequest, SentPicture


@dataclass(frozen=True, slots=True)
class SentTurn:
    """One turn as it goes out.

    Attributes:
        role: Who speaks.
        parts: Texts and pictures in order.
        detail: How finely the model is asked to look; empty where it has no such setting.
    """

    role: Literal["system", "user", "assistant"]
    parts: tuple[str | Delivered, ...]
    detail: str = ""

    @property
    def sent(self) -> tuple[SentPicture, ...]:
        """The records of its pictures."""
        return tuple(part.sent for part in self.parts if not isinstance(part, str))


def sent_turns(
    request: ModelRequest, delivery: PictureDelivery, instruction: AnswerSchema | None
) -> list[SentTurn]:
    """The conversation with its pictures made ready; reads them, so call it in a thread.

    Args:
        request: What is asked.
        delivery: What becomes of pictures.
        instruction: A form to ask for in words, where the provider enforces none.

    Raises:
        ImageError: A picture cannot be read, or cannot be made to fit.
    """
    turns = [
        SentTurn(
            turn.role,
            tuple(part if isinstance(part, str) else delivery.deliver(part) for part in turn.content),
            delivery.asked_detail,
        )
        for turn in request.conversation
    ]
    if instruction is not None:
        last = turns[-1]
        turns[-1] = SentTurn(last.role, (*last.parts, instruction.instruction), last.detail)
    return turns
