"""The past: pictures of spans that were recorded without vlmops, drawn and with their facts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from vlmops.blocking import blocking
from vlmops.concurrency import batches
from vlmops.errors import UsageError
from vlmops.platforms.outcome import ItemFailure
from vlmops.platforms.port import RecordsSpans
from vlmops.platforms.records import ExecutionQuery
from vlmops.tracing.enrichment import ENRICHES, Inspection, child_id, child_of, inspect, uncounted
from vlmops.tracing.exporter import PictureExporter

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

    from vlmops.images import Image
    from vlmops.platforms.port import Platform, Traces
    from vlmops.tracing.destination import Attachment, Field, TraceDestination
    from vlmops.tracing.dialect import Dialect
    from vlmops.tracing.reader import PictureReader

_BATCH = 20
_PATIENCE_S = 60.0
_FIRST_WAIT_S = 0.05
_LONGEST_WAIT_S = 1.0

_Seen = tuple["ReadableSpan", Inspection]

Recover = Callable[["ReadableSpan"], Sequence["Image"]]
"""Finds the pictures of a span of which only marks are left: in a bucket, by an id in its metadata, ..."""


@dataclass
class EnrichReport:
    """What came of enriching recorded spans.

    Attributes:
        spans: How many were looked at.
        enriched: Spans that now have a child with their pictures (of a dry run: that would get one).
        already: Spans that had one, or whose pictures were stored when they were recorded.
        plain: Spans without pictures, or whose pictures are drawn as they stand.
        pictures: Pictures that were stored and drawn, each counted once a span (dry run: found).
        not_kept: Pictures that could not be stored; the child says why in their place.
        redacted: Pictures of which only a mark is left, and that were not recovered.
        failures: Spans that got no child, by id, with the reason.
        is_dry: Whether nothing was written.
    """

    spans: int = 0
    enriched: int = 0
    already: int = 0
    plain: int = 0
    pictures: int = 0
    not_kept: int = 0
    redacted: int = 0
    failures: list[ItemFailure] = field(default_factory=list)
    is_dry: bool = False

    @property
    def ok(self) -> bool:
        """Whether every span that has pictures got a child that shows them all."""
        return not self.failures and not self.not_kept


def enrich(
    platform: Platform,
    query: ExecutionQuery | None = None,
    *,
    recover: Recover | None = None,
    reader: PictureReader | None = None,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
) -> EnrichReport:
    """Draw the pictures of recorded spans; blocking form of :func:`enrich_async`."""
    return blocking(
        lambda: enrich_async(
            platform, query, recover=recover, reader=reader, dry_run=dry_run, progress=progress
        ),
        platform,
    )


async def enrich_async(
    platform: Platform,
    query: ExecutionQuery | None = None,
    *,
    recover: Recover | None = None,
    reader: PictureReader | None = None,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
) -> EnrichReport:
    """Give spans that were recorded without vlmops what they lack: stored pictures, drawn, and facts.

    Recorded spans cannot be changed, and the base64 in them stays. Each gets one child with its own times, in
    which the pictures stand as the platform draws them, with the facts of :mod:`vlmops.tracing.attributes`;
    tokens and costs stay the parent's alone. The child's id follows from the parent's: interrupted, run it
    again; run again, it writes nothing.

    Args:
        platform: Where they are recorded.
        query: Which of them; all of the default project without one.
        recover: Finds pictures of which only ``__REDACTED__`` is left; what it raises is that span's failure.
        reader: Reads pictures and applies the policy; see :func:`vlmops.instrument`.
        dry_run: Count, and write nothing.
        progress: Told how many spans have been looked at.

    Raises:
        PlatformError: The project is not there, or the platform broke down; run it again.
        UsageError: The platform keeps no traces.
    """
    if not isinstance(platform, RecordsSpans):
        raise UsageError(f"{platform.name} keeps no traces of applications: there is nothing to enrich")
    report = EnrichReport(is_dry=dry_run)
    query = query or ExecutionQuery()
    run = _Run(platform.traces, platform.name, query.project, report, recover)
    exporter = None if dry_run else _exporter(run, reader)
    try:
        async for spans in batches(platform.traces.spans(query), _BATCH):
            await run.take(spans, exporter)
            if progress is not None:
                progress(report.spans)
    finally:
        await asyncio.to_thread(run.destination.shutdown if exporter is None else exporter.shutdown)
    if exporter is not None:
        counts = exporter.counter.taken()
        report.pictures, report.not_kept = counts.pictures_kept, counts.pictures_not_kept
    return report


class _Run:
    """One pass over recorded spans."""

    def __init__(
        self,
        traces: Traces,
        name: str,
        project: str | None,
        report: EnrichReport,
        recover: Recover | None,
    ) -> None:
        self._traces = traces
        self._name = name
        self._project = project
        self._report = report
        self._recover = recover
        self.destination = traces.destination(project)
        self.parents: dict[str, str] = {}

    async def take(self, spans: Sequence[ReadableSpan], exporter: PictureExporter | None) -> None:
        """Look at some spans, and write the children that are missing."""
        theirs = [span for span in spans if ENRICHES not in (span.attributes or {})]
        self._report.spans += len(theirs)
        wanted = await asyncio.to_thread(self._wanted, theirs)
        present = await self._traces.present(list(wanted), self._project) if wanted else frozenset()
        self._report.already += len(present)
        missing = [each for identity, each in wanted.items() if identity not in present]
        children = await asyncio.to_thread(self._children, missing)
        if exporter is None:
            self._report.enriched += len(children)
        elif children:
            await self._write(children, exporter)

    def _wanted(self, spans: Sequence[ReadableSpan]) -> dict[str, _Seen]:
        """By the id of the child they should have, the spans that have pictures to show."""
        found: dict[str, _Seen] = {}
        for span in spans:
            seen = inspect(span, self.destination.dialect)
            if seen.is_done:
                self._report.already += 1
            elif seen.undrawn or (seen.redacted and self._recover is not None):
                found[_child_id(span)] = span, seen
            else:
                self._report.redacted += seen.redacted
                self._report.plain += not seen.redacted
        return found

    def _children(self, spans: Sequence[_Seen]) -> list[ReadableSpan]:
        """The child of each, unless its pictures cannot be recovered."""
        found = []
        for span, seen in spans:
            try:
                recovered = self._recover(span) if seen.redacted and self._recover is not None else ()
                child = child_of(span, self._kind_of_child(span), recovered)
            except Exception as error:  # noqa: BLE001 - the caller's function, or a picture it gave, costs one span
                problem = f"its pictures could not be recovered ({type(error).__name__}: {error})"
                self._report.failures.append(ItemFailure(_id(span), problem, source=span.name))
                continue
            self._report.redacted += max(0, seen.redacted - len(recovered))
            if seen.undrawn or recovered:
                self._report.pictures += seen.undrawn + len(recovered)
                found.append(child)
        return found

    def _kind_of_child(self, span: ReadableSpan) -> Mapping[str, Any]:
        mark = self.destination.dialect.facts({ENRICHES: _id(span)})
        return {**self._traces.picture_span, **mark}

    async def _write(self, children: Sequence[ReadableSpan], exporter: PictureExporter) -> None:
        self.parents.clear()
        self.parents |= {_id(child): f"{child.parent.span_id:016x}" for child in children if child.parent}
        result = await asyncio.to_thread(exporter.export, children)
        patience = _PATIENCE_S if result is SpanExportResult.SUCCESS else 0.0
        lost = await self._not_shown([*self.parents], patience)
        self._report.enriched += len(children) - len(lost)
        problem = f"{self._name} does not show the span that was sent for it: run it again"
        self._report.failures += [ItemFailure(self.parents[identity], problem) for identity in lost]

    async def _not_shown(self, ids: Sequence[str], patience: float) -> Sequence[str]:
        """Those that the platform does not show within some seconds: it takes spans before it stores them."""
        deadline = time.monotonic() + patience
        pause = _FIRST_WAIT_S
        while True:
            present = await self._traces.present(ids, self._project)
            ids = [identity for identity in ids if identity not in present]
            if not ids or time.monotonic() >= deadline:
                return ids
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_WAIT_S)


class _Uncounted(SpanExporter):
    """Exports spans without their tokens and costs."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([uncounted(span) for span in spans])

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)

    def shutdown(self) -> None:
        self._exporter.shutdown()


