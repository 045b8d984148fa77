"""``vlmops.instrument``: one line, its handle, and what it leaves behind."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import openai
import pytest
from chat_server import ChatServer, completion
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.util._once import Once
from tracing_doubles import IMAGE_URL, MemoryDestination, png, uri

import vlmops
from vlmops.errors import PrerequisiteError, UsageError
from vlmops.tracing import PicturePolicy, Redaction, TraceContext, TracingOptions, trace_destination

CHAT = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": uri(png())}}]}]


@pytest.fixture(autouse=True)
def no_global_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins as a new process does."""
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())


@pytest.fixture
def server() -> Iterator[ChatServer]:
    server = ChatServer()
    server.answers = [completion("hello")]
    yield server
    server.close()


@pytest.fixture
def destination() -> MemoryDestination:
    return MemoryDestination()


def ask(server: ChatServer) -> None:
    openai.OpenAI(base_url=server.url, api_key="k").chat.completions.create(model="m", messages=CHAT)  # type: ignore[arg-type]


def test_one_line_traces_calls_with_their_pictures(
    server: ChatServer, destination: MemoryDestination
) -> None:
    with vlmops.instrument(destination, environment="staging", release="1.2") as tracing:
        ask(server)
        assert tracing.flush()
        assert tracing.counts["memory"].pictures_kept == 1
    attributes = destination.received.named("ChatCompletion")
    assert attributes[IMAGE_URL].startswith("memory://")
    assert attributes["vlmops.environment"] == "staging"
    assert attributes["vlmops.release"] == "1.2"


def test_afterwards_the_process_is_as_it_was(server: ChatServer, destination: MemoryDestination) -> None:
    before = openai.OpenAI.request
    tracing = vlmops.instrument(destination)
    assert openai.OpenAI.request is not before
    tracing.shutdown()
    tracing.shutdown()
    assert openai.OpenAI.request is before
    assert not OpenAIInstrumentor().is_instrumented_by_opentelemetry
    assert destination.is_shut_down
    ask(server)
    assert destination.received.spans == []


def test_a_second_call_for_the_same_platform_changes_nothing(
    server: ChatServer, destination: MemoryDestination
) -> None:
    with vlmops.instrument(destination) as first:
        second = vlmops.instrument(destination)
        assert second.platforms == first.platforms == ("memory",)
        ask(server)
        second.flush()
    assert len(destination.received.spans) == 1


def test_it_can_be_started_again_after_its_end(server: ChatServer) -> None:
    for _ in range(2):
        destination = MemoryDestination()
        with vlmops.instrument(destination):
            ask(server)
        assert len(destination.received.spans) == 1


def test_several_platforms_get_every_span(server: ChatServer) -> None:
    first, second = MemoryDestination(), MemoryDestination()
    second.name = "second"
    with vlmops.instrument(first, second) as tracing:
        ask(server)
    assert tracing.platforms == ("memory", "second")
    assert len(first.received.spans) == len(second.received.spans) == 1
    assert first.kept.keys() == second.kept.keys()


def test_an_instrumentor_of_the_application_stays_the_applications(
    server: ChatServer, destination: MemoryDestination
) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    try:
        with vlmops.instrument(destination, tracer_provider=provider):
            ask(server)
        assert destination.received.named("ChatCompletion")[IMAGE_URL].startswith("memory://")
        assert OpenAIInstrumentor().is_instrumented_by_opentelemetry
    finally:
        OpenAIInstrumentor().uninstrument()


def test_the_global_provider_is_used_or_made(destination: MemoryDestination) -> None:
    with vlmops.instrument(destination, openai=False) as tracing:
        assert trace.get_tracer_provider() is tracing.tracer_provider
        trace.get_tracer("mine").start_span("mine").end()
    assert destination.received.named("mine") is not None
    again = MemoryDestination()
    with vlmops.instrument(again, openai=False) as other:
        assert other.tracer_provider is tracing.tracer_provider


def test_openai_is_left_alone_where_asked(server: ChatServer, destination: MemoryDestination) -> None:
    before = openai.OpenAI.request
    with vlmops.instrument(destination, openai=False):
        assert openai.OpenAI.request is before


def test_without_the_instrumentor_a_line_says_what_to_install(
    destination: MemoryDestination, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "openinference.instrumentation.openai", None)
    with caplog.at_level(logging.WARNING), vlmops.instrument(destination):
        assert "pip install openinference-instrumentation-openai" in caplog.text


def test_policy_and_redaction(server: ChatServer) -> None:
    for options, note in (
        ({"policy": "none"}, "by policy"),
        ({"policy": PicturePolicy(environments={"prod": "hash"}), "environment": "prod"}, "sha256"),
        ({"redact": lambda image, found: Redaction.drop("a face")}, "a face"),
    ):
        destination = MemoryDestination()
        with vlmops.instrument(destination, **options):  # type: ignore[arg-type]
            ask(server)
        assert note in destination.received.named("ChatCompletion")[IMAGE_URL]
        assert destination.kept == {}


def test_sampling_takes_whole_traces(destination: MemoryDestination) -> None:
    with vlmops.instrument(destination, sampling=0.0, openai=False) as tracing:
        tracing.tracer_provider.get_tracer("t").start_span("a").end()
    assert destination.received.spans == []


def test_more_context_is_on_every_span(server: ChatServer, destination: MemoryDestination) -> None:
    with vlmops.instrument(destination, context=TraceContext(prompt_name="parts", commit="abc")):
        ask(server)
    attributes = destination.received.named("ChatCompletion")
    assert (attributes["vlmops.prompt.name"], attributes["vlmops.commit"]) == ("parts", "abc")


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((), {}, "needs a platform"),
        (("nowhere",), {}, "no platform is named 'nowhere'"),
        (("phoenix",), {"colour": 1}, "phoenix: .*colour"),
        (("phoenix", "langfuse"), {"url": "http://host"}, "url: call instrument"),
        (("folder",), {}, "takes no traces"),
        (("phoenix",), {"policy": "most"}, "no level"),
        (("phoenix",), {"sampling": 2}, "must be 0 to 1"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_changed(
    arguments: tuple[str, ...], options: dict, message: str
) -> None:
    before = openai.OpenAI.request
    with pytest.raises(UsageError, match=message):
        vlmops.instrument(*arguments, **options)
    assert openai.OpenAI.request is before


def test_sampling_with_a_provider_of_the_application_is_an_error(destination: MemoryDestination) -> None:
    trace.set_tracer_provider(TracerProvider(shutdown_on_exit=False))
    with pytest.raises(UsageError, match="its own sampler decides"):
        vlmops.instrument(destination, sampling=0.5)


def test_keys_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANGFUSE_PUBLIC_KEY", raising=False)
    with pytest.raises(PrerequisiteError, match="LANGFUSE_PUBLIC_KEY"):
        vlmops.instrument("langfuse")


def test_destinations_take_what_is_common_to_all() -> None:
    shared = TracingOptions(project="p", environment="e", release="r")
    phoenix = trace_destination("phoenix", shared, url="http://localhost:6006")
    langfuse = trace_destination(
        "langfuse", shared, url="http://localhost:3000", public_key="p", secret_key="s"
    )
    assert phoenix.resource == {"openinference.project.name": "p"}
    assert langfuse.resource == {"langfuse.environment": "e", "langfuse.release": "r"}
    langfuse.shutdown()
