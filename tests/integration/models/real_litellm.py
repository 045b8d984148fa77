"""The LiteLLM backend with the package itself; run by ``test_litellm`` where that is installed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import litellm
import numpy as np
import pytest
from model_server import Behaviour, ModelServer, Said, error, reply

from vlmops.engine import Engine, Retry
from vlmops.evaluators import Failure, FailureKind
from vlmops.images import Image
from vlmops.models import ModelReply, ModelRequest, create

PICTURE = Image.from_array(np.zeros((4, 6, 3), dtype=np.uint8))
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}

# It warns of itself: clients that live on with loops that are over, what it uses of others.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    running = ModelServer()
    yield running
    running.close()


def asked(
    server: ModelServer, behaviour: Behaviour, request: ModelRequest | None = None, **options: object
) -> ModelReply | Failure:
    server.behaviour = behaviour
    model = create(
        "litellm:openai/gpt-4o", base_url=server.url, api_key="none", **{"max_retries": 0, **options}
    )
    return asyncio.run(model.answer(request or ModelRequest("How many?", (PICTURE,))))


def test_it_is_the_package_itself() -> None:
    assert "site-packages" in (litellm.__file__ or "")


def test_a_picture_goes_out_and_text_usage_and_cost_come_back(server: ModelServer) -> None:
    answer = asked(server, lambda _: reply("two", tokens=(1000, 100)))
    assert isinstance(answer, ModelReply)
    assert (answer.text, answer.model) == ("two", "served-2026-01-01")
    assert answer.usage is not None
    assert answer.usage.cost == pytest.approx((1000 * 2.5 + 100 * 10) / 1e6)
    assert server.asked[0].pictures == 1
    assert server.asked[0].text == "How many?"


def test_a_schema_is_asked_for_and_kept_to(server: ModelServer) -> None:
    request = ModelRequest("How many?", (PICTURE,), schema=SCHEMA)
    fits = asked(server, lambda _: reply('{"n": 2}'), request)
    assert isinstance(fits, ModelReply)
    assert fits.output == {"n": 2}
    assert "response_format" in server.asked[0].body
    other = asked(server, lambda _: reply('{"n": "two"}'), request)
    assert isinstance(other, Failure)
    assert other.kind is FailureKind.SCHEMA_MISMATCH


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (error(429, "slow down", retry_after="3"), FailureKind.RATE_LIMIT),
        (error(500, "out of order"), FailureKind.PROVIDER_ERROR),
        (error(400, "too long", code="context_length_exceeded"), FailureKind.CONTEXT_OVERFLOW),
        (error(400, "filtered", code="content_filter"), FailureKind.CONTENT_FILTER),
        (reply("", message={"refusal": "I cannot"}), FailureKind.REFUSAL),
        (reply("", finish_reason="content_filter"), FailureKind.CONTENT_FILTER),
        (Said(body=b"<html>"), FailureKind.PROVIDER_ERROR),
    ],
)
def test_what_goes_wrong_has_its_kind(server: ModelServer, said: Said, kind: FailureKind) -> None:
    answer = asked(server, lambda _: said)
    assert isinstance(answer, Failure)
    assert answer.kind is kind
    assert "litellm:openai/gpt-4o" in answer.message


def test_how_long_to_wait_is_passed_on(server: ModelServer) -> None:
    answer = asked(server, lambda _: error(429, "slow down", retry_after="3"))
    assert isinstance(answer, Failure)
    assert answer.retry_after == 3.0


def test_what_hangs_ends(server: ModelServer) -> None:
    answer = asked(server, lambda _: Said(hang=True), timeout=1)
    assert isinstance(answer, Failure)
    assert answer.kind is FailureKind.TIMEOUT


async def test_an_engine_tries_again_and_keeps_the_answer(server: ModelServer) -> None:
    server.behaviour = lambda asked: error(500, "once") if asked.number == 1 else reply("two")
    async with Engine(retry=Retry(wait=0.01)) as engine:
        model = engine.model(create("litellm:openai/gpt-4o", base_url=server.url, api_key="none"))
        answers = [await model.answer(ModelRequest("How many?", (PICTURE,))) for _ in range(2)]
    assert all(isinstance(answer, ModelReply) and answer.text == "two" for answer in answers)
    assert (len(server.asked), engine.tally.calls, engine.tally.cached) == (2, 2, 1)
