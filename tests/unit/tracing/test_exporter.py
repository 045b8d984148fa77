"""Spans rewritten and handed on, whatever goes wrong with their pictures."""

from __future__ import annotations

import json
import struct
import threading
import zlib

import numpy as np
import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from tracing_doubles import IMAGE_URL, MemoryDestination, Received, closed_gate, png, uri

from vlmops import Image
from vlmops.errors import MediaError
from vlmops.tracing import PictureExporter, PicturePolicy, PictureReader, hold_picture
from vlmops.tracing.exporter import batches
from vlmops.tracing.held import PAYLOADS, HeldPayloads


def exported(destination: MemoryDestination, exporter: PictureExporter, **attributes: object) -> dict:
    """The attributes of one span after its way through the exporter."""
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    span = tracer.start_span("span", attributes=attributes)  # type: ignore[arg-type]
    span.end()
    assert exporter.export([span]) is SpanExportResult.SUCCESS  # type: ignore[list-item]
    return dict(destination.received.spans[-1].attributes or {})


@pytest.fixture
def destination() -> MemoryDestination:
    return MemoryDestination()


def test_a_picture_is_stored_and_its_reference_is_written_everywhere(destination: MemoryDestination) -> None:
    picture = uri(png())
    body = json.dumps({"messages": [{"content": [{"image_url": {"url": picture}}]}]})
    attributes = exported(
        destination, PictureExporter(destination), **{"input.value": body, IMAGE_URL: picture}
    )
    (image,) = destination.kept.values()
    assert image.read() == png()
    assert attributes[IMAGE_URL] == f"memory://{image.sha256}"
    assert f"memory://{image.sha256}" in attributes["input.value"]
    assert not any("iVBOR" in str(value) for value in attributes.values())
    assert len(destination.calls) == 1


@pytest.mark.parametrize(
    "picture", [uri(png()), png(), np.zeros((40, 40, 3), np.uint8)], ids=["data URI", "bytes", "array"]
)
def test_a_held_picture_is_the_picture(destination: MemoryDestination, picture: object) -> None:
    attributes = exported(destination, PictureExporter(destination), **{IMAGE_URL: hold_picture(picture)})
    (image,) = destination.kept.values()
    assert attributes[IMAGE_URL] == f"memory://{image.sha256}"


def test_a_picture_known_as_text_and_as_placeholder_is_stored_once(destination: MemoryDestination) -> None:
    picture = uri(png())
    held = hold_picture(picture)
    body = json.dumps({"image_url": held})
    exporter = PictureExporter(destination)
    attributes = exported(destination, exporter, **{"input.value": body, IMAGE_URL: held, "note": picture})
    assert len(destination.calls) == 1
    assert exporter.counter.taken().pictures_kept == 1
    assert "vlmops-held" not in str(attributes)


def test_a_placeholder_whose_picture_is_gone_says_so(destination: MemoryDestination) -> None:
    attributes = exported(
        destination,
        PictureExporter(destination),
        **{IMAGE_URL: "vlmops-held:0000-1", "metadata": "vlmops-held:refused"},
    )
    assert attributes[IMAGE_URL].startswith("[picture not kept: it was no longer in memory")
    assert attributes["metadata"].startswith("[picture not kept: too large")


@pytest.mark.parametrize(
    ("before", "note"),
    [
        (MediaError("the disk is full"), "the disk is full"),
        (RuntimeError("secret detail"), "internal error (RuntimeError)"),
    ],
)
def test_a_store_that_fails_costs_the_picture_and_not_the_span(before: Exception, note: str) -> None:
    def fail() -> None:
        raise before

    destination = MemoryDestination(fail)
    exporter = PictureExporter(destination)
    attributes = exported(destination, exporter, **{IMAGE_URL: uri(png()), "answer": "42"})
    assert attributes["answer"] == "42"
    assert attributes[IMAGE_URL] == f"[picture not kept: {note}]"
    assert exporter.counter.taken().pictures_not_kept == 1


def test_a_slow_store_costs_the_picture_its_patience() -> None:
    with closed_gate() as slow:
        destination = MemoryDestination(slow)
        attributes = exported(
            destination, PictureExporter(destination, patience=0.05), **{IMAGE_URL: uri(png())}
        )
        assert attributes[IMAGE_URL] == "[picture not kept: the store took longer than 0.05 s]"


def test_a_bug_in_the_rewriting_costs_the_pictures_and_not_the_span(
    destination: MemoryDestination, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_: object) -> None:
        raise KeyError("oh")

    monkeypatch.setattr("vlmops.tracing.exporter.rewrite", bug)
    held = hold_picture(png())
    attributes = exported(
        destination,
        PictureExporter(destination),
        **{
            "input.value": "see " + uri(png()),
            "text": json.dumps({"a": held}),
            "tags": ["a", uri(png())],
            "n": 7,
        },
    )
    note = "[picture not kept: internal error (KeyError)]"
    assert attributes["input.value"] == note
    assert attributes["text"] == json.dumps({"a": note})
    assert attributes["tags"] == ("a", note)
    assert attributes["n"] == 7


def test_the_policy_is_heeded(destination: MemoryDestination) -> None:
    reader = PictureReader(PicturePolicy(environments={"production": "hash"}), environment="production")
    attributes = exported(destination, PictureExporter(destination, reader=reader), **{IMAGE_URL: uri(png())})
    assert destination.kept == {}
    assert attributes[IMAGE_URL].startswith("[picture not kept by policy: sha256")


