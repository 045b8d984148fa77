"""The queue between the application's threads and the exporter."""

from __future__ import annotations

import json
import logging
import threading

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from tracing_doubles import Received, closed_gate, wait_until

from vlmops.tracing import PictureProcessor
from vlmops.tracing.held import HeldPayloads
from vlmops.tracing.processor import DROPPED_SPANS


class Traced:
    """A provider with a processor in front of an exporter that keeps what it gets."""

    def __init__(self, received: Received | None = None, **options: object) -> None:
        self.received = received or Received()
        self.processor = PictureProcessor(self.received, **{"delay": 0.01, **options})  # type: ignore[arg-type]
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(self.processor)
        self.tracer = self.provider.get_tracer("test")

    def span(self, name: str, **attributes: object) -> None:
        self.tracer.start_span(name, attributes=attributes).end()  # type: ignore[arg-type]

    def names(self) -> list[str]:
        return [span.name for span in self.received.spans]


def test_spans_are_exported_in_order_without_a_flush() -> None:
    traced = Traced()
    for number in range(10):
        traced.span(str(number))
    wait_until(lambda: len(traced.received.spans) == 10)
    assert traced.names() == [str(number) for number in range(10)]
    traced.processor.shutdown()


def test_a_flush_waits_for_what_has_ended_so_far() -> None:
    traced = Traced(delay=60)
    traced.span("a")
    traced.span("b")
    assert traced.processor.force_flush(20_000)
    assert traced.names() == ["a", "b"]
    assert traced.processor.counts.spans_waiting == 0
    assert traced.processor.force_flush(0)
    traced.processor.shutdown()


def test_a_flush_says_when_it_was_not_done_in_time() -> None:
    with closed_gate() as dead:
        traced = Traced(Received(before=dead), shutdown_seconds=0.05)
        traced.span("a")
        assert not traced.processor.force_flush(50)
        dead.open()
        assert traced.processor.force_flush(20_000)
        traced.processor.shutdown()


def test_ending_a_span_never_waits_for_a_dead_platform_and_drops_are_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with closed_gate() as dead, caplog.at_level(logging.WARNING):
        traced = Traced(Received(before=dead), max_spans=5)
        traced.span("under way")
        dead.reached.wait(20)
        for number in range(12):
            traced.span(str(number))
        assert traced.processor.counts.spans_dropped == 7
        assert traced.processor.counts.spans_waiting == 5
        assert sum("dropped" in record.message for record in caplog.records) == 1
        dead.open()
        traced.processor.force_flush(20_000)
        assert traced.names() == ["under way", "0", "1", "2", "3", "4"]
        assert traced.received.named("0")[DROPPED_SPANS] == 7
        assert DROPPED_SPANS not in traced.received.named("1")
        traced.processor.shutdown()


def test_the_queue_is_bounded_in_bytes() -> None:
    with closed_gate() as dead:
        traced = Traced(Received(before=dead), max_bytes=100_000)
        traced.span("under way")
        dead.reached.wait(20)
        for number in range(10):
            traced.span(str(number), text="x" * 30_000)
        counts = traced.processor.counts
        assert (counts.spans_waiting, counts.spans_dropped) == (3, 7)
        assert counts.bytes_waiting <= 100_000
        dead.open()
        traced.processor.shutdown()


@pytest.mark.parametrize("error", [ValueError("a bug"), SystemExit(1), KeyboardInterrupt()])
def test_an_exporter_that_raises_costs_its_batch_and_the_thread_goes_on(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    failures = [error]

    def fail_once() -> None:
        if failures:
            raise failures.pop()

    traced = Traced(Received(before=fail_once))
    traced.span("lost")
    traced.processor.force_flush(20_000)
    traced.span("next")
    assert traced.processor.force_flush(20_000)
    assert traced.names() == ["next"]
    assert traced.processor.counts.spans_failed == 1
    traced.processor.shutdown()


def test_a_thread_that_was_killed_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    traced = Traced()
    traced.span("a")
    traced.processor.force_flush(20_000)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    real = traced.processor._export_batch

    def killed() -> int:
        monkeypatch.setattr(traced.processor, "_export_batch", real)
        raise SystemExit

    monkeypatch.setattr(traced.processor, "_export_batch", killed)
    thread = traced.processor._thread
    assert thread is not None
    thread.join(20)
    traced.span("b")
    assert traced.processor.force_flush(20_000)
    assert traced.names() == ["a", "b"]
    traced.processor.shutdown()


def test_spans_that_are_not_sampled_are_not_exported() -> None:
    received = Received()
    processor = PictureProcessor(received)
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    provider.add_span_processor(processor)
    provider.get_tracer("test").start_span("a").end()
    assert processor.force_flush(1000)
    assert received.spans == []
    processor.shutdown()


def test_shutting_down_exports_what_is_left_and_silences_what_comes_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    traced = Traced(delay=60)
    traced.span("a")
    traced.provider.shutdown()
    traced.processor.shutdown()
    assert traced.names() == ["a"]
    assert traced.received.is_shut_down
    with caplog.at_level(logging.WARNING):
        traced.span("late")
        assert traced.processor.force_flush(1000)
    assert traced.names() == ["a"]
    assert not caplog.records


def test_shutting_down_does_not_wait_longer_than_it_may() -> None:
    with closed_gate() as dead:
        traced = Traced(Received(before=dead), shutdown_seconds=0.05)
        traced.span("a")
        traced.processor.shutdown()
        assert traced.received.is_shut_down


def test_pictures_whose_placeholders_stand_in_text_live_as_long_as_the_span_waits() -> None:
    payloads = HeldPayloads()
    seen: list[object] = []
    with closed_gate() as slow:
        traced = Traced(Received(before=slow), payloads=payloads)
        traced.span("under way")
        slow.reached.wait(20)
        placeholder = payloads.hold("data:image/png;base64," + "A" * 1000)
        text = json.dumps({"image": placeholder})
        traced.span("a", text=text)
        del placeholder
        assert payloads.count == 1
        traced.received.before = lambda: seen.append(payloads.count)  # type: ignore[func-returns-value]
        slow.open()
        traced.processor.force_flush(20_000)
        assert seen == [1]
        wait_until(lambda: payloads.count == 0)
        traced.processor.shutdown()


def test_a_failed_batch_is_counted_once_by_an_exporter_without_counts_of_its_own() -> None:
    traced = Traced(Received(before=lambda: SpanExportResult.FAILURE))
    traced.span("a")
    traced.processor.force_flush(20_000)
    traced.span("b")
    traced.processor.force_flush(20_000)
    assert traced.received.spans == []
    assert traced.processor.counts.spans_failed == 2
    traced.processor.shutdown()
