"""A destination that keeps pictures in memory, and ways to make it misbehave."""

from __future__ import annotations

import base64
import io
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from PIL import Image as Pillow

from vlmops.images import Image
from vlmops.tracing import Attachment, Attributes, TracedPicture

IMAGE_URL = "llm.input_messages.0.message.contents.0.message_content.image.image.url"


class PlainDialect:
    """Arranges nothing."""

    def arrange(self, attributes: Attributes, pictures: Sequence[TracedPicture]) -> Attributes:
        return attributes

    def facts(self, facts: Mapping[str, Any]) -> Attributes:
        return dict(facts)


class Received(SpanExporter):
    """Keeps what it gets, in batches; ``before`` may wait, raise, or answer a failure."""

    def __init__(self, before: Callable[[], SpanExportResult | None] | None = None) -> None:
        self.batches: list[list[ReadableSpan]] = []
        self.before = before
        self.is_shut_down = False

    @property
    def spans(self) -> list[ReadableSpan]:
        return [span for batch in list(self.batches) for span in batch]

    def named(self, name: str) -> dict[str, Any]:
        """The attributes of the one span of that name."""
        (found,) = [span for span in self.spans if span.name == name]
        return dict(found.attributes or {})

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        answer = self.before() if self.before is not None else None
        if answer is not SpanExportResult.FAILURE:
            self.batches.append(list(spans))
        return answer or SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self.is_shut_down = True

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True


class MemoryDestination:
    """Stores pictures in a dict; ``before`` runs in each call of ``keep``."""

    name = "memory"
    resource: Mapping[str, str] = {}

    def __init__(self, before: Callable[[], None] | None = None) -> None:
        self.dialect = PlainDialect()
        self.received = Received()
        self.kept: dict[str, Image] = {}
        self.calls: list[tuple[str, str, str]] = []
        self.before = before
        self.renewed = 0
        self.is_shut_down = False

    def exporter(self) -> SpanExporter:
        return self.received

    def keep(self, image: Image, *, trace_id: str, span_id: str, field: str) -> str:
        if self.before is not None:
            self.before()
        self.kept[image.sha256] = image
        self.calls.append((trace_id, span_id, field))
        return f"memory://{image.sha256}"

    def attach(self, provider: TracerProvider, processor: Any) -> Attachment:
        provider.add_span_processor(processor)
        return Attachment(flush=lambda milliseconds: True, detach=lambda: None)

    def renew(self) -> None:
        self.renewed += 1

    def shutdown(self) -> None:
        self.is_shut_down = True


class Gate:
    """Makes callers wait until it is opened; a test opens it at its end, whatever happens."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self.reached = threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        self._open.wait(60)

    def open(self) -> None:
        self._open.set()


@contextmanager
def closed_gate() -> Iterator[Gate]:
    gate = Gate()
    try:
        yield gate
    finally:
        gate.open()


def wait_until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for what another thread does; fails when it does not happen."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def png(number: int = 0, side: int = 64) -> bytes:
    """A picture of noise, with content of its own; ``side`` x ``side`` pixels, about three bytes each."""
    import numpy as np

    noise = np.random.default_rng(number).integers(0, 256, (side, side, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Pillow.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


def uri(data: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"
