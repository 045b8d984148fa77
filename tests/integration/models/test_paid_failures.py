"""Answers that were paid for and are none: each has its kind and says what it consumed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from model_server import ModelServer, Said, reply

from vlmops.evaluators import Failure, FailureKind
from vlmops.images import Image
from vlmops.models import ModelRequest, create

PICTURE = Image.from_array(np.zeros((4, 6, 3), dtype=np.uint8))
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
COST = pytest.approx((1000 * 2.5 + 100 * 10) / 1e6)  # of gpt-4o

# What the model said, why it ended, and what that is.
PAID = {
    FailureKind.REFUSAL: {"refusal": "I would rather not"},
    FailureKind.CONTENT_FILTER: {"text": "Here is how", "ended": "content_filter"},
    FailureKind.TRUNCATED: {"text": '{"n": ', "ended": "length"},
    FailureKind.UNPARSABLE: {"text": "about seven"},
    FailureKind.SCHEMA_MISMATCH: {"text": '{"n": "seven"}'},
    FailureKind.MISSING_OUTPUT: {"text": ""},
}


@pytest.fixture
def served() -> Iterator[ModelServer]:
    running = ModelServer()
    yield running
    running.close()


def chat(*, text: str = "", ended: str = "stop", refusal: str | None = None, stream: bool = False) -> Said:
    if not stream:
        said = {"refusal": refusal} if refusal else {}
        return reply(text, tokens=(1000, 100), finish_reason=ended, message=said)
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
    delta = {"refusal": refusal} if refusal else {"content": text}
    base = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "served"}
    return events(
        {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": ended}]},
        {**base, "choices": [], "usage": usage},
    )


def responses(
    *, text: str = "", ended: str = "stop", refusal: str | None = None, stream: bool = False
) -> Said:
    reasons = {"length": "max_output_tokens", "content_filter": "content_filter"}
    part = {"type": "output_text", "text": text, "annotations": []}
    if refusal:
        part = {"type": "refusal", "refusal": refusal}
    cut = ended != "stop"
    answered = responded("incomplete" if cut else "completed", [part])
    answered["incomplete_details"] = {"reason": reasons[ended]} if cut else None
    if not stream:
        return Said(body=json.dumps(answered).encode())
    return events({"type": f"response.{answered['status']}", "response": answered})


def responded(status: str, parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "r",
        "object": "response",
        "created_at": 1,
        "model": "gpt-4o-2024-11-20",
        "status": status,
        "output": [
            {"type": "message", "id": "m", "role": "assistant", "status": status, "content": parts},
        ],
        "usage": {
            "input_tokens": 1000,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 100,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 1100,
        },
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [],
    }


def events(*bodies: dict[str, Any]) -> Said:
    lines = "".join(f"data: {json.dumps(body)}\n\n" for body in bodies)
    return Said(body=lines.encode(), headers={"content-type": "text/event-stream"})


def ask(server: ModelServer, said: Said, kind: str = "openai", **options: Any) -> Failure:
    server.behaviour = lambda asked: said
    place = {"azure_endpoint": server.url, "api_version": "2024-10-21", "card": "gpt-4o"}
    where = place if kind == "azure" else {"base_url": server.url}

    async def go() -> Any:
        made = create(f"{kind}:gpt-4o", api_key="sk-any", max_retries=0, **where, **options)
        try:
            return await made.answer(ModelRequest("How many?", (PICTURE,), SCHEMA))
        finally:
            await made.aclose()

    found = asyncio.run(go())
    assert isinstance(found, Failure)
    return found


@pytest.mark.parametrize("kind", list(PAID))
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("backend", "api"), [("openai", "chat"), ("openai", "responses"), ("azure", "chat")])
def test_a_failure_says_what_it_consumed(
    served: ModelServer, kind: FailureKind, stream: bool, backend: str, api: str
) -> None:
    said: dict[str, Any] = PAID[kind]
    answered = (chat if api == "chat" else responses)(stream=stream, **said)
    failure = ask(served, answered, backend, api=api, stream=stream)
    assert (failure.kind, failure.transient) == (kind, False), failure
    assert failure.usage is not None
    assert (failure.usage.input_tokens, failure.usage.output_tokens) == (1000, 100)
    assert failure.usage.cost == COST


@pytest.mark.parametrize(
    ("code", "kind", "transient"),
    [
        ("server_error", FailureKind.PROVIDER_ERROR, True),
        ("rate_limit_exceeded", FailureKind.RATE_LIMIT, False),
        ("image_content_policy_violation", FailureKind.CONTENT_FILTER, False),
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_an_answer_that_was_given_up_says_what_it_consumed_until_then(
    served: ModelServer, stream: bool, code: str, kind: FailureKind, transient: bool
) -> None:
    given_up = {**responded("failed", []), "error": {"code": code, "message": "sorry"}}
    said = Said(body=json.dumps(given_up).encode())
    if stream:
        said = events({"type": "response.failed", "response": given_up})
    failure = ask(served, said, api="responses", stream=stream)
    assert (failure.kind, failure.transient) == (kind, transient)
    assert failure.usage is not None
    assert failure.usage.cost == COST


@pytest.mark.parametrize(
    ("body", "kind", "transient", "tokens"),
    [
        ({"error": {"code": 429, "message": "slow down"}}, FailureKind.RATE_LIMIT, False, None),
        ({"error": {"code": 502, "message": "upstream"}}, FailureKind.PROVIDER_ERROR, True, None),
        (
            {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 0, "total_tokens": 9}},
            FailureKind.MISSING_OUTPUT,
            False,
            9,
        ),
    ],
    ids=["rate limit", "bad gateway", "filtered prompt"],
)
def test_what_gateways_tell_with_status_200(
    served: ModelServer, body: dict[str, Any], kind: FailureKind, transient: bool, tokens: int | None
) -> None:
    whole = {"id": "c", "object": "chat.completion", "created": 1, "model": "served", **body}
    failure = ask(served, Said(body=json.dumps(whole).encode()))
    assert (failure.kind, failure.transient) == (kind, transient), failure
    assert (failure.usage.input_tokens if failure.usage else None) == tokens


def test_an_error_within_a_stream_has_its_kind(served: ModelServer) -> None:
    failure = ask(served, events({"error": {"message": "slow down", "code": 429}}), stream=True)
    assert failure.kind is FailureKind.RATE_LIMIT
