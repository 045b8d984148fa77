"""Spans that Phoenix has recorded, as they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vlmops.concurrency import batches
from vlmops.tracing.recorded_span import nanoseconds, recorded_span
from vlmops_phoenix.annotations import PhoenixAnnotations
from vlmops_phoenix.executions import admitted, span_parameters

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from opentelemetry.sdk.trace import Event, ReadableSpan

    from vlmops.platforms.records import ExecutionQuery
    from vlmops.tracing.destination import TraceDestination
    from vlmops_phoenix.connection import PhoenixConnection

_PAGE = 20
_IDS_AT_ONCE = 100


class PhoenixTraces:
    """Spans of one Phoenix."""

    def __init__(self, connection: PhoenixConnection) -> None:
        self._connection = connection

    @property
    def picture_span(self) -> Mapping[str, str]:
        """Phoenix draws the pictures of LLM spans."""
        return {"openinference.span.kind": "LLM"}

    async def spans(self, query: ExecutionQuery) -> AsyncIterator[ReadableSpan]:
        """Spans that fit, newest first; small pages, since spans with base64 are large."""
        project = self._project(query.project)
        annotations = PhoenixAnnotations(self._connection, project)
        parameters = span_parameters(query, _PAGE)
        count = 0
        async for page in batches(self._connection.pages(_path(project), parameters), parameters["limit"]):
            scores_of = await annotations.on_spans(page) if query.scores else {}
            for span in page:
                if admitted(query, span, scores_of.get(span["context"]["span_id"], ())):
                    yield readable(span)
                    count += 1
                    if count == query.limit:
                        return

    async def present(self, span_ids: Sequence[str], project: str | None) -> Collection[str]:
        """Those under which the project has a span."""
        found: set[str] = set()
        for start in range(0, len(span_ids), _IDS_AT_ONCE):
            asked = list(span_ids[start : start + _IDS_AT_ONCE])
            params = {"span_id": asked, "limit": _IDS_AT_ONCE}
            pages = self._connection.pages(_path(self._project(project)), params)
            found |= {span["context"]["span_id"] async for span in pages}
        return found

    def destination(self, project: str | None) -> TraceDestination:
        """OTLP over HTTP, and the media store."""
        from vlmops_phoenix.tracing import PhoenixTracing

        return PhoenixTracing(replace(self._connection.settings, project=self._project(project)))

    def _project(self, project: str | None) -> str:
        return project or self._connection.settings.project


def readable(span: Mapping[str, Any]) -> ReadableSpan:
    """A span of Phoenix's list as a finished span."""
    context = span["context"]
    return recorded_span(
        span["name"],
        trace_id=context["trace_id"],
        span_id=context["span_id"],
        parent_id=span.get("parent_id"),
        start=datetime.fromisoformat(span["start_time"]),
        end=datetime.fromisoformat(span["end_time"]),
        attributes={**span["attributes"], "openinference.span.kind": span["span_kind"]},
        events=[_event(event) for event in span.get("events") or ()],
        failure=(span.get("status_message") or "") if span["status_code"] == "ERROR" else None,
    )


def _event(event: Mapping[str, Any]) -> Event:
    from opentelemetry.sdk.trace import Event

    moment = nanoseconds(datetime.fromisoformat(event["timestamp"]))
    return Event(event["name"], event.get("attributes") or {}, moment)


def _path(project: str) -> str:
    return f"/v1/projects/{quote(project, safe='')}/spans"
