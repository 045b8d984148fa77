"""What a model is: one coroutine from a request with pictures to a reply or a failure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vlmops.evaluators.case import Usage
    from vlmops.evaluators.failure import Failure
    from vlmops.images import Image


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One question to a model.

    Attributes:
        prompt: The instruction; ``None`` for models that take none (OCR).
        images: The pictures, in the order in which the prompt speaks of them.
        schema: JSON Schema the answer must fit; the reply's ``output`` is then parsed JSON.
        parameters: What the backend passes on, by its own names (``temperature``, ``seed``, ...).

    Example:
        >>> ModelRequest("How many coins are there?", parameters={"temperature": 0}).images
        ()
    """

    prompt: str | None = None
    images: tuple[Image, ...] = ()
    schema: Mapping[str, Any] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


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
