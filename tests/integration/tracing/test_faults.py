"""Whatever fails behind it, an application is left alone, and its spans arrive without the picture."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import openai
import pytest
from chat_server import ChatServer, completion
from opentelemetry.sdk.trace import TracerProvider
from otlp_receiver import OtlpReceiver
from tracing_doubles import IMAGE_URL, closed_gate, png, uri, wait_until

import vlmops
from vlmops.media import FolderStore
from vlmops.tracing import PictureExporter, PictureProcessor, Tracing, TracingOptions, trace_destination
from vlmops.tracing.held import PAYLOADS

pytestmark = pytest.mark.integration

Start = Callable[..., Tracing]


@pytest.fixture
def start(tmp_path: Path, receiver: OtlpReceiver) -> Iterator[Start]:
    """Instruments this process with the receiver as its Phoenix."""
    started: list[Tracing] = []

    def begin(store: str | Path = tmp_path / "media", url: str = receiver.url) -> Tracing:
        provider = TracerProvider(shutdown_on_exit=False)
        made = vlmops.instrument("phoenix", url=url, media_store=str(store), tracer_provider=provider)
        started.append(made)
        return made

    yield begin
    for tracing in started:
        tracing.shutdown()


@pytest.fixture
def model() -> Iterator[ChatServer]:
    server = ChatServer()
    server.answers = [completion("hello")]
    yield server
    server.close()


def ask(model: ChatServer, number: int = 0, side: int = 64) -> None:
    """A call that must succeed."""
    client = openai.OpenAI(base_url=model.url, api_key="k", max_retries=0)
    part = {"type": "image_url", "image_url": {"url": uri(png(number, side))}}
    answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": [part]}])  # type: ignore[list-item,misc]
    assert answer.choices[0].message.content == "hello"


def noted(receiver: OtlpReceiver) -> list[str]:
    """What stands in the place of the pictures."""
    return [span["attributes"][IMAGE_URL] for span in receiver.spans]


def test_a_store_that_cannot_be_written(
    start: Start, model: ChatServer, receiver: OtlpReceiver, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    tracing = start(tmp_path / "file" / "media")
    ask(model)
    assert tracing.flush()
    (note,) = noted(receiver)
    assert note.startswith("[picture not kept: media store")
    assert tracing.counts["phoenix"].pictures_not_kept == 1


def test_a_full_disk(
    start: Start, model: ChatServer, receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    tracing = start()
    monkeypatch.setattr(os, "fsync", full)
    ask(model, 1)
    assert tracing.flush()
    assert "No space left on device" in noted(receiver)[0]
    monkeypatch.undo()
    ask(model, 2)
    assert tracing.flush()
    assert noted(receiver)[1].startswith("/vlmops/media/")


def test_a_store_that_takes_five_seconds_delays_spans_and_nothing_else(
    start: Start, model: ChatServer, receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FolderStore.put
    with closed_gate() as slow:

        def put(store: FolderStore, data: bytes, media_type: str) -> object:
            slow()
            return real(store, data, media_type)

        monkeypatch.setattr(FolderStore, "put", put)
        tracing = start()
        for number in range(5):
            ask(model, number)
        slow.reached.wait(20)
        assert receiver.spans == []
        slow.open()
        assert tracing.flush()
    assert all(note.startswith("/vlmops/media/") for note in noted(receiver))
    assert len(receiver.spans) == 5


def test_a_store_that_hangs_costs_pictures_and_no_spans(
    model: ChatServer, receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with closed_gate() as hanging:
        monkeypatch.setattr(FolderStore, "put", lambda *_: hanging())
        shared = TracingOptions(media_store=str(tmp_path / "media"))
        destination = trace_destination("phoenix", shared, url=receiver.url)
        processor = PictureProcessor(PictureExporter(destination, patience=0.1))
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(processor)
        for number in range(30):
            provider.get_tracer("t").start_span("s", attributes={IMAGE_URL: uri(png(number))}).end()
        assert processor.force_flush()
        assert len(receiver.spans) == 30
        reasons = {
            note.removeprefix("[picture not kept: the store ").split(" ")[0] for note in noted(receiver)
        }
        assert reasons == {"took", "did"}
        processor.shutdown()


@pytest.mark.parametrize("status", [500, 400, 413])
def test_a_platform_that_refuses(
    start: Start, model: ChatServer, receiver: OtlpReceiver, status: int
) -> None:
    receiver.status = status
    tracing = start()
    ask(model, 1)
    assert tracing.flush()
    assert tracing.counts["phoenix"].spans_failed == 1
    receiver.status = 200
    ask(model, 2)
    assert tracing.flush()
    assert len(receiver.spans) == 1
    assert tracing.counts["phoenix"].spans_exported == 1


def test_a_platform_that_is_away_for_a_moment_loses_nothing(
    start: Start, model: ChatServer, receiver: OtlpReceiver
) -> None:
    receiver.status = 503
    tracing = start()
    ask(model)
    wait_until(lambda: receiver.refused > 0)
    receiver.status = 200
    assert tracing.flush()
    assert len(receiver.spans) == 1


def test_a_platform_that_is_dead_costs_bounded_memory_and_no_time(
    start: Start, model: ChatServer, receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(PAYLOADS, "_max_bytes", 2_000_000)
    with closed_gate() as dead:
        destination = trace_destination(
            "phoenix", TracingOptions(media_store=str(tmp_path / "m")), url=receiver.url
        )
        exporter = PictureExporter(destination)
        monkeypatch.setattr(exporter, "_send", lambda batch: dead())
        processor = PictureProcessor(exporter, max_spans=50, shutdown_seconds=0.1)
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(processor)
        with vlmops.instrument(destination, tracer_provider=provider):
            provider.get_tracer("t").start_span("under way").end()
            dead.reached.wait(20)
            for number in range(80):
                ask(model, number, side=128)
            counts = processor.counts
            assert counts.spans_waiting == 50
            assert counts.spans_dropped == 30
            assert counts.bytes_waiting < 3_000_000
            assert PAYLOADS.byte_length <= 2_000_000
            assert len(model.requests) == 80
            dead.open()
        processor.shutdown()


def test_nobody_listens_and_the_process_ends_all_the_same(make_application: Callable) -> None:
    application = make_application(PHOENIX_ENDPOINT="http://127.0.0.1:9")
    said = application.run(
        "vlmops.instrument('phoenix', openai=False)\n"
        "for number in range(5): span(str(number), number)\n"
        "print('done')\n"
    )
    assert said.startswith("done")
    assert application.stored == 5


def test_one_platform_that_is_dead_does_not_hold_up_the_other(
    start: Start, model: ChatServer, receiver: OtlpReceiver, tmp_path: Path
) -> None:
    other = OtlpReceiver()
    try:
        provider = TracerProvider(shutdown_on_exit=False)
        dead = trace_destination(
            "phoenix", TracingOptions(media_store=str(tmp_path / "a")), url="http://127.0.0.1:9"
        )
        alive = trace_destination("phoenix", TracingOptions(media_store=str(tmp_path / "b")), url=other.url)
        dead.name = "dead"  # type: ignore[misc]
        with vlmops.instrument(dead, alive, tracer_provider=provider):
            ask(model)
            wait_until(lambda: len(other.spans) == 1)
    finally:
        other.close()


def test_a_large_answer_is_split_from_the_rest(start: Start, receiver: OtlpReceiver) -> None:
    tracing = start()
    tracer = tracing.tracer_provider.get_tracer("t")
    for number in range(10):
        tracer.start_span(str(number), attributes={"output.value": "text " * 200_000}).end()
    assert tracing.flush()
    assert len(receiver.spans) == 10
    assert max(receiver.sizes) < 4_200_000
