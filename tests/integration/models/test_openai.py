"""The chat backend against a server that answers, refuses, limits, rejects and stalls."""

import asyncio
import base64
import json
import logging

import numpy as np
import pytest
from chat_server import Answer, completion, error

from vlmops.errors import PrerequisiteError, UsageError
from vlmops.evaluators import FailureKind, Usage
from vlmops.images import Image
from vlmops.models import ModelReply, ModelRequest, create

KEY = "sk-secret-0123456789"
PICTURE = Image.from_array(np.zeros((4, 6, 3), dtype=np.uint8))
SCHEMA = {
    "type": "object",
    "properties": {"count": {"type": "integer"}},
    "required": ["count"],
    "additionalProperties": False,
}


def ask(server, request=None, **options):
    options = {"base_url": server.url, "api_key": KEY, "max_retries": 2, **options}

    async def go():
        model = create("openai:test-model", **options)
        try:
            return await model.answer(request or ModelRequest("What is this?", (PICTURE,)))
        finally:
            await model.aclose()

    return asyncio.run(go())


def test_text_and_pictures_go_out_and_text_and_usage_come_back(server):
    usage = {
        "prompt_tokens": 90,
        "completion_tokens": 2,
        "total_tokens": 92,
        "prompt_tokens_details": {"image_tokens": 85},
        "cost": 0.0004,
    }
    server.answers = [completion("a black square", **usage)]
    reply = ask(server, detail="low", parameters={"temperature": 0, "top_k": 3})
    assert isinstance(reply, ModelReply)
    assert reply.output == reply.text == "a black square"
    assert reply.usage == Usage(90, 2, 85, 0.0004)
    assert (reply.model, reply.finish_reason) == ("test-model-2025-01-01", "stop")
    assert reply.metadata == {"request_id": "req-7"}
    (sent,) = server.requests
    assert server.paths == ["/v1/chat/completions"]
    assert (sent["model"], sent["temperature"], sent["top_k"]) == ("test-model", 0, 3)
    text, picture = sent["messages"][0]["content"]
    assert text == {"type": "text", "text": "What is this?"}
    assert picture["image_url"]["detail"] == "low"
    head, _, data = picture["image_url"]["url"].partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data) == PICTURE.read()


def test_no_usage_is_none(server):
    server.answers = [completion("yes")]
    assert ask(server).usage is None


@pytest.mark.parametrize("said", ['{"count": 3}', '```json\n{"count": 3}\n```'])
def test_a_schema_gives_json(server, said):
    server.answers = [completion(said)]
    reply = ask(server, ModelRequest("How many?", (PICTURE,), SCHEMA))
    assert reply.output == {"count": 3}
    assert reply.text == said
    assert server.requests[0]["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
    }


def test_a_schema_beyond_strict_mode_is_sent_as_advice(server):
    server.answers = [completion("{}")]
    loose = {"title": "Count of things", **SCHEMA, "required": []}
    ask(server, ModelRequest("How many?", schema=loose))
    described = server.requests[0]["response_format"]["json_schema"]
    assert (described["name"], described["strict"]) == ("Count_of_things", False)


def test_a_rate_limit_is_waited_for(server):
    server.answers = [error(429, "slow down", retry_after_ms="1"), completion("done")]
    reply = ask(server)
    assert reply.text == "done"
    assert reply.metadata["retries"] == 1
    assert len(server.requests) == 2


def test_a_lasting_rate_limit_is_a_failure(server):
    server.answers = [error(429, "slow down", retry_after_ms="1")]
    failure = ask(server)
    assert failure.kind is FailureKind.RATE_LIMIT
    assert "slow down" in failure.message
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(400, "Invalid image data", code="invalid_image"), FailureKind.MEDIA_REJECTED),
        (error(400, "You uploaded an unsupported image."), FailureKind.MEDIA_REJECTED),
        (error(400, "bad value", param="messages.[0].content.[1].image_url"), FailureKind.MEDIA_REJECTED),
        (error(413, "Request Entity Too Large"), FailureKind.MEDIA_REJECTED),
        (error(400, "too long", code="context_length_exceeded"), FailureKind.CONTEXT_OVERFLOW),
        (error(400, "This model's maximum context length is 4096 tokens"), FailureKind.CONTEXT_OVERFLOW),
        (error(400, "filtered", code="content_filter"), FailureKind.CONTENT_FILTER),
        (error(400, "temperature must be positive"), FailureKind.PROVIDER_ERROR),
        (
            error(429, "no money", code="insufficient_quota", x_should_retry="false"),
            FailureKind.PROVIDER_ERROR,
        ),
        (error(503, "overloaded", x_should_retry="false"), FailureKind.PROVIDER_ERROR),
        (Answer(502, b"<html>bad gateway</html>", {"x-should-retry": "false"}), FailureKind.PROVIDER_ERROR),
        (Answer(200, b"not json"), FailureKind.PROVIDER_ERROR),
        (Answer(200, {"id": "x", "choices": [], "created": 1, "model": "m"}), FailureKind.PROVIDER_ERROR),
        (completion(None, refusal="I can't help with that."), FailureKind.REFUSAL),
        (completion("part of", finish_reason="content_filter"), FailureKind.CONTENT_FILTER),
        (completion("", finish_reason="length"), FailureKind.TRUNCATED),
        (completion(None), FailureKind.MISSING_OUTPUT),
    ],
)
def test_troubles_have_their_kind(server, answer, kind):
    server.answers = [answer]
    failure = ask(server)
    assert failure.kind is kind
    assert "openai:test-model" in failure.message
    assert len(server.requests) == 1


