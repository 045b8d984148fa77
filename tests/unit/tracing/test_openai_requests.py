"""Calls of OpenAI's client: the instrumentor sees placeholders, the server sees the request."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from chat_server import Answer, ChatServer, completion, error
from openinference.instrumentation import TraceConfig
from openinference.instrumentation.openai import OpenAIInstrumentor
from openinference.instrumentation.openai import _request as instrumentor_module
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from tracing_doubles import IMAGE_URL, MemoryDestination, png, uri

from vlmops.tracing import PictureExporter, PictureProcessor, defer_openai_pictures, openai_requests
from vlmops.tracing.held import PAYLOADS
from vlmops.tracing.openai_requests import restore_openai_pictures

PNG = png()
URI = uri(PNG)
CHAT = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": URI}}]}]
RESPONSES = [{"role": "user", "content": [{"type": "input_image", "image_url": URI}]}]
EVENTS = (
    b"".join(
        b"data: "
        + json.dumps(
            {
                "id": "c",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "m",
                "choices": [
                    {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
                ],
            }
        ).encode()
        + b"\n\n"
        for text in ("hel", "lo")
    )
    + b"data: [DONE]\n\n"
)
RESPONSE = {
    "id": "r", "object": "response", "created_at": 1, "model": "m", "status": "completed",
    "parallel_tool_calls": False, "tool_choice": "auto", "tools": [],
    "output": [{"id": "o", "type": "message", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": "hello", "annotations": []}]}],
}  # fmt: skip


class Traced:
    """The instrumentor with a processor of ours behind it."""

    def __init__(self, server: ChatServer, config: TraceConfig | None = None) -> None:
        self.server = server
        self.destination = MemoryDestination()
        self.processor = PictureProcessor(PictureExporter(self.destination))
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(self.processor)
        OpenAIInstrumentor().instrument(
            tracer_provider=self.provider, **({"config": config} if config else {})
        )

    @property
    def client(self) -> openai.OpenAI:
        return openai.OpenAI(base_url=self.server.url, api_key="k", max_retries=0)

    def span(self) -> dict[str, Any]:
        """The attributes of the one span, which must hold the one picture and no base64."""
        assert self.provider.force_flush()
        (span,) = self.destination.received.spans
        attributes = dict(span.attributes or {})
        (image,) = self.destination.kept.values()
        assert image.read() == PNG
        text = repr(attributes)
        assert f"memory://{image.sha256}" in text
        assert "iVBOR" not in text
        assert "vlmops-held" not in text
        assert "__REDACTED__" not in text
        return attributes


@pytest.fixture
def server() -> Iterator[ChatServer]:
    server = ChatServer()
    server.answers = [completion("hello")]
    yield server
    server.close()


@pytest.fixture
def traced(server: ChatServer) -> Iterator[Traced]:
    """With OpenInference's own configuration, which redacts pictures above 24 KB."""
    assert defer_openai_pictures()
    made = Traced(server, TraceConfig(base64_image_max_length=1000))
    yield made
    OpenAIInstrumentor().uninstrument()
    restore_openai_pictures()
    made.processor.shutdown()


def sent(server: ChatServer) -> dict[str, Any]:
    (request,) = server.requests
    return request


def test_chat(traced: Traced) -> None:
    answer = traced.client.chat.completions.create(model="m", messages=CHAT)  # type: ignore[arg-type]
    assert answer.choices[0].message.content == "hello"
    assert sent(traced.server)["messages"] == CHAT
    attributes = traced.span()
    assert attributes[IMAGE_URL].startswith("memory://")
    assert (
        json.loads(attributes["input.value"])["messages"][0]["content"][0]["image_url"]["url"]
        == attributes[IMAGE_URL]
    )


def test_the_picture_is_let_go_of_once_it_is_exported(traced: Traced) -> None:
    before = PAYLOADS.count
    traced.client.chat.completions.create(model="m", messages=CHAT)  # type: ignore[arg-type]
    assert traced.provider.force_flush()
    traced.destination.received.batches.clear()
    assert PAYLOADS.count == before


async def test_chat_async(traced: Traced) -> None:
    client = openai.AsyncOpenAI(base_url=traced.server.url, api_key="k")
    await client.chat.completions.create(model="m", messages=CHAT)  # type: ignore[arg-type]
    await client.close()
    assert sent(traced.server)["messages"] == CHAT
    assert traced.span()[IMAGE_URL].startswith("memory://")


def test_streaming(traced: Traced) -> None:
    traced.server.answers = [Answer(body=EVENTS, headers={"Content-Type": "text/event-stream"})]
    stream = traced.client.chat.completions.create(model="m", messages=CHAT, stream=True)  # type: ignore[call-overload]
    assert "".join(chunk.choices[0].delta.content for chunk in stream) == "hello"
    assert sent(traced.server)["messages"] == CHAT
    assert traced.span()[IMAGE_URL].startswith("memory://")


def test_raw_response(traced: Traced) -> None:
    raw = traced.client.chat.completions.with_raw_response.create(model="m", messages=CHAT)  # type: ignore[arg-type]
    assert raw.headers["x-request-id"] == "req-7"
    assert raw.parse().choices[0].message.content == "hello"
    assert sent(traced.server)["messages"] == CHAT
    traced.span()


