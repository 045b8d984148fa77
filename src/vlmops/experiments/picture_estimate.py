"""What one picture counts for at a model, and the model as an estimate asks it."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError, VlmopsError
from vlmops.models.cards import CardTable
from vlmops.models.delivery import PictureDelivery

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from vlmops.models import Model
    from vlmops.models.cards import ImageTokens, ModelCard


@dataclass(frozen=True, slots=True)
class PictureEstimate:
    """What one picture counts for at one model.

    Attributes:
        model: The model's name.
        card: Name of its card; empty when it has none.
        width: The picture's width in pixels.
        height: The picture's height in pixels.
        image_tokens: What it counts for; ``None`` when not known, or when the model refuses such a picture.
        counted: How that was counted; ``None`` when not known.
        cost: US dollars for it as input; ``None`` when no price is known, or when the picture is refused.
        problem: Why it could not be counted; empty if it could.
        note: What to beware of.
    """

    model: str
    card: str
    width: int
    height: int
    image_tokens: int | None
    counted: ImageTokens | None = None
    cost: float | None = None
    problem: str = ""
    note: str = ""


def estimate_picture(
    model: str | Model,
    width: int,
    height: int,
    *,
    detail: str = "auto",
    max_side: int | None = None,
    cards: CardTable | Mapping[str, Any] | str | os.PathLike[str] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> PictureEstimate:
    """What a picture of that size counts for; arguments are those of :func:`estimate`.

    Args:
        model: Name of the model, or the model.
        width: In pixels, upright.
        height: In pixels, upright.
        detail: See :func:`estimate`.
        max_side: See :func:`estimate`.
        cards: See :func:`estimate`.
        parameters: See :func:`estimate`.

    Raises:
        UsageError: A side is not positive, a row of ``cards`` is wrong, or the model has no such detail.

    Example:
        >>> estimate_picture("gpt-4o", 2048, 4096, detail="high").image_tokens
        1105
    """
    if min(width, height) <= 0:
        raise UsageError(f"a picture needs positive sides, not {width}x{height}")
    asked = asked_model(model, card_table(cards), detail, max_side, parameters or {})
    if asked.local:
        return PictureEstimate(asked.name, "", width, height, 0, cost=0.0, note=asked.note)
    card, counted = asked.delivery.card, asked.delivery.counted(width, height)
    tokens = counted.tokens if counted and not counted.rejected else None
    cost = card.cost(input_tokens=tokens, image_tokens=tokens) if card and tokens is not None else None
    problem = "; ".join(filter(None, [counted.rejected if counted else "", asked.problem]))
    return PictureEstimate(
        asked.name,
        card.name if card else "",
        width,
        height,
        tokens,
        counted,
        cost,
        problem,
        asked.note,
    )


@dataclass(frozen=True, slots=True)
class AskedModel:
    """A model as it would be asked.

    Attributes:
        name: Its name.
        delivery: What becomes of pictures, with its card.
        problem: What is not known of it; empty if all is.
        local: Whether it runs here and costs nothing.
        note: What to beware of.
    """

    name: str
    delivery: PictureDelivery
    problem: str
    local: bool = False
    note: str = ""


def asked_model(
    model: str | Model,
    table: CardTable,
    detail: str,
    max_side: int | None,
    parameters: Mapping[str, Any],
) -> AskedModel:
    """The model of that name, or the model, as it would be asked.

    Raises:
        UsageError: It has no such detail.
    """
    name = model if isinstance(model, str) else model.name
    if _is_local(model, table):
        return AskedModel(name, PictureDelivery(), "", local=True, note=_without_detail(detail))
    own: PictureDelivery | None = getattr(model, "delivery", None)
    if own is not None and own.card is not None:
        return AskedModel(name, own, _problem(own.card), note=own.card.note)
    card = table.card_of(name)
    if card is not None and parameters:
        known = set(card.parameters)
        card = card.adjusted(**{key: value for key, value in parameters.items() if key in known})
    if card is None:
        return AskedModel(name, PictureDelivery(max_side=max_side), _unknown(name, table))
    looked, passed_over = (detail, "") if card.details else ("auto", _without_detail(detail))
    note = "; ".join(filter(None, [passed_over, card.note]))
    return AskedModel(
        name, PictureDelivery(card=card, detail=looked, max_side=max_side), _problem(card), note=note
    )


def _without_detail(detail: str) -> str:
    """What is to be said of a detail that is asked for where there is no such setting."""
    return "" if detail == "auto" else f"it has no such setting: detail {detail!r} changes nothing"


def _is_local(model: str | Model, table: CardTable) -> bool:
    """Whether it runs here and costs nothing."""
    if isinstance(model, str):
        if table.card_of(model) is not None:
            return False
        from vlmops.models import create

        try:
            model = create(model)
        except VlmopsError:
            return False
    return bool(getattr(model, "local", False))


def _problem(card: ModelCard) -> str:
    return "" if card.price else "price unknown"


def _unknown(name: str, table: CardTable) -> str:
    bare = name.rpartition(":")[2].rpartition("/")[2].lower()
    near = get_close_matches(bare, table.names, n=1)
    meant = f"did you mean {near[0]!r}? Else " if near else ""
    return f"no card: tokens of pictures and price unknown; {meant}add one to the file of VLMOPS_MODEL_CARDS"


def card_table(cards: CardTable | Mapping[str, Any] | str | os.PathLike[str] | None) -> CardTable:
    """A table, or the current one with further rows.

    Raises:
        UsageError: A row is wrong; the message names file and key.
    """
    if isinstance(cards, CardTable):
        return cards
    return CardTable.current() if cards is None else CardTable.current().extended(cards)