def test_a_word_about_images_is_no_rejection_when_none_was_sent(server):
    server.answers = [error(400, "image generation is not enabled")]
    assert ask(server, ModelRequest("Hello")).kind is FailureKind.PROVIDER_ERROR


def test_a_cut_off_text_is_a_reply_and_cut_off_json_is_not(server):
    server.answers = [completion('{"count": ', finish_reason="length")]
    assert ask(server).finish_reason == "length"
    failure = ask(server, ModelRequest("How many?", (PICTURE,), SCHEMA))
    assert failure.kind is FailureKind.TRUNCATED
    assert "cut off by the token limit" in failure.message


def test_a_silent_server_is_a_timeout(server):
    server.answers = [Answer(hold=True)]
    failure = ask(server, timeout=0.2, max_retries=0)
    assert failure.kind is FailureKind.TIMEOUT
    assert "within 0.2 s" in failure.message


def test_an_absent_server_is_a_failure(server):
    url = server.url
    server.close()
    failure = ask(server, base_url=url, max_retries=0)
    assert failure.kind is FailureKind.PROVIDER_ERROR
    assert "cannot connect" in failure.message


def test_an_unreadable_picture_is_not_sent(server):
    failure = ask(server, ModelRequest("?", (Image.from_path("nowhere/scan.png"),)))
    assert failure.kind is FailureKind.BAD_IMAGE
    assert server.requests == []


def test_a_refused_key_and_an_unknown_model_stop_the_run(server):
    server.answers = [error(401, f"Incorrect API key provided: {KEY}")]
    with pytest.raises(PrerequisiteError, match="OPENAI_API_KEY") as caught:
        ask(server)
    assert KEY not in str(caught.value)
    server.answers = [error(404, "The model does not exist", code="model_not_found")]
    with pytest.raises(UsageError, match="no such model"):
        ask(server)
    with pytest.raises(UsageError, match="model is set by vlmops"):
        ask(server, ModelRequest("?", parameters={"model": "other"}))


def test_key_and_address_come_from_the_environment(server, monkeypatch):
    server.answers = [completion("yes")]
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "any")
    assert ask(server, base_url=None, api_key=None).text == "yes"
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(PrerequisiteError, match="set OPENAI_API_KEY"):
        ask(server, base_url=None, api_key=None)


def test_neither_pictures_nor_keys_reach_messages_and_logs(server, caplog):
    uri = PICTURE.data_uri()
    server.answers = [error(400, f"Invalid image: {uri} (key {KEY})")]
    with caplog.at_level(logging.DEBUG):
        failure = ask(server)
    written = json.dumps([failure.message, caplog.text])
    assert failure.message.endswith("Invalid image: data:... (key sk-...)")
    assert uri.partition(",")[2] not in written
    assert KEY not in written


def test_one_model_serves_several_event_loops(server):
    server.answers = [completion("yes")]
    model = create("openai:test-model", base_url=server.url, api_key=KEY)

    async def once():
        try:
            return await model.answer(ModelRequest("?"))
        finally:
            await model.aclose()

    assert [asyncio.run(once()).text for _ in range(2)] == ["yes", "yes"]


def test_many_requests_at_a_time(server):
    server.answers = [completion("yes")]

    async def go():
        model = create("openai:test-model", base_url=server.url, api_key=KEY)
        replies = await asyncio.gather(*(model.answer(ModelRequest("?", (PICTURE,))) for _ in range(16)))
        await model.aclose()
        return replies

    assert {reply.text for reply in asyncio.run(go())} == {"yes"}
    assert len(server.requests) == 16
