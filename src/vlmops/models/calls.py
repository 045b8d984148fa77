"""Calls of models, recorded for whoever traces what they are part of."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vlmops.characters import whole, whole_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vlmops.evaluators.failure import Failure
    from vlmops.models.model import Model, ModelReply, ModelRequest


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call; U+FFFD stands for each half of a character in its words, which no trace can hold.

    Attributes:
        model: Name of the model.
        request: What it was asked, with the pictures as they were shown.
        answer: What it answered, or why it did not.
        started: When it was asked.
        ended: When the answer was there.
        prompt: ``name`` and ``version`` on the platform of the prompt that was used, and maybe its
            ``template``; ``None`` for one that is not kept there.
    """

    model: str
    request: ModelRequest
    answer: ModelReply | Failure
    started: datetime
    ended: datetime
    prompt: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "request", _whole_request(self.request))
        object.__setattr__(self, "answer", whole_record(self.answer))
        object.__setattr__(self, "prompt", whole(self.prompt))


def _whole_request(request: ModelRequest) -> ModelRequest:
    return whole_record(replace(request, before=tuple(map(whole_record, request.before))))


_recorded: ContextVar[list[ModelCall] | None] = ContextVar("vlmops_recorded_calls", default=None)


@contextmanager
def recorded_calls() -> Iterator[list[ModelCall]]:
    """Within it, calls through :func:`ask` are added to the list, also those of tasks and threads it starts.

    Example:
        >>> import asyncio
        >>> from vlmops.models import ModelReply, ModelRequest
        >>> class Parrot:
        ...     name = "parrot"
        ...     async def answer(self, request):
        ...         return ModelReply(output=request.prompt, text=request.prompt)
        >>> with recorded_calls() as calls:
        ...     answer = asyncio.run(ask(Parrot(), ModelRequest("hello")))
        >>> [(call.model, call.answer.text) for call in calls]
        [('parrot', 'hello')]
    """
    calls: list[ModelCall] = []
    token = _recorded.set(calls)
    try:
        yield calls
    finally:
        _recorded.reset(token)


async def ask(
    model: Model, request: ModelRequest, prompt: Mapping[str, Any] | None = None
) -> ModelReply | Failure:
    """Ask a model, and record the call where somebody wants to know of it.

    Args:
        model: Whom.
        request: What.
        prompt: Name and version of the prompt the request was made from, and its ``template``, the words with
            slots in them, where it has some; for the record.

    Raises:
        PrerequisiteError: See :class:`~vlmops.models.Model`.
        UsageError: See there.
    """
    calls = _recorded.get()
    if calls is None:
        return await model.answer(request)
    started = datetime.now(UTC)
    answer = await model.answer(request)
    calls.append(ModelCall(model.name, request, answer, started, datetime.now(UTC), prompt))
    return answer