def test_an_address_is_recorded_and_never_asked(destination: MemoryDestination) -> None:
    address = "http://169.254.169.254/latest/meta-data"
    attributes = exported(destination, PictureExporter(destination), **{IMAGE_URL: address})
    assert attributes[IMAGE_URL] == address
    assert destination.kept == {}


def test_two_platforms_share_one_reading() -> None:
    seen: list[str] = []

    class Counting(PicturePolicy):
        def treat(self, image, found, level=None):  # type: ignore[no-untyped-def]
            seen.append(image.sha256)
            return super().treat(image, found, level)

    reader = PictureReader(Counting())
    first, second = MemoryDestination(), MemoryDestination()
    for destination in (first, second):
        exported(destination, PictureExporter(destination, reader=reader), **{IMAGE_URL: uri(png())})
    assert seen.count(Image.from_bytes(png()).sha256) == 1
    assert first.kept.keys() == second.kept.keys()


def test_the_resource_of_the_destination_is_added(destination: MemoryDestination) -> None:
    destination.resource = {"project": "p"}
    provider = TracerProvider(
        resource=Resource({"service.name": "s", "project": "old"}), shutdown_on_exit=False
    )
    span = provider.get_tracer("test").start_span("span")
    span.end()
    PictureExporter(destination).export([span])  # type: ignore[list-item]
    assert dict(destination.received.spans[0].resource.attributes) == {"service.name": "s", "project": "p"}


def test_batches_stay_below_the_limit_and_keep_their_order() -> None:
    spans = [ReadableSpan(str(number), attributes={"t": "x" * 1000}) for number in range(10)]
    spans.insert(5, ReadableSpan("large", attributes={"t": "x" * 9000}))
    grouped = list(batches(spans, 4000))
    assert [span.name for group in grouped for span in group] == [span.name for span in spans]
    assert [len(group) for group in grouped] == [3, 2, 1, 3, 2]


def test_a_batch_that_fails_is_counted_and_the_next_is_sent() -> None:
    answers = [SpanExportResult.FAILURE, None]
    received = Received(before=lambda: answers.pop(0))
    exporter = PictureExporter(MemoryDestination(), received, batch_bytes=1)
    spans = [ReadableSpan(name) for name in ("a", "b")]
    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert [span.name for span in received.spans] == ["b"]
    counts = exporter.counter.taken()
    assert (counts.spans_exported, counts.spans_failed) == (1, 1)


def test_it_works_behind_opentelemetrys_own_processor(destination: MemoryDestination) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(PictureExporter(destination)))
    provider.get_tracer("test").start_span("span", attributes={IMAGE_URL: uri(png())}).end()
    provider.force_flush()
    assert destination.received.named("span")[IMAGE_URL].startswith("memory://")
    provider.shutdown()
    assert destination.is_shut_down


def test_renewing_takes_new_connections_of_its_own_only() -> None:
    own, given = MemoryDestination(), MemoryDestination()
    received = Received()
    PictureExporter(own).renew()
    exporter = PictureExporter(given, received)
    exporter.renew()
    exporter.export([ReadableSpan("a")])
    assert (own.renewed, given.renewed) == (1, 1)
    assert len(received.spans) == 1


def bomb() -> bytes:
    """A PNG of few bytes that says it has 40,000 x 40,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(bytes(1_000_000)))
    return b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "hostile",
    [
        "data:image/png;base64,iVBORw0KGgo" + "!" * 900,
        "data:image/png;base64," + "QUJD" * 400,
        "data:image/png;base64,",
        uri(png(side=128))[:-2000],
        uri(bomb()),
        uri(b"<svg onload='alert(1)'>" + b" " * 1000, "image/png"),
        uri(png(), "text/html"),
    ],
    ids=["broken base64", "no picture", "empty", "cut", "bomb", "script", "wrong type"],
)
@pytest.mark.parametrize("is_held", [True, False])
def test_hostile_pictures_cost_nothing_but_themselves(
    destination: MemoryDestination, hostile: str, is_held: bool
) -> None:
    given = PAYLOADS.hold(hostile) if is_held else hostile
    attributes = exported(destination, PictureExporter(destination), **{IMAGE_URL: given, "answer": "42"})
    assert attributes["answer"] == "42"
    assert "vlmops-held" not in attributes[IMAGE_URL]
    assert len(attributes[IMAGE_URL]) < 500
    assert all(image.media_type == "image/png" for image in destination.kept.values())


def test_a_picture_of_200_mb_is_refused_before_it_is_decoded(destination: MemoryDestination) -> None:
    payloads = HeldPayloads()
    huge = "data:image/png;base64," + "A" * 200_000_000
    placeholder = payloads.hold(huge)
    assert payloads.count == 0
    exporter = PictureExporter(destination, payloads=payloads)
    attributes = exported(destination, exporter, **{IMAGE_URL: placeholder})
    assert attributes[IMAGE_URL].startswith("[picture not kept: too large")


def test_many_spans_at_once_are_each_rewritten(destination: MemoryDestination) -> None:
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    spans = [tracer.start_span(str(n), attributes={IMAGE_URL: uri(png(n))}) for n in range(40)]
    for span in spans:
        span.end()
    exporter = PictureExporter(destination)
    threads = [threading.Thread(target=exporter.export, args=([span],)) for span in spans[:20]]
    for thread in threads:
        thread.start()
    exporter.export(spans[20:])  # type: ignore[arg-type]
    for thread in threads:
        thread.join()
    assert len(destination.kept) == 40
    assert {span.attributes[IMAGE_URL] for span in destination.received.spans} == {  # type: ignore[index]
        f"memory://{sha256}" for sha256 in destination.kept
    }