def test_azure(traced: Traced) -> None:
    client = openai.AzureOpenAI(
        azure_endpoint=traced.server.url.removesuffix("/v1"),
        api_key="k",
        api_version="2025-01-01",
        azure_deployment="d",
    )
    client.chat.completions.create(model="m", messages=CHAT)  # type: ignore[arg-type]
    assert sent(traced.server)["messages"] == CHAT
    traced.span()


def test_responses(traced: Traced) -> None:
    traced.server.answers = [Answer(body=RESPONSE)]
    traced.client.responses.create(model="m", input=RESPONSES)  # type: ignore[arg-type]
    assert sent(traced.server)["input"] == RESPONSES
    traced.span()


def test_a_picture_in_the_output_of_a_tool(traced: Traced) -> None:
    """The instrumentor records it as text only, so that nothing but the queue keeps its payload."""
    traced.server.answers = [Answer(body=RESPONSE)]
    given = [
        {
            "type": "function_call_output",
            "call_id": "c",
            "output": [{"type": "input_image", "image_url": URI}],
        }
    ]
    traced.client.responses.create(model="m", input=given)  # type: ignore[arg-type]
    assert sent(traced.server)["input"] == given
    traced.span()


@pytest.mark.parametrize("kind", ["bytes", "stream", "named"])
def test_the_files_of_an_image_edit(traced: Traced, kind: str) -> None:
    traced.server.answers = [Answer(body={"created": 1, "data": [{"url": "https://host/a.png"}]})]
    stream = io.BytesIO(PNG)
    file: Any = {"bytes": PNG, "stream": stream, "named": ("a.png", PNG, "image/png")}[kind]
    traced.client.images.edit(model="m", image=file, prompt="p")
    assert sent(traced.server)["image"] == PNG
    assert traced.span()["input.images.0.image.url"].startswith("memory://")


def test_an_error_of_the_provider_reaches_the_caller_as_it_is(traced: Traced) -> None:
    traced.server.answers = [error(400, "the picture is too large", code="bad_image")]
    with pytest.raises(openai.BadRequestError, match="the picture is too large"):
        traced.client.chat.completions.create(model="m", messages=CHAT)  # type: ignore[arg-type]
    assert traced.span()[IMAGE_URL].startswith("memory://")


def test_a_bug_in_the_deferral_leaves_call_and_span(traced: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*_: object) -> None:
        raise RuntimeError("oh")

    monkeypatch.setattr(openai_requests, "held_in_tree", bug)
    answer = traced.client.chat.completions.create(model="m", messages=CHAT)  # type: ignore[arg-type]
    assert answer.choices[0].message.content == "hello"
    assert sent(traced.server)["messages"] == CHAT
    assert traced.provider.force_flush()
    (span,) = traced.destination.received.spans
    assert "iVBOR" not in repr(dict(span.attributes or {}))


def test_a_request_that_is_cancelled(traced: Traced) -> None:
    traced.server.answers = [Answer(hold=True)]

    async def cancelled() -> None:
        client = openai.AsyncOpenAI(base_url=traced.server.url, api_key="k", max_retries=0)
        task = asyncio.create_task(client.chat.completions.create(model="m", messages=CHAT))  # type: ignore[arg-type]
        while not traced.server.requests:  # noqa: ASYNC110 - another thread fills it
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.close()

    asyncio.run(cancelled())
    assert traced.span()[IMAGE_URL].startswith("memory://")


def test_an_instrumentor_that_was_there_before_defers_as_well(server: ChatServer) -> None:
    traced = Traced(server)
    try:
        assert defer_openai_pictures()
        traced.client.chat.completions.create(model="m", messages=CHAT)  # type: ignore[arg-type]
        assert traced.span()[IMAGE_URL].startswith("memory://")
    finally:
        restore_openai_pictures()
        OpenAIInstrumentor().uninstrument()
        traced.processor.shutdown()


def test_everything_is_put_back(server: ChatServer) -> None:
    names = ("_parse_request_args", "get_attributes_from_image_files")
    before = [getattr(instrumentor_module, name) for name in names]
    assert defer_openai_pictures()
    assert defer_openai_pictures()
    assert [getattr(instrumentor_module, name) for name in names] != before
    restore_openai_pictures()
    restore_openai_pictures()
    assert [getattr(instrumentor_module, name) for name in names] == before


def test_what_someone_wrapped_since_stays_and_does_nothing(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert defer_openai_pictures()
    ours = instrumentor_module._parse_request_args
    monkeypatch.setattr(instrumentor_module, "_parse_request_args", lambda arguments: ours(arguments))
    restore_openai_pictures()
    received = MemoryDestination().received
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(received))
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    try:
        client = openai.OpenAI(base_url=server.url, api_key="k")
        client.chat.completions.create(model="m", messages=CHAT)  # type: ignore[arg-type]
    finally:
        OpenAIInstrumentor().uninstrument()
    assert base64.b64encode(PNG).decode() in repr(dict(received.spans[0].attributes or {}))


def test_an_instrumentor_that_reads_requests_in_another_way_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(instrumentor_module, "_parse_request_args")
    assert not defer_openai_pictures()


def test_without_the_instrumentor_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_requests, "_MODULE", "openinference.instrumentation.absent")
    assert not defer_openai_pictures()
