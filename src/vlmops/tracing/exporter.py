"""Stores the pictures of spans, writes references in their place, and hands the spans on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import format_span_id, format_trace_id

from vlmops.errors import VlmopsError
from vlmops.tracing.bare_span import without_pictures
from vlmops.tracing.counts import Counter
from vlmops.tracing.gate import PATIENCE_S, StoreGate
from vlmops.tracing.held import PAYLOADS
from vlmops.tracing.own_errors import report
from vlmops.tracing.picture import KeptPicture, not_kept
from vlmops.tracing.preloading import preload
from vlmops.tracing.reader import PictureReader
from vlmops.tracing.rewriting import rewrite
from vlmops.tracing.span_copy import copy_of, span_bytes
from vlmops.tracing.suppression import uninstrumented
from vlmops.tracing.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from vlmops.images import Image
    from vlmops.tracing.context import TraceContext
    from vlmops.tracing.destination import Field, TraceDestination
    from vlmops.tracing.held import HeldPayloads
    from vlmops.tracing.picture import FoundPicture, PictureFacts

BATCH_BYTES = 4_000_000
"""Bytes of spans sent in one request, about; below the limit of every transport."""

_SHOWN = 200
_THREADS = 8
"""More than there are cores: storing is mostly waiting, for a disk or for a network."""

_logger = logging.getLogger(__name__)


class PictureExporter(SpanExporter):
    """An exporter around another one: pictures are stored, and spans carry references.

    Nothing that goes wrong with a picture costs the span: a note that says why stands in its place.

    Args:
        destination: The platform, e.g. of :func:`~vlmops.tracing.destination_of`.
        exporter: Takes the rewritten spans; by default the platform's own OTLP exporter over HTTP.
        reader: Reads pictures and applies the policy; share one between exporters, and each picture is read
            once.
        context: What the application says of itself.
        patience: Seconds a span waits for the store to take one picture.
        batch_bytes: Bytes of spans handed on at once, about.
        payloads: Where deferred pictures are held.
    """

    def __init__(
        self,
        destination: TraceDestination,
        exporter: SpanExporter | None = None,
        *,
        reader: PictureReader | None = None,
        context: TraceContext | None = None,
        patience: float = PATIENCE_S,
        batch_bytes: int = BATCH_BYTES,
        payloads: HeldPayloads = PAYLOADS,
    ) -> None:
        self.destination = destination
        self.counter = Counter()
        self._is_own = exporter is None
        self._exporter = exporter or destination.exporter()
        self._reader = reader or PictureReader(payloads=payloads)
        self._context = context
        self._batch_bytes = batch_bytes
        self._gate = StoreGate(patience)
        self._workers = Workers(_THREADS, "vlmops-pictures")
        self._resources: dict[int, tuple[Resource, Resource]] = {}
        try:
            preload(self._reader, destination.dialect)
        except Exception as error:  # noqa: BLE001 - tracing never breaks the application
            report(_logger, "the exporter could not be made ready", error)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Rewrite the spans and hand them on; never raises."""
        rewritten = self._workers.map(self._rewritten, spans)
        results = [self._send(batch) for batch in batches(rewritten, self._batch_bytes)]
        failed = SpanExportResult.FAILURE in results
        return SpanExportResult.FAILURE if failed else SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits here."""
        return self._exporter.force_flush(timeout_millis)

    def shutdown(self) -> None:
        """End the exporter within, and let go of the store."""
        self._exporter.shutdown()
        self._workers.shutdown()
        self._gate.shutdown()
        self.destination.shutdown()

    def renew(self) -> None:
        """Take new connections, in a forked child."""
        self.destination.renew()
        if self._is_own:
            self._exporter = self.destination.exporter()

    def _send(self, batch: list[ReadableSpan]) -> SpanExportResult:
        try:
            with uninstrumented():
                result = self._exporter.export(batch)
        except Exception as error:  # noqa: BLE001 - tracing never breaks the application
            report(_logger, f"{self.destination.name}: an exporter failed", error)
            result = SpanExportResult.FAILURE
        took = result is SpanExportResult.SUCCESS
        self.counter.add("spans_exported" if took else "spans_failed", len(batch))
        return result

    def _rewritten(self, span: ReadableSpan) -> ReadableSpan:
        try:
            with uninstrumented():
                keeper = _Keeper(self._reader, self._gate, self.destination, self.counter, span)
                return self._with_resource(rewrite(span, keeper, self.destination.dialect, self._context))
        except Exception as error:  # noqa: BLE001 - tracing never breaks the application
            report(_logger, "the pictures of a span could not be rewritten", error)
            self.counter.add("pictures_not_kept")
            return without_pictures(span, f"internal error ({type(error).__name__})")

    def _with_resource(self, span: ReadableSpan) -> ReadableSpan:
        wanted = self.destination.resource
        if not wanted:
            return span
        # Hashing a resource costs more than rewriting a span; a process has one or two of them.
        known = self._resources.get(id(span.resource))
        if known is None or known[0] is not span.resource:
            known = span.resource, span.resource.merge(Resource(dict(wanted)))
            self._resources[id(span.resource)] = known
        return copy_of(span, resource=known[1])


class _Keeper:
    """Keeps the pictures of one span."""

    def __init__(
        self,
        reader: PictureReader,
        gate: StoreGate,
        destination: TraceDestination,
        counter: Counter,
        span: ReadableSpan,
    ) -> None:
        self._reader = reader
        self._gate = gate
        self._destination = destination
        self._counter = counter
        self._known: dict[tuple[str, Field], KeptPicture] = {}
        self._trace_id = format_trace_id(span.context.trace_id) if span.context else ""
        self._span_id = format_span_id(span.context.span_id) if span.context else ""

    def __call__(self, found: FoundPicture) -> KeptPicture:
        try:
            return self._keep(found)
        except Exception as error:  # noqa: BLE001 - tracing never breaks the application
            report(_logger, "a picture could not be kept", error)
            return self._counted(not_kept(f"internal error ({type(error).__name__})"))

    def _keep(self, found: FoundPicture) -> KeptPicture:
        treated = self._reader.read(found, self._trace_id)
        image = treated.image
        if image is None:
            return self._counted(treated.kept)
        field: Field = "metadata" if "metadata" in found.attribute else found.role
        # One picture may stand in a span as text and as a placeholder.
        known = self._known.get((image.sha256, field))
        if known is None:
            known = self._counted(self._stored(image, field, treated.kept.facts))
            self._known[image.sha256, field] = known
        return known

    def _stored(self, image: Image, field: Field, facts: PictureFacts) -> KeptPicture:
        try:
            reference = self._gate.call(
                lambda: self._destination.keep(
                    image, trace_id=self._trace_id, span_id=self._span_id, field=field
                )
            )
        except VlmopsError as error:
            return not_kept(str(error)[:_SHOWN], facts)
        return KeptPicture(reference, drawable=True, facts=facts)

    def _counted(self, kept: KeptPicture) -> KeptPicture:
        self._counter.add("pictures_not_kept" if kept.reason else "pictures_kept")
        return kept


def batches(spans: Sequence[ReadableSpan], limit: int) -> Iterator[list[ReadableSpan]]:
    """The spans in order, in groups of at most ``limit`` bytes, or of one span."""
    batch: list[ReadableSpan] = []
    total = 0
    for span in spans:
        size = span_bytes(span)
        if batch and total + size > limit:
            yield batch
            batch, total = [], 0
        batch.append(span)
        total += size
    if batch:
        yield batch
