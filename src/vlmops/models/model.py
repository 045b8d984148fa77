"""What a model is: one coroutine from a request with pictures to a reply or a failure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from pydantic import BaseModel

    from vlmops.evaluators.case import Usage
    from vlmops.evaluators.failure import Failure
    from vlmops.images import Image


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation: text and pictures in the order in which they are to be read.

    Attributes:
        role: Who speaks; a ``"system"`` turn gives standing instructions.
        content: Texts and pictures.

    Example:
        >>> Turn("system", ("Answer in one word.",)).images
        ()
    """

    role: Literal["system", "user", "assistant"]
    content: tuple[str | Image, ...]

    @property
    def images(self) -> tuple[Image, ...]:
        """Its pictures."""
        return tuple(part for part in self.content if not isinstance(part, str))


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One question to a model.

    Attributes:
        prompt: The instruction; ``None`` for models that take none (OCR).
        images: The pictures, in the order in which the prompt speaks of them.
        schema: JSON Schema, or pydantic model class, the answer must fit; the reply's ``output`` is then
            parsed JSON.
        parameters: What the backend passes on, by its own names (``temperature``, ``seed``, ...).
        repetition: Which of several answers to the same question is asked for, counted from 1. Backends pay
            no heed to it; a cache of answers keeps the repetitions apart.
        before: What is said before the question: standing instructions, worked examples with their pictures.

    Example:
        >>> ModelRequest("How many coins are there?", parameters={"temperature": 0}).images
        ()
    """

    prompt: str | None = None
    images: tuple[Image, ...] = ()
    schema: Mapping[str, Any] | type[BaseModel] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    repetition: int = 1
    before: tuple[Turn, ...] = ()

    @property
    def pictures(self) -> tuple[Image, ...]:
        """Every picture the model is shown, in order."""
        return tuple(image for turn in self.conversation for image in turn.images)

    @property
    def conversation(self) -> tuple[Turn, ...]:
        """All turns as they are sent: those of one role in a row merged, the prompt before its pictures."""
        question: tuple[str | Image, ...] = (*([self.prompt] if self.prompt else []), *self.images)
        merged: list[Turn] = []
        for turn in (*self.before, Turn("user", question)):
            if merged and merged[-1].role == turn.role:
                merged[-1] = Turn(turn.role, merged[-1].content + turn.content)
            elif turn.content or turn.role == "user":
                merged.append(turn)
        return tuple(merged)


@dataclass(frozen=True, slots=True)
class SentPicture:
    """How one picture of a request went out, which may not be as it was given.

    Attributes:
        width: Of the picture that was sent, in pixels.
        height: Of the picture that was sent, in pixels.
        original_width: Of the picture that was given, in pixels, upright.
        original_height: Of the picture that was given, in pixels, upright.
        bytes: Length of the encoded picture that was sent.
        media_type: Of the picture that was sent.
        delivery: Within the request (``"data_uri"``, ``"tensor"``) or by its address (``"url"``).
        detail: How finely the provider was asked to look; empty where it has no such setting.
        changes: What was done to it: ``"resized"``, ``"converted"`` to another type, ``"turned"`` upright,
            ``"rewritten"`` (without private metadata, or more strongly compressed).
        estimated_tokens: Tokens it counts for by the model's card; ``None`` when the card does not say.

    Example:
        >>> SentPicture(1000, 500, 4000, 2000, 81_234, "image/jpeg", changes=("resized",)).scale
        0.25
    """

    width: int
    height: int
    original_width: int
    original_height: int
    bytes: int
    media_type: str
    delivery: Literal["data_uri", "url", "tensor"] = "data_uri"
    detail: str = ""
    changes: tuple[str, ...] = ()
    estimated_tokens: int | None = None

    @property
    def scale(self) -> float:
        """Sent width over original width; 1.0 when it was not resized."""
        return self.width / self.original_width


@dataclass(frozen=True, slots=True)
class ModelReply:
    """What a model answered.

    Attributes:
        output: The answer to evaluate: text, or JSON when the request has a schema or the model gives JSON.
        text: The answer as text, exactly as it came.
        usage: Tokens and cost as the provider reported them; ``None`` when it did not.
        latency: Seconds from sending the request to having the full answer, the provider's retries
            included, time spent waiting for a free local worker not.
        model: The exact model that answered, as it names itself.
        finish_reason: Why the answer ended: ``"stop"``, or ``"length"`` when it was cut off.
        metadata: JSON-serialisable detail of the backend (request id, confidences, boxes, ...).
        first_token: Seconds from sending the request to the first piece of the answer; ``None`` when it was
            not streamed.
        validity: With a schema, whether the answer fitted it as it came (``"valid"``) or only after its
            JSON was mended (``"repaired"``); ``None`` when no schema was asked for.
        sent: How each picture of the request went out, in its order; empty where the backend does not say.
        cached: Whether it was kept from an earlier call: its usage and latency are those of that call, and
            nothing was spent this time.

    Example:
        >>> ModelReply(output="7", text="7", latency=0.8, model="gpt-4.1-mini").finish_reason
        'stop'
    """

    output: Any
    text: str
    usage: Usage | None = None
    latency: float | None = None
    model: str = ""
    finish_reason: str = "stop"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    first_token: float | None = None
    validity: Literal["valid", "repaired"] | None = None
    sent: tuple[SentPicture, ...] = ()
    cached: bool = False


@runtime_checkable
class Model(Protocol):
    """Anything that answers requests; it must bear concurrent calls from one event loop.

    Example:
        >>> import asyncio
        >>> class Parrot:
        ...     name = "parrot"
        ...     async def answer(self, request: ModelRequest) -> ModelReply | Failure:
        ...         return ModelReply(output=request.prompt, text=request.prompt or "")
        >>> isinstance(Parrot(), Model)
        True
        >>> asyncio.run(Parrot().answer(ModelRequest("hello"))).text
        'hello'
    """

    @property
    def name(self) -> str:
        """The name it is asked for by, e.g. ``"openai:gpt-4.1-mini"``."""
        ...

    async def answer(self, request: ModelRequest) -> ModelReply | Failure:
        """Answer, or say why there is no answer.

        What concerns this one request (a refusal, a rate limit, an unreadable picture) is returned as a
        :class:`~vlmops.evaluators.Failure`; what would spoil every request is raised.

        Raises:
            PrerequisiteError: Credentials, a package or weights are missing.
            UsageError: The model or a parameter does not exist.
        """
        ...


@runtime_checkable
class Identified(Protocol):
    """A model that says what its answers depend on, so that they can be kept for a second run."""

    def identity(self) -> Mapping[str, Any]:
        """JSON of everything about the model that changes its answers; never a key."""
        ...


@runtime_checkable
class Retrying(Protocol):
    """A model that tries again by itself, and can leave that to what does it for all calls together."""

    def without_retries(self) -> Model:
        """The same model, each of whose answers is the outcome of one try."""
        ...


@runtime_checkable
class Preparing(Protocol):
    """A model whose requests can be made ready before they may go out, in a thread of the caller's choice."""

    def prepared(self, request: ModelRequest) -> Callable[[], Awaitable[ModelReply | Failure]]:
        """Read and encode the pictures; what is returned asks the model, once, as ``answer`` would.

        Raises:
            ImageError: A picture cannot be read, or cannot be made to fit the model.
            UsageError: As ``answer``.
        """
        ...


def identity_of(model: Model) -> Mapping[str, Any]:
    """What a model's answers depend on besides the request; a model that does not say is its name.

    Example:
        >>> from vlmops.models import create
        >>> identity_of(create("openai:gpt-4.1-mini", parameters={"temperature": 0}))["parameters"]
        {'temperature': 0}
    """
    return model.identity() if isinstance(model, Identified) else {"name": model.name}
