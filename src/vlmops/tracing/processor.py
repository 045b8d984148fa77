"""Takes finished spans off the application's thread, and exports them from another one."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import SpanExportResult

from vlmops.tracing.counts import Counter
from vlmops.tracing.held import PAYLOADS
from vlmops.tracing.lifecycle import after_fork, at_exit
from vlmops.tracing.own_errors import report
from vlmops.tracing.span_copy import span_bytes, with_attributes
from vlmops.tracing.suppression import uninstrumented

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span
    from opentelemetry.sdk.trace.export import SpanExporter

    from vlmops.tracing.counts import TracingCounts
    from vlmops.tracing.held import Held, HeldPayloads

MAX_SPANS = 4_096
MAX_BYTES = 128 * 1024 * 1024
DROPPED_SPANS = "vlmops.dropped_spans"
"""On a span: how many spans before it were dropped for want of room."""

_BATCH_SPANS = 256
_BATCH_BYTES = 16 * 1024 * 1024
_DELAY_S = 1.0
_SHUTDOWN_S = 10.0
_LOG_EVERY_S = 30.0

_logger = logging.getLogger(__name__)


class PictureProcessor(SpanProcessor):
    """A bounded queue in front of an exporter, with a thread of its own.

    Ending a span costs the application's thread a look at its size. What there is no room for is dropped and
    counted: the counts are logged, stand on the next span that is exported, and are in :attr:`counts`. All is
    exported when the interpreter ends, and a forked child starts with an empty queue of its own.

    Args:
        exporter: Usually a :class:`~vlmops.tracing.PictureExporter`.
        max_spans: Spans that wait, at most.
        max_bytes: Bytes of the spans that wait, at most; pictures held for them have a limit of their own
            (see :class:`~vlmops.tracing.held.HeldPayloads`).
        delay: Seconds a span waits for others to travel with, at most.
        shutdown_seconds: How long the end of the process may be delayed by spans that are not exported yet.
        payloads: Where pictures are held.

    Example:
        >>> from opentelemetry.sdk.trace import TracerProvider
        >>> from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        >>> memory, provider = InMemorySpanExporter(), TracerProvider()
        >>> provider.add_span_processor(PictureProcessor(memory))
        >>> provider.get_tracer("doctest").start_span("answer").end()
        >>> provider.force_flush(), [span.name for span in memory.get_finished_spans()]
        (True, ['answer'])
        >>> provider.shutdown()
    """

    _flush_until: int

    def __init__(
        self,
        exporter: SpanExporter,
        *,
        max_spans: int = MAX_SPANS,
        max_bytes: int = MAX_BYTES,
        delay: float = _DELAY_S,
        shutdown_seconds: float = _SHUTDOWN_S,
        payloads: HeldPayloads = PAYLOADS,
    ) -> None:
        self.exporter = exporter
        self._max_spans = max_spans
        self._max_bytes = max_bytes
        self._delay = delay
        self._shutdown_seconds = shutdown_seconds
        self._payloads = payloads
        counter = getattr(exporter, "counter", None)
        self._counter: Counter = counter or Counter()
        self._exporter_counts = counter is not None
        self._begin()
        self._is_shut_down = False
        after_fork(self._after_fork)
        self._forget_exit = at_exit(self.shutdown)

    @property
    def counts(self) -> TracingCounts:
        """What became of spans and pictures so far."""
        with self._changed:
            waiting, size = len(self._queue), self._queued_bytes
        return self._counter.taken(
            payloads_refused=self._payloads.refused,
            spans_waiting=waiting,
            bytes_waiting=size + self._payloads.byte_length,
        )

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing: only finished spans are of interest."""

    def on_end(self, span: ReadableSpan) -> None:
        """Put a finished span into the queue; never waits and never raises."""
        try:
            if span.context is not None and span.context.trace_flags.sampled:
                self._enqueue(span)
        except Exception as error:  # noqa: BLE001 - tracing never breaks the application
            report(_logger, "a span could not be queued", error)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Export what is queued now.

        Returns:
            Whether it was done in time.
        """
        deadline = time.monotonic() + timeout_millis / 1000
        with self._changed:
            if not self._queue and not self._under_way:
                return True
            goal = self._entered
        if not self._ensure_thread():
            self._drain(deadline)
        with self._changed:
            self._flush_until = max(self._flush_until, goal)
            self._changed.notify_all()
            return self._changed.wait_for(
                lambda: self._done >= goal, timeout=max(0.0, deadline - time.monotonic())
            )

    def shutdown(self) -> None:
        """Export what is queued, within ``shutdown_seconds``, and end; spans that end later are dropped."""
        if self._is_shut_down:
            return
        self._is_shut_down = True
        self._forget_exit()
        flushed = self.force_flush(int(self._shutdown_seconds * 1000))
        with self._changed:
            self._closed = True
            left = len(self._queue)
            self._changed.notify_all()
        # Aborts the retries of a platform that is dead, for which the thread may still be waiting.
        self.exporter.shutdown()
        counts = self.counts
        if not flushed:
            _logger.warning("%d spans were not exported before the end", left)
        if counts.lost or counts.pictures_not_kept:
            _logger.warning("tracing ended: %s", counts)

    def _begin(self) -> None:
        self._queue: deque[tuple[ReadableSpan, int, list[Held]]] = deque()
        self._changed = threading.Condition(threading.Lock())
        self._queued_bytes = 0
        self._entered = 0
        self._done = 0
        self._under_way = 0
        self._flush_until = 0
        self._closed = False
        self._dropped_untold = 0
        self._log_after = 0.0
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()

    def _enqueue(self, span: ReadableSpan) -> None:
        size = span_bytes(span)
        alive = self._payloads.within(span)
        with self._changed:
            if self._closed:
                return
            full = len(self._queue) >= self._max_spans or self._queued_bytes + size > self._max_bytes
            if not full:
                self._queue.append((span, size, alive))
                self._queued_bytes += size
                self._entered += 1
                if len(self._queue) >= _BATCH_SPANS or self._queued_bytes >= _BATCH_BYTES:
                    self._changed.notify_all()
        if full:
            self._dropped()
        if self._thread is None or not self._thread.is_alive():
            self._ensure_thread()

    def _dropped(self) -> None:
        self._counter.add("spans_dropped")
        self._dropped_untold += 1
        now = time.monotonic()
        if now >= self._log_after:
            self._log_after = now + _LOG_EVERY_S
            _logger.warning(
                "spans are dropped (%d so far): the platform takes them too slowly, or not at all",
                self._counter.taken().spans_dropped,
            )

    def _ensure_thread(self) -> bool:
        """Whether there is a thread that exports; one that died is replaced."""
        with self._changed:
            if self._thread is not None and self._thread.is_alive():
                return True
            if self._closed:
                return False
            if self._under_way:
                # It died in the middle: what it had taken is lost.
                self._counter.add("spans_failed", self._under_way)
                self._done += self._under_way
                self._under_way = 0
            self._thread = threading.Thread(target=self._run, name="vlmops-traces", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:
                # The interpreter is ending and starts no more threads.
                self._thread = None
                return False
            return True

    def _run(self) -> None:
        changed, deadline = self._changed, time.monotonic() + self._delay
        while True:
            with changed:
                changed.wait_for(self._is_due, timeout=max(0.0, deadline - time.monotonic()))
                if self._closed and not self._queue:
                    return
            self._export_batch()
            with changed:
                deadline = time.monotonic() + (0 if self._queue_is_behind() else self._delay)

    def _is_due(self) -> bool:
        return (
            self._closed
            or len(self._queue) >= _BATCH_SPANS
            or self._queued_bytes >= _BATCH_BYTES
            or self._done + self._under_way < self._flush_until
        )

    def _queue_is_behind(self) -> bool:
        return len(self._queue) >= _BATCH_SPANS or self._queued_bytes >= _BATCH_BYTES

    def _drain(self, deadline: float) -> None:
        """Export on this thread, since there is no other."""
        while time.monotonic() < deadline and self._export_batch():
            pass

    def _export_batch(self) -> int:
        batch, alive = self._take()
        if not batch:
            return 0
        try:
            with uninstrumented():
                result = self.exporter.export(self._told(batch))
            if not self._exporter_counts:
                took = result is SpanExportResult.SUCCESS
                self._counter.add("spans_exported" if took else "spans_failed", len(batch))
        # This thread must outlive every error in an exporter, SystemExit among them.
        except BaseException as error:  # noqa: BLE001 - the thread must go on
            self._counter.add("spans_failed", len(batch))
            report(_logger, f"an exporter failed on {len(batch)} spans", error)
        finally:
            del alive
            with self._changed:
                self._under_way -= len(batch)
                self._done += len(batch)
                self._changed.notify_all()
        return len(batch)

    def _take(self) -> tuple[list[ReadableSpan], list[Held]]:
        spans: list[ReadableSpan] = []
        alive: list[Held] = []
        total = 0
        with self._changed:
            while self._queue and len(spans) < _BATCH_SPANS and total < _BATCH_BYTES:
                span, size, held = self._queue.popleft()
                spans.append(span)
                alive += held
                total += size
            self._queued_bytes -= total
            self._under_way += len(spans)
        return spans, alive

    def _told(self, batch: list[ReadableSpan]) -> list[ReadableSpan]:
        untold, self._dropped_untold = self._dropped_untold, 0
        if untold:
            with suppress(Exception):
                batch[0] = with_attributes(batch[0], {DROPPED_SPANS: untold})
        return batch

    def _after_fork(self) -> None:
        # What was queued is the parent's to export.
        self._begin()
        self._counter.renew()
        if callable(renew := getattr(self.exporter, "renew", None)):
            renew()
