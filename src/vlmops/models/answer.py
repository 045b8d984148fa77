"""From what a provider said to a reply or a failure: the same for every interface."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.models.answer_schema import AnswerSchema, Misfit
from vlmops.models.model import ModelReply, SentPicture
from vlmops.models.openai_failures import safe_message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vlmops.evaluators.case import Usage
    from vlmops.models.cards import ModelCard


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What a provider said, in terms that all interfaces share.

    Attributes:
        text: The answer.
        ended: Why it ended: ``"stop"``, ``"length"``, ``"content_filter"``, or the provider's own word. Empty
            when it broke off: a stream that ended without saying so.
        refusal: What the model said instead of an answer; empty if it did not refuse.
        model: The exact model that answered.
        usage: What the call consumed, as reported.
        first_token: Seconds to the first piece, when it was streamed.
        metadata: JSON-serialisable detail.
    """

    text: str
    ended: str = "stop"
    refusal: str = ""
    model: str = ""
    usage: Usage | None = None
    first_token: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a request asked for, against which its answer is read.

    Attributes:
        name: The model's name, for messages.
        schema: The form asked for; ``None`` for text.
        repair: Whether text that is no JSON may be mended.
        card: What tokens cost; ``None`` when not known.
        sent: The pictures as they went out.
    """

    name: str
    schema: AnswerSchema | None = None
    repair: bool = False
    card: ModelCard | None = None
    sent: tuple[SentPicture, ...] = ()

    def concluded(self, raw: RawAnswer, latency: float) -> ModelReply | Failure:
        """The reply, or the failure that the answer stands for; either says what was consumed.

        Raises:
            UsageError: The schema itself is invalid.
        """
        usage = self.priced(raw.usage)
        failure = self._failed(raw)
        if failure is not None:
            return replace(failure, usage=usage)
        output: Any = raw.text
        validity = None
        if self.schema is not None:
            try:
                output, validity = self.schema.read(raw.text, repair=self.repair)
            except Misfit as error:
                return replace(self._misfit(raw, error), usage=usage)
        return ModelReply(
            output=output,
            text=raw.text,
            usage=usage,
            latency=latency,
            model=raw.model,
            finish_reason=raw.ended,
            metadata=raw.metadata,
            first_token=raw.first_token,
            validity=validity,
            sent=self.sent,
        )

    def priced(self, usage: Usage | None) -> Usage | None:
        """The usage with its cost by the card, where the provider named none."""
        if usage is None or usage.cost is not None or self.card is None or usage.input_tokens is None:
            return usage
        cost = self.card.cost(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens or 0,
            image_tokens=usage.image_tokens,
            cached_tokens=usage.cached_tokens,
        )
        return replace(usage, cost=cost)

    def _failed(self, raw: RawAnswer) -> Failure | None:
        if raw.refusal:
            return Failure(FailureKind.REFUSAL, f"{self.name} refused: {safe_message(raw.refusal)}")
        if raw.ended == "content_filter":
            return Failure(
                FailureKind.CONTENT_FILTER, f"{self.name}: the provider's content filter cut the answer"
            )
        if not raw.ended:
            said = f" after {len(raw.text)} characters" if raw.text else " before it began"
            return Failure(FailureKind.TRUNCATED, f"{self.name}: the answer broke off{said}", transient=True)
        if raw.text.strip():
            return None
        if raw.ended == "length":
            why = "the token limit was used up before the answer began: raise it"
            return Failure(FailureKind.TRUNCATED, f"{self.name}: {why}")
        return Failure(FailureKind.MISSING_OUTPUT, f"{self.name} answered with no text")

    def _misfit(self, raw: RawAnswer, error: Misfit) -> Failure:
        said = safe_message(raw.text[:80])
        if raw.ended == "length" and error.kind is FailureKind.UNPARSABLE:
            return Failure(
                FailureKind.TRUNCATED, f"{self.name}: JSON cut off by the token limit: raise it: {said!r}"
            )
        return Failure(error.kind, f"{self.name}: {safe_message(str(error))}: {said!r}")
