"""What a call will take, by the cards: tokens of text by rule of thumb, of pictures by rule, and the cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vlmops.evaluators.case import Usage
from vlmops.models.cards.table import card_of

if TYPE_CHECKING:
    from vlmops.models.cards.card import ModelCard
    from vlmops.models.delivery import PictureDelivery
    from vlmops.models.model import Model, ModelRequest

DEFAULT_OUTPUT_TOKENS = 500
"""Tokens out that are expected of an answer where nothing limits it."""

_BYTES_A_TOKEN = 4
LENGTH_PARAMETERS = ("max_completion_tokens", "max_output_tokens", "max_tokens")


def text_tokens(*texts: str) -> int:
    """Tokens of texts, by rule of thumb: one for every four bytes of UTF-8, rounded up.

    About right for prose in Latin letters and in Chinese or Japanese; too low for digits and code. The few
    tokens that interfaces put around each message are not counted.

    Example:
        >>> text_tokens("How many coins are on the table?")
        8
    """
    return sum(-(-len(text.encode("utf-8", "surrogatepass")) // _BYTES_A_TOKEN) for text in texts)


def schema_text(schema: Any) -> str:
    """A JSON Schema or pydantic model as text, which providers put into the prompt; empty for none."""
    from vlmops.models.answer_schema import AnswerSchema

    return "" if schema is None else json.dumps(AnswerSchema(schema).json_schema, ensure_ascii=False)


class CardEstimator:
    """Says what a call will take: for limits on tokens and budgets, before it is made.

    A model that runs here (``local``) takes no tokens and costs nothing. Pictures count by the model's
    card, text by :func:`text_tokens`, the answer as long as the request's limit or, without one, as
    ``output_tokens`` says. Of a model without a card neither pictures nor cost are known; pictures are then
    taken for ``picture_tokens`` each.

    Args:
        output_tokens: Tokens out that are expected of an answer.
        picture_tokens: Tokens of a picture where the model's card is not known.

    Example:
        >>> import numpy as np
        >>> from vlmops import Image
        >>> from vlmops.models import ModelRequest, create
        >>> picture = Image.from_array(np.zeros((1024, 1024, 3), np.uint8))
        >>> request = ModelRequest("How many?", (picture,), parameters={"max_tokens": 20})
        >>> expected = CardEstimator().expected(create("openai:gpt-4o"), request)
        >>> expected.image_tokens, expected.input_tokens, expected.output_tokens
        (765, 768, 20)
    """

    def __init__(self, *, output_tokens: int = DEFAULT_OUTPUT_TOKENS, picture_tokens: int = 1000) -> None:
        self._output_tokens = output_tokens
        self._picture_tokens = picture_tokens

    def expected(self, model: Model, request: ModelRequest) -> Usage:
        """Tokens in and out, and the cost; a cost of ``None`` where no price is known.

        Raises:
            ImageError: A picture cannot be read.
        """
        if getattr(model, "local", False):
            return Usage(0, 0, 0, 0.0)
        delivery: PictureDelivery | None = getattr(model, "delivery", None)
        card: ModelCard | None = getattr(model, "card", None) or card_of(model.name)
        pictures = sum(self._of_picture(card, delivery, *image.size) for image in request.pictures)
        texts = [part for turn in request.conversation for part in turn.content if isinstance(part, str)]
        into = pictures + text_tokens(*texts, schema_text(request.schema))
        own = getattr(model, "parameters", {})
        limits = (given.get(name) for given in (request.parameters, own) for name in LENGTH_PARAMETERS)
        out = next((limit for limit in limits if isinstance(limit, int)), self._output_tokens)
        cost = card.cost(input_tokens=into, output_tokens=out, image_tokens=pictures) if card else None
        return Usage(into, out, pictures, cost)

    def _of_picture(
        self, card: ModelCard | None, delivery: PictureDelivery | None, width: int, height: int
    ) -> int:
        if delivery is not None:
            counted = delivery.counted(width, height)
        else:
            counted = card.image_tokens(width, height) if card else None
        return counted.tokens if counted else self._picture_tokens
