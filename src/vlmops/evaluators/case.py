"""A case: everything an evaluator may look at for one execution."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vlmops.images import Image


@dataclass(frozen=True, slots=True)
class Usage:
    """What one call consumed, as the provider measured it; ``None`` means it did not say.

    Attributes:
        input_tokens: Tokens in, pictures included.
        output_tokens: Tokens out.
        image_tokens: The part of ``input_tokens`` that pictures account for.
        cost: In US dollars: the provider's own figure, else by the model's card.
        cached_tokens: The part of ``input_tokens`` that came from the provider's cache of prompts.
        reasoning_tokens: The part of ``output_tokens`` that was thought and not said.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    image_tokens: int | None = None
    cost: float | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True)
class Case:
    """One execution as an evaluator sees it.

    Attributes:
        output: What the model answered: text or JSON.
        expected: What it should have answered; ``None`` when unknown.
        inputs: What it was given: JSON with :class:`~vlmops.Image` values anywhere in it.
        id: The sample's or the execution's id.
        metadata: JSON; slices are taken over its keys.
        usage: Tokens and cost, when known.
        latency: Seconds from request to full answer, when known.

    Example:
        >>> case = Case(output="T0TAL 12.50", expected="TOTAL 12.50")
        >>> case.images
        ()
    """

    output: Any
    expected: Any = None
    inputs: Any = None
    id: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    usage: Usage | None = None
    latency: float | None = None

    @cached_property
    def images(self) -> tuple[Image, ...]:
        """The pictures in ``inputs``, in the order in which they stand there."""
        from vlmops.images import images_in

        return tuple(images_in(self.inputs))
