"""A model's card: how it counts pictures, what it takes, what it costs; dated, and with its certainty."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vlmops.geometry.convention import Convention
    from vlmops.models.cards.counted import ImageRule

Certainty = Literal["documented", "source", "measured", "reported", "disputed", "assumed"]
"""How a row is known: the vendor's documentation, a library's source, measured at the interface, other
people's notes, sources that contradict each other, or by analogy with a sibling."""

Delivery = Literal["data_uri", "url"]
"""How a picture may be sent: within the request, or by an address that the provider fetches."""

StructuredOutput = Literal["json_schema", "json_object", "none"]
"""What the provider enforces: a schema, that the answer is JSON, or nothing."""


@dataclass(frozen=True, slots=True)
class ImageTokens:
    """What one picture counts for, by a card.

    Attributes:
        tokens: How many it counts for; 0 when it is refused and cannot be counted.
        seen_width: Width in pixels that the model sees, padding not included.
        seen_height: Height in pixels that the model sees, padding not included.
        scale: Seen width over the picture's width.
        detail: How finely it looks, after ``"auto"`` is resolved; empty where there is no such setting.
        tiles: How many tiles it is cut into; ``None`` where it is not.
        patches: How many patches cover it; ``None`` where they do not count.
        rejected: Why the model does not take a picture of this size; empty if it does.
        rule: Name of the rule that counted (a key of :data:`~vlmops.models.cards.RULES`).
        source: Where the rule and its parameters were read.
        dated: When that was, ISO date.
        certainty: How well that is known.
    """

    tokens: int
    seen_width: int
    seen_height: int
    scale: float
    detail: str
    tiles: int | None
    patches: int | None
    rejected: str
    rule: str
    source: str
    dated: str
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class LongPrice:
    """Prices of requests whose input is longer than a limit; in US dollars per million tokens.

    Attributes:
        over: Input tokens above which they hold, for the whole request.
        input: Of input tokens.
        output: Of output tokens.
        cached_input: Of input tokens read from the provider's cache; as ``input`` when ``None``.
    """

    over: int
    input: float
    output: float
    cached_input: float | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """What tokens cost, in US dollars per million.

    Attributes:
        input: Of input tokens.
        output: Of output tokens, those of reasoning included.
        cached_input: Of input tokens read from the provider's cache; as ``input`` when ``None``.
        image: Of input tokens that pictures account for; as ``input`` when ``None``.
        long: Prices of long requests; ``None`` when there are none.
        source: Where they were read.
        dated: When that was, ISO date.
    """

    input: float
    output: float
    cached_input: float | None = None
    image: float | None = None
    long: LongPrice | None = None
    source: str = ""
    dated: str = ""


