"""How pictures go out to a model: within its limits, as it takes them, and with a record of what was sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from vlmops.errors import UsageError
from vlmops.images.origin import UrlOrigin
from vlmops.images.preparation import Preparation
from vlmops.models.model import SentPicture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vlmops.geometry.box import Size
    from vlmops.images import Image
    from vlmops.models.cards import ImageTokens, ModelCard

_DEFAULT_FORMATS = ("image/jpeg", "image/png", "image/webp")


@dataclass(frozen=True, slots=True)
class Delivered:
    """A picture as it goes into a request.

    Attributes:
        address: A data URI, or the address that the provider fetches.
        sent: The record of it.
    """

    address: str = field(repr=False)
    sent: SentPicture


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureDelivery:
    """What becomes of pictures before they are sent; what is not set is the card's.

    Pictures go out upright and without EXIF and GPS. One that is too large for the model is shrunk, one of
    a type it does not take is converted; both are recorded.

    Attributes:
        card: What the model takes; ``None`` when nothing is known of it.
        by: ``"url"`` sends the address of pictures that have one (http, https) and fit the model; the rest,
            and with ``"data_uri"`` all, go within the request.
        detail: How finely the model is asked to look.
        max_side: Longest side in pixels; larger pictures are shrunk.
        max_bytes: Longest encoded picture; larger ones lose quality, then size.
        formats: Media types that may go out.
        preparation: What is done to pictures that go out within the request; follows from the rest.

    Raises:
        UsageError: The model has no such detail or takes no addresses, or a limit is not above 0.

    Example:
        >>> import numpy as np
        >>> from vlmops import Image
        >>> picture = Image.from_array(np.zeros((300, 400, 3), np.uint8))
        >>> PictureDelivery(max_side=100).deliver(picture).sent.changes
        ('resized',)
    """

    card: ModelCard | None = None
    by: Literal["data_uri", "url"] = "data_uri"
    detail: str = "auto"
    max_side: int | None = None
    max_bytes: int | None = None
    formats: tuple[str, ...] = ()
    preparation: Preparation = field(init=False, repr=False)

    def __post_init__(self) -> None:
        card = self.card
        preparation = Preparation(
            orient="pixels",
            max_side=_least(self.max_side, card.max_side if card else None),
            max_bytes=_least(self.max_bytes, card.max_bytes if card else None),
            accept=self.formats or (card.formats if card else _DEFAULT_FORMATS),
        )
        object.__setattr__(self, "preparation", preparation)
        if card is None:
            return
        if self.detail != "auto" and self.detail not in card.details:
            there = ", ".join(card.details) or "none"
            raise UsageError(f"{card.model} has no detail {self.detail!r}; it has: {there}")
        if self.by not in card.delivery:
            raise UsageError(f"{card.model} takes no pictures by {self.by}; use {card.delivery[0]!r}")

    @property
    def asked_detail(self) -> str:
        """The detail that the request names; empty where the model has no such setting."""
        return "" if self.card is not None and not self.card.details else self.detail

    def identity(self) -> Mapping[str, object]:
        """JSON of what changes the pictures that the model sees."""
        return {"by": self.by, "detail": self.detail, "preparation": self.preparation.fingerprint}

    def sent_size(self, width: int, height: int) -> Size:
        """The size in which a picture of that size goes out, as far as its sides decide it.

        Example:
            >>> PictureDelivery(max_side=100).sent_size(400, 300)
            (100, 75)
        """
        from vlmops.images.reencode import fit

        side = self.preparation.max_side
        return (width, height) if side is None else fit((width, height), side)

    def counted(self, width: int, height: int) -> ImageTokens | None:
        """What a picture of that size counts for once it has gone out; ``None`` when the card does not say.

        Example:
            >>> from vlmops.models.cards import card_of
            >>> PictureDelivery(card=card_of("gpt-4o"), detail="low").counted(4000, 3000).tokens
            85
        """
        if self.card is None:
            return None
        return self.card.image_tokens(*self.sent_size(width, height), self.detail)

    def deliver(self, image: Image) -> Delivered:
        """The picture as it goes out; reads, and where need be decodes, it.

        Raises:
            ImageError: It cannot be read, or cannot be made to fit.
        """
        preparation = self.preparation
        if self.by == "url" and (address := _address(image)) and _fits(image, preparation):
            return Delivered(address, self._sent(image, image, "url"))
        with image.held():
            prepared = preparation.prepare(image)
            delivered = Delivered(prepared.data_uri(), self._sent(image, prepared, "data_uri"))
        prepared.release()
        image.release()
        return delivered

    def _sent(self, image: Image, prepared: Image, by: Literal["data_uri", "url"]) -> SentPicture:
        width, height = prepared.size
        counted = self.counted(width, height)
        return SentPicture(
            width=width,
            height=height,
            original_width=image.width,
            original_height=image.height,
            bytes=prepared.byte_length,
            media_type=prepared.media_type,
            delivery=by,
            detail=self.asked_detail,
            changes=_changes(image, prepared),
            estimated_tokens=counted.tokens if counted else None,
        )


def _least(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)


def _address(image: Image) -> str:
    """The picture's own http address, with whatever signature it carries; empty when it has none."""
    origin = image.origin
    is_web = isinstance(origin, UrlOrigin) and origin.url.lower().startswith(("http://", "https://"))
    return origin.url if is_web and not origin.options else ""  # type: ignore[attr-defined]


def _fits(image: Image, preparation: Preparation) -> bool:
    side, length = preparation.max_side, preparation.max_bytes
    return (
        image.media_type in preparation.accept
        and image.orientation == 1
        and (side is None or max(image.size) <= side)
        and (length is None or image.byte_length <= length)
    )


def _changes(image: Image, prepared: Image) -> tuple[str, ...]:
    changes = []
    if prepared.size != image.size:
        changes.append("resized")
    if prepared.media_type != image.media_type:
        changes.append("converted")
    if image.orientation != prepared.orientation:
        changes.append("turned")
    if not changes and prepared.sha256 != image.sha256:
        changes.append("rewritten")
    return tuple(changes)
