"""Observations that Langfuse has recorded, as spans."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from vlmops.tracing.recorded_span import recorded_span

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from vlmops.platforms.records import ExecutionQuery
    from vlmops.tracing.destination import TraceDestination
    from vlmops_langfuse.connection import LangfuseConnection
    from vlmops_langfuse.executions import LangfuseExecutions

_PAGE = 20
_IDS_AT_ONCE = 100
_OURS = "vlmops."
_OBSERVATION = "langfuse.observation"


class LangfuseTraces:
    """Observations of one project."""

    def __init__(self, connection: LangfuseConnection, executions: LangfuseExecutions) -> None:
        self._connection = connection
        self._executions = executions

    @property
    def picture_span(self) -> Mapping[str, str]:
        """Langfuse draws the pictures of every type; of a plain span it counts no tokens and no cost."""
        return {f"{_OBSERVATION}.type": "span"}

    async def spans(self, query: ExecutionQuery) -> AsyncIterator[ReadableSpan]:
        """Observations that fit, newest first.

        Of their metadata only what vlmops wrote is read: of other values Langfuse lists 200 characters.
        """
        async for row, _ in self._executions.rows(query, _PAGE):
            yield readable(row)

    async def present(self, span_ids: Sequence[str], project: str | None) -> Collection[str]:  # noqa: ARG002
        """Those that are observations here."""
        found: set[str] = set()
        for start in range(0, len(span_ids), _IDS_AT_ONCE):
            rows = await self._executions.by_id(span_ids[start : start + _IDS_AT_ONCE])
            found |= {row["id"] for row in rows}
        return found

    def destination(self, project: str | None) -> TraceDestination:  # noqa: ARG002
        """OTLP over HTTP, and the media store; each span names its own environment."""
        from vlmops_langfuse.tracing import LangfuseTracing

        return LangfuseTracing(self._connection.settings)


def readable(row: Mapping[str, Any]) -> ReadableSpan:
    """An observation of Langfuse's list as a finished span."""
    metadata = row.get("metadata")
    ours = metadata if isinstance(metadata, Mapping) else {}
    said = {
        f"{_OBSERVATION}.type": str(row["type"]).lower(),
        f"{_OBSERVATION}.input": row.get("input"),
        f"{_OBSERVATION}.output": row.get("output"),
        f"{_OBSERVATION}.model.name": row.get("model"),
        "llm.token_count.prompt": (row.get("usageDetails") or {}).get("input"),
        "langfuse.environment": row.get("environment"),
        "langfuse.version": row.get("version"),
        "session.id": row.get("sessionId"),
        "user.id": row.get("userId"),
        **{key: value for key, value in ours.items() if key.startswith(_OURS)},
    }
    started = datetime.fromisoformat(row["startTime"])
    return recorded_span(
        row.get("name") or "",
        trace_id=row["traceId"],
        span_id=row["id"],
        parent_id=row.get("parentObservationId"),
        start=started,
        end=datetime.fromisoformat(row["endTime"]) if row.get("endTime") else started,
        attributes={name: value for name, value in said.items() if value not in (None, "")},
    )