@dataclass(frozen=True, slots=True)
class DetailRule:
    """How a picture is counted at one detail.

    Attributes:
        name: Name of the rule, a key of :data:`~vlmops.models.cards.RULES`.
        rule: The rule with its parameters.
    """

    name: str
    rule: ImageRule


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known of a model before it is asked.

    Attributes:
        name: Name of the card.
        model: The model that was asked for.
        provider: Who makes the model.
        counting: How pictures are counted, by detail; under ``""`` where there is no such setting. Empty when
            not known.
        default_detail: What ``"auto"`` stands for; empty where there is no such setting.
        formats: Media types it takes.
        max_side: Longest side in pixels it takes; ``None`` when no limit is known.
        max_bytes: Longest encoded picture it takes; ``None`` when no limit is known.
        max_images: Most pictures in one request; ``None`` when no limit is known.
        max_request_bytes: Longest request; ``None`` when no limit is known.
        delivery: How pictures may be sent, the usual way first.
        structured_output: What the provider enforces of the answer's form.
        context_window: Most tokens in; ``None`` when not known.
        max_output_tokens: Most tokens out; ``None`` when not known.
        convention: Which coordinates it answers in; ``None`` when none is known.
        price: What it costs; ``None`` when not known.
        source: Where counting and limits were read.
        dated: When that was, ISO date.
        certainty: How well counting is known.
        note: What to beware of.

    Example:
        >>> from vlmops.models.cards import card_of
        >>> card = card_of("gpt-4o-2024-11-20")
        >>> card.image_tokens(1024, 1024, "high").tokens
        765
        >>> card.cost(input_tokens=1_000_000, output_tokens=100_000)
        3.5
    """

    name: str
    model: str
    provider: str = ""
    counting: Mapping[str, DetailRule] = field(default_factory=dict, repr=False)
    default_detail: str = ""
    formats: tuple[str, ...] = ("image/jpeg", "image/png", "image/webp")
    max_side: int | None = None
    max_bytes: int | None = None
    max_images: int | None = None
    max_request_bytes: int | None = None
    delivery: tuple[Delivery, ...] = ("data_uri", "url")
    structured_output: StructuredOutput = "json_schema"
    context_window: int | None = None
    max_output_tokens: int | None = None
    convention: Convention | None = field(default=None, repr=False)
    price: Price | None = None
    source: str = ""
    dated: str = ""
    certainty: Certainty = "documented"
    note: str = ""

    @property
    def details(self) -> tuple[str, ...]:
        """The details that can be asked for, ``"auto"`` first; empty where there is no such setting.

        Example:
            >>> from vlmops.models.cards import card_of
            >>> card_of("gpt-4o").details, card_of("claude-opus-5").details
            (('auto', 'low', 'high'), ())
        """
        return ("auto", *self.counting) if self.default_detail else ()

    @property
    def parameters(self) -> tuple[str, ...]:
        """Parameters that :meth:`adjusted` takes.

        Example:
            >>> from vlmops.models.cards import card_of
            >>> card_of("qwen3-vl").parameters
            ('factor', 'markers', 'max_pixels', 'min_pixels')
        """
        return tuple(sorted({name for at in self.counting.values() for name in _parameters(at.rule)}))

    def image_tokens(self, width: int, height: int, detail: str = "auto") -> ImageTokens | None:
        """What a picture of that size counts for; ``None`` when the card does not say how it is counted.

        Args:
            width: In pixels, after EXIF orientation.
            height: In pixels, after EXIF orientation.
            detail: How finely the model is asked to look; of no effect where it has no such setting.

        Raises:
            UsageError: A side is not positive, or the model has no such detail.

        Example:
            >>> from vlmops.models.cards import card_of
            >>> counted = card_of("claude-opus-4-6").image_tokens(1920, 1080)
            >>> counted.tokens, counted.seen_width, counted.seen_height
            (1560, 1456, 819)
        """
        if min(width, height) <= 0:
            raise UsageError(f"a picture needs positive sides, not {width}x{height}")
        if not self.counting:
            return None
        chosen = self._chosen(detail)
        at = self.counting[chosen]
        counted = at.rule.count((width, height))
        return ImageTokens(
            tokens=counted.tokens,
            seen_width=counted.seen[0],
            seen_height=counted.seen[1],
            scale=counted.seen[0] / width,
            detail=chosen,
            tiles=counted.tiles,
            patches=counted.patches,
            rejected=counted.rejected,
            rule=at.name,
            source=self.source,
            dated=self.dated,
            certainty=self.certainty,
        )

    def _chosen(self, detail: str) -> str:
        if not self.default_detail:
            return ""
        chosen = self.default_detail if detail == "auto" else detail
        if chosen not in self.counting:
            raise UsageError(f"{self.model} has no detail {detail!r}; it has: {', '.join(self.details)}")
        return chosen

    def cost(
        self,
        *,
        input_tokens: int,
        output_tokens: int = 0,
        image_tokens: int | None = None,
        cached_tokens: int | None = None,
    ) -> float | None:
        """US dollars that so many tokens cost; ``None`` when the price is not known.

        Args:
            input_tokens: All tokens in, those of pictures and cached ones included.
            output_tokens: All tokens out, those of reasoning included.
            image_tokens: The part of ``input_tokens`` that pictures account for; matters only where they
                have a price of their own.
            cached_tokens: The part of ``input_tokens`` that the provider read from its cache.

        Example:
            >>> from vlmops.models.cards import card_of
            >>> round(card_of("gpt-4o").cost(input_tokens=1000, output_tokens=100, cached_tokens=800), 6)
            0.0025
            >>> card_of("Qwen/Qwen2.5-VL-7B-Instruct").cost(input_tokens=1000) is None
            True
        """
        price: Price | LongPrice | None = self.price
        if price is None or self.price is None:
            return None
        if self.price.long is not None and input_tokens > self.price.long.over:
            price = self.price.long
        cached = min(cached_tokens or 0, input_tokens)
        pictures = min(image_tokens or 0, input_tokens - cached) if self.price.image is not None else 0
        text = input_tokens - cached - pictures
        cached_price = price.input if price.cached_input is None else price.cached_input
        millionths = text * price.input + cached * cached_price + output_tokens * price.output
        return (millionths + pictures * (self.price.image or 0.0)) / 1_000_000

    def adjusted(self, **parameters: Any) -> ModelCard:
        """The card with other parameters of its rule, where a server runs the model with its own settings.

        Args:
            **parameters: Fields of the rule (``max_pixels``, ``max_tokens``, ...), for every detail
                whose rule has them.

        Raises:
            UsageError: No rule of the card has such a parameter; the message lists what there is.

        Example:
            >>> from vlmops.models.cards import card_of
            >>> card = card_of("Qwen/Qwen2.5-VL-7B-Instruct").adjusted(max_pixels=256 * 28 * 28)
            >>> card.image_tokens(1920, 1080).tokens
            254
        """
        for name in parameters:
            if name not in self.parameters:
                there = ", ".join(self.parameters) or "none"
                raise UsageError(f"card {self.name!r} has no parameter {name!r}; it has: {there}")
        adjusted = {
            detail: replace(at, rule=_with(at.rule, parameters)) for detail, at in self.counting.items()
        }
        return replace(self, counting=MappingProxyType(adjusted))


def _parameters(rule: ImageRule) -> tuple[str, ...]:
    return tuple(field.name for field in fields(rule))  # type: ignore[arg-type]


def _with(rule: ImageRule, parameters: Mapping[str, Any]) -> ImageRule:
    own = {name: value for name, value in parameters.items() if name in _parameters(rule)}
    return replace(rule, **own)  # type: ignore[type-var]