@dataclass(frozen=True)
class _ForBoth:
    """A destination at which each picture belongs to the recorded span as well as to its child."""

    destination: TraceDestination
    parents: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.destination.name

    @property
    def dialect(self) -> Dialect:
        return self.destination.dialect

    @property
    def resource(self) -> Mapping[str, str]:
        return self.destination.resource

    def exporter(self) -> SpanExporter:
        return self.destination.exporter()

    def keep(self, image: Image, *, trace_id: str, span_id: str, field: Field) -> str:
        if span_id in self.parents:
            self.destination.keep(image, trace_id=trace_id, span_id=self.parents[span_id], field=field)
        return self.destination.keep(image, trace_id=trace_id, span_id=span_id, field=field)

    def attach(self, provider: TracerProvider, processor: SpanProcessor) -> Attachment:
        return self.destination.attach(provider, processor)

    def renew(self) -> None:
        self.destination.renew()

    def shutdown(self) -> None:
        self.destination.shutdown()


def _exporter(run: _Run, reader: PictureReader | None) -> PictureExporter:
    destination = _ForBoth(run.destination, run.parents)
    return PictureExporter(destination, _Uncounted(run.destination.exporter()), reader=reader)


def _id(span: ReadableSpan) -> str:
    return f"{span.context.span_id:016x}" if span.context is not None else ""


def _child_id(span: ReadableSpan) -> str:
    return child_id(f"{span.context.trace_id:032x}", _id(span)) if span.context is not None else ""
