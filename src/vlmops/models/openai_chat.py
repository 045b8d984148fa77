"""The chat completions interface: requests in its form, and what it answers in ours."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from vlmops.evaluators.case import Usage
from vlmops.models.answer import RawAnswer
from vlmops.models.openai_failures import AnswerFailed
from vlmops.models.openai_post import read_as_shaped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion, ChatCompletionChunk

    from vlmops.models.answer_schema import AnswerSchema
    from vlmops.models.openai_post import Question
    from vlmops.models.openai_turns import SentTurn

OURS = frozenset({"messages", "model", "n", "response_format", "stream", "stream_options"})
"""Parameters that a request sets itself."""

_PATH = "/chat/completions"


def arguments(turns: Sequence[SentTurn], schema: AnswerSchema | None, structured: str) -> dict[str, Any]:
    """The body of a request, besides model and parameters."""
    given: dict[str, Any] = {"messages": [_message(turn) for turn in turns]}
    if schema is not None and structured == "json_object":
        given["response_format"] = {"type": "json_object"}
    elif schema is not None and structured == "json_schema":
        described = {"name": schema.name, "schema": schema.json_schema, "strict": schema.strict}
        given["response_format"] = {"type": "json_schema", "json_schema": described}
    return given


def _message(turn: SentTurn) -> dict[str, Any]:
    if turn.role != "user" and all(isinstance(part, str) for part in turn.parts):
        # Many servers take a list of parts from users alone.
        return {"role": turn.role, "content": "\n\n".join(map(str, turn.parts))}
    return {"role": turn.role, "content": [_part(part, turn.detail) for part in turn.parts]}


def _part(part: Any, detail: str) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    picture = {"url": part.address, **({"detail": detail} if detail else {})}
    return {"type": "image_url", "image_url": picture}


async def ask(client: AsyncOpenAI, question: Question) -> RawAnswer:
    """Ask and have the whole answer at once.

    Raises:
        ValueError: What came is no answer of this interface.
    """
    from openai.types.chat import ChatCompletion

    completion, told = await question.post(client, _PATH, ChatCompletion)
    with read_as_shaped():
        if not getattr(completion, "choices", None):
            return _without_choices(completion)
        return answer_of(completion, told)


def answer_of(
    completion: ChatCompletion, metadata: Mapping[str, Any], cost: float | None = None
) -> RawAnswer:
    """What a completion says; ``cost`` is what it cost where the completion does not say so itself."""
    choice = completion.choices[0]
    # Where a filter struck, some servers send no message at all.
    message = getattr(choice, "message", None)
    return RawAnswer(
        text="" if message is None else _text(message.content),
        ended=str(choice.finish_reason or "stop"),
        refusal=getattr(message, "refusal", None) or "",
        model=completion.model or "",
        usage=_usage(completion.usage, cost),
        metadata=metadata,
    )


def _text(content: Any) -> str:
    """Content as one text; some servers send parts, of which reasoning is no part of the answer."""
    if not isinstance(content, list):
        return str(content or "")
    return "".join(str(part["text"]) for part in content if part["type"] == "text")


def _without_choices(completion: ChatCompletion) -> RawAnswer:
    """Gateways tell of their providers' errors with status 200; a filtered prompt may leave no choices."""
    error, usage = getattr(completion, "error", None), _usage(getattr(completion, "usage", None))
    if isinstance(error, dict):
        reason = str(error.get("message") or "no reason was given")
        raise AnswerFailed(str(error.get("code") or error.get("type") or ""), reason, usage)
    if usage is None:
        raise ValueError("the answer holds no choices; does base_url lead to the interface (.../v1)?")
    return RawAnswer("", model=completion.model or "", usage=usage)


async def ask_streaming(client: AsyncOpenAI, question: Question) -> RawAnswer:
    """Ask and put the answer together from its pieces; ``ended`` is empty when it broke off."""
    from openai.types.chat import ChatCompletion, ChatCompletionChunk

    begun = time.perf_counter()
    usage = {"stream_options": {"include_usage": True}}
    stream = await question.stream(client, _PATH, ChatCompletion, ChatCompletionChunk, **usage)
    try:
        with read_as_shaped():
            return await gathered(stream, begun)
    finally:
        await stream.close()


async def gathered(stream: AsyncIterator[ChatCompletionChunk], begun: float) -> RawAnswer:
    """The answer that the pieces of a stream make; ``ended`` is empty when it broke off."""
    text: list[str] = []
    refusal: list[str] = []
    ended = model = ""
    usage: Usage | None = None
    first: float | None = None
    async for chunk in stream:
        model = chunk.model or model
        usage = _usage(getattr(chunk, "usage", None)) or usage
        for choice in chunk.choices or ():
            said = _text(choice.delta.content)
            if said and first is None:
                first = time.perf_counter() - begun
            text.append(said)
            refusal.append(getattr(choice.delta, "refusal", None) or "")
            ended = str(choice.finish_reason or ended)
    return RawAnswer("".join(text), ended, "".join(refusal), model, usage, first)


def _usage(usage: Any, known_cost: float | None = None) -> Usage | None:
    if usage is None:
        return None
    into, out = (getattr(usage, f"{way}_tokens_details", None) for way in ("prompt", "completion"))
    # Image tokens and cost are no part of OpenAI's own answer; vLLM and gateways such as OpenRouter tell.
    image_tokens, cost = getattr(into, "image_tokens", None), getattr(usage, "cost", known_cost)
    return Usage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        image_tokens=image_tokens if isinstance(image_tokens, int) else None,
        cost=float(cost) if isinstance(cost, int | float) else None,
        cached_tokens=getattr(into, "cached_tokens", None),
        reasoning_tokens=getattr(out, "reasoning_tokens", None),
    )
