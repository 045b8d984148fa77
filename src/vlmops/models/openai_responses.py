"""The responses interface: requests in its form, and what it answers in ours."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from vlmops.evaluators.case import Usage
from vlmops.models.answer import RawAnswer
from vlmops.models.openai_failures import AnswerFailed
from vlmops.models.openai_post import read_as_shaped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openai import AsyncOpenAI
    from openai.types.responses import Response

    from vlmops.models.answer_schema import AnswerSchema
    from vlmops.models.openai_post import Question
    from vlmops.models.openai_turns import SentTurn

OURS = frozenset({"input", "model", "stream", "stream_options", "background"})
"""Parameters that a request sets itself."""

_PATH = "/responses"

_ENDS = {"max_output_tokens": "length", "content_filter": "content_filter"}


def arguments(turns: Sequence[SentTurn], schema: AnswerSchema | None, structured: str) -> dict[str, Any]:
    """The body of a request, besides model and parameters."""
    given: dict[str, Any] = {"input": [_message(turn) for turn in turns]}
    if schema is not None and structured == "json_object":
        given["text"] = {"format": {"type": "json_object"}}
    elif schema is not None and structured == "json_schema":
        described = {"name": schema.name, "schema": schema.json_schema, "strict": schema.strict}
        given["text"] = {"format": {"type": "json_schema", **described}}
    return given


def _message(turn: SentTurn) -> dict[str, Any]:
    kind = "output_text" if turn.role == "assistant" else "input_text"
    return {"role": turn.role, "content": [_part(part, kind, turn.detail) for part in turn.parts]}


def _part(part: Any, kind: str, detail: str) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": kind, "text": part}
    return {"type": "input_image", "image_url": part.address, "detail": detail or "auto"}


async def ask(client: AsyncOpenAI, question: Question) -> RawAnswer:
    """Ask and have the whole answer at once.

    Raises:
        ValueError: What came is no answer of this interface.
        AnswerFailed: The provider gave up.
    """
    from openai.types.responses import Response

    response, told = await question.post(client, _PATH, Response)
    if getattr(response, "output", None) is None:
        raise ValueError("the answer holds no output; does base_url lead to the interface (.../v1)?")
    with read_as_shaped():
        return _answer(response, told)


async def ask_streaming(client: AsyncOpenAI, question: Question) -> RawAnswer:
    """Ask and put the answer together from its pieces; ``ended`` is empty when it broke off.

    Raises:
        AnswerFailed: The provider gave up.
    """
    from openai.types.responses import Response, ResponseStreamEvent

    begun = time.perf_counter()
    stream = await question.stream(client, _PATH, Response, ResponseStreamEvent)
    text: list[str] = []
    first: float | None = None
    try:
        async for event in stream:
            if event.type == "response.output_text.delta":
                first = time.perf_counter() - begun if first is None else first
                text.append(event.delta)
            elif event.type in {"response.completed", "response.incomplete", "response.failed"}:
                with read_as_shaped():
                    return _answer(event.response, {}, first)
            elif event.type == "error":
                raise AnswerFailed(event.code or "", event.message)
    finally:
        await stream.close()
    return RawAnswer("".join(text), "", first_token=first)


def _answer(response: Response, metadata: Mapping[str, Any], first: float | None = None) -> RawAnswer:
    if response.status == "failed":
        told = response.error
        code, why = (told.code, told.message) if told else ("", "no reason was given")
        raise AnswerFailed(code, why, _usage(response.usage))
    text, refusal = "", ""
    for item in response.output:
        for part in getattr(item, "content", None) or ():
            text += part.text if part.type == "output_text" else ""
            refusal += part.refusal if part.type == "refusal" else ""
    ended = "stop"
    if response.status == "incomplete":
        reason = (response.incomplete_details.reason if response.incomplete_details else None) or ""
        ended = _ENDS.get(reason, reason)
    return RawAnswer(text, ended, refusal, response.model or "", _usage(response.usage), first, metadata)


def _usage(usage: Any) -> Usage | None:
    if usage is None:
        return None
    into, out = (getattr(usage, f"{way}_tokens_details", None) for way in ("input", "output"))
    return Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        image_tokens=getattr(into, "image_tokens", None),
        cached_tokens=getattr(into, "cached_tokens", None),
        reasoning_tokens=getattr(out, "reasoning_tokens", None),
    )
