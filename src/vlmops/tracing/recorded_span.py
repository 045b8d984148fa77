"""Spans that a platform has recorded, as the SDK's finished spans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from opentelemetry.sdk.trace import Event, ReadableSpan


def recorded_span(
    name: str,
    *,
    trace_id: str,
    span_id: str,
    start: datetime,
    end: datetime,
    attributes: Mapping[str, Any],
    parent_id: str | None = None,
    events: Sequence[Event] = (),
    failure: str | None = None,
) -> ReadableSpan:
    """A finished span of what a platform gives back of it.

    Args:
        name: Its name.
        trace_id: 32 hexadecimal digits.
        span_id: 16 hexadecimal digits.
        start: When it began.
        end: When it ended.
        attributes: Flat.
        parent_id: 16 hexadecimal digits; ``None`` for a root.
        events: Its events.
        failure: The message of a span that failed.

    Raises:
        ValueError: An id is not hexadecimal.

    Example:
        >>> from datetime import UTC, datetime
        >>> now = datetime(2026, 1, 1, tzinfo=UTC)
        >>> span = recorded_span("a", trace_id="0b", span_id="0a", start=now, end=now, attributes={})
        >>> span.context.span_id, span.start_time
        (10, 1767225600000000000)
    """
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext, Status, StatusCode

    def context(identity: str) -> SpanContext:
        return SpanContext(int(trace_id, 16), int(identity, 16), is_remote=True)

    return ReadableSpan(
        name=name,
        context=context(span_id),
        parent=context(parent_id) if parent_id else None,
        resource=Resource({}),
        attributes=dict(attributes),
        events=events,
        status=Status() if failure is None else Status(StatusCode.ERROR, failure),
        start_time=nanoseconds(start),
        end_time=nanoseconds(end),
    )


def nanoseconds(moment: datetime) -> int:
    """A moment as OpenTelemetry counts: nanoseconds since 1970, exactly.

    Example:
        >>> from datetime import UTC, datetime
        >>> nanoseconds(datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC))
        1000
    """
    from datetime import UTC, datetime, timedelta

    return (moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
