"""What is to be done for one recorded span, and the span that does it. Pure functions.

Recorded spans cannot be changed. A child with its parent's times shows, beside it, what the parent should
have shown: its pictures, drawn, and their facts.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.tracing.attributes import IMAGE_COUNT
from vlmops.tracing.parts import parsed
from vlmops.tracing.picture import FoundPicture, KeptPicture, PictureFacts
from vlmops.tracing.places import role_of
from vlmops.tracing.rewriting import rewrite
from vlmops.tracing.span_copy import copy_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from vlmops.images import Image
    from vlmops.tracing.dialect import Attributes, Dialect, TracedPicture
    from vlmops.tracing.picture import Role

ENRICHES = "vlmops.enriches"
"""The attribute of a child that names the span whose pictures it shows."""

REDACTED = "__REDACTED__"
"""What OpenInference writes in the place of a picture above its limit."""

_MESSAGE = re.compile(r"llm\.input_messages\.(\d+)\.")
_COUNTED = (
    "llm.token_count.",
    "llm.cost.",
    "gen_ai.usage.",
    "langfuse.observation.usage_details",
    "langfuse.observation.cost_details",
    # Langfuse estimates tokens, and their price, of whatever has a model.
    "langfuse.observation.model.name",
)
_NUMBERS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Inspection:
    """What there is to see in a recorded span.

    Attributes:
        encoded: Pictures that stand in it as base64.
        undrawn: Pictures in all that the platform does not draw as they stand, those in base64 included.
        redacted: Pictures of which only marks are left, as far as marks tell them apart.
        is_done: Whether its pictures were stored when it was recorded.
    """

    encoded: int = 0
    undrawn: int = 0
    redacted: int = 0
    is_done: bool = False


def inspect(span: ReadableSpan, dialect: Dialect) -> Inspection:
    """What there is to see in a recorded span; no picture is decoded."""
    attributes = span.attributes or {}
    if IMAGE_COUNT in attributes:
        return Inspection(is_done=True)
    found: list[FoundPicture] = []

    def note(picture: FoundPicture) -> KeptPicture:
        found.append(picture)
        place = str(picture.payload) if picture.is_url else f"https://pictures/{len(found)}"
        return KeptPicture(place, drawable=True, facts=PictureFacts())

    rewritten = rewrite(span, note, _Silent(dialect))
    encoded = sum(not picture.is_url for picture in found)
    redacted = max(0, sum(_marks(attributes, side) for side in ("input", "output")) - encoded)
    is_drawn = not found or rewritten is span or _say_the_same(rewritten.attributes or {}, attributes)
    return Inspection(encoded, 0 if is_drawn else len(found), redacted)


def child_of(span: ReadableSpan, kind: Mapping[str, Any], recovered: Sequence[Image] = ()) -> ReadableSpan:
    """The child of a recorded span that is to show its pictures; they are yet to be stored.

    Args:
        span: The recorded span.
        kind: Attributes that make a span one in which the platform draws pictures, and mark it as ours.
        recovered: Pictures that stand where the span has only marks, in their order; those that are left over
            become a message.
    """
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext

    context = span.context
    if context is None:
        raise ValueError("a recorded span has a context")
    trace_id, span_id = f"{context.trace_id:032x}", f"{context.span_id:016x}"
    attributes = _filled(dict(span.attributes or {}), recovered)
    own = SpanContext(
        context.trace_id,
        int(child_id(trace_id, span_id), 16),
        is_remote=False,
        trace_flags=context.trace_flags,
    )
    return ReadableSpan(
        name=f"{span.name} (pictures)",
        context=own,
        parent=context,
        resource=span.resource,
        attributes={
            **attributes,
            **kind,
        },
        events=span.events,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
    )


def child_id(trace_id: str, span_id: str) -> str:
    """The id of the child of a span, always the same: 16 hexadecimal digits.

    Example:
        >>> child_id("0b" * 16, "0a" * 8) == child_id("0b" * 16, "0a" * 8) != child_id("0b" * 16, "0c" * 8)
        True
    """
    return hashlib.sha256(f"vlmops pictures of {trace_id} {span_id}".encode()).hexdigest()[:16]


def uncounted(span: ReadableSpan) -> ReadableSpan:
    """The span without tokens and costs, which its parent has: a trace's sums must not count them twice."""
    kept = {name: value for name, value in (span.attributes or {}).items() if not name.startswith(_COUNTED)}
    return copy_of(span, attributes=kept)


def _filled(attributes: dict[str, Any], recovered: Sequence[Image]) -> dict[str, Any]:
    """Pictures in the place of marks; in texts, and where there is no mark, they cannot be told apart."""
    images = list(recovered)
    slots = [name for name in sorted(attributes, key=_natural) if attributes[name] == REDACTED]
    for name, image in zip(slots, images, strict=False):
        attributes[name] = image.data_uri()
    left = images[len(slots) :]
    numbers = [int(match[1]) for name in attributes if (match := _MESSAGE.match(name))]
    message = f"llm.input_messages.{max(numbers, default=-1) + 1}.message"
    for index, image in enumerate(left):
        part = f"{message}.contents.{index}.message_content"
        attributes |= {
            f"{message}.role": "user",
            f"{part}.type": "image",
            f"{part}.image.image.url": image.data_uri(),
        }
    return attributes


def _natural(name: str) -> list[Any]:
    return [int(part) if part.isdecimal() else part for part in _NUMBERS.split(name)]


def _say_the_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether attributes are equal, JSON that is written in another order included."""
    return one.keys() == other.keys() and all(
        one[name] == other[name] or ((tree := parsed(one[name])) is not None and tree == parsed(other[name]))
        for name in one
    )


def _marks(attributes: Mapping[str, Any], side: Role) -> int:
    """How many pictures of one side are redacted: each is marked in its message and in the side's text."""
    counts = [
        text.count(REDACTED)
        for name, text in attributes.items()
        if isinstance(text, str) and REDACTED in text and role_of(name) == side
    ]
    slots = sum(attributes[name] == REDACTED for name in attributes if role_of(name) == side)
    return max([slots, *counts], default=0)


@dataclass(frozen=True, slots=True)
class _Silent:
    """A dialect that draws, and says nothing."""

    dialect: Dialect

    def arrange(self, attributes: Attributes, pictures: Sequence[TracedPicture]) -> Attributes:
        return self.dialect.arrange(attributes, pictures)

    def facts(self, facts: Mapping[str, Any]) -> Attributes:  # noqa: ARG002 - the shape of a dialect
        return {}
