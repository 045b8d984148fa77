"""Finished spans as values: how large they are, and copies that say something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event, ReadableSpan

_FIXED = 300
"""Bytes of a span that carries nothing."""

_PAIR = 12


def span_bytes(span: ReadableSpan) -> int:
    """About how many bytes a span takes in memory and on the wire; only text counts for much."""
    size = _FIXED + len(span.name) + _pairs(span.attributes)
    for event in span.events:
        size += len(event.name) + _pairs(event.attributes)
    for link in span.links:
        size += _FIXED + _pairs(link.attributes)
    return size


def with_attributes(span: ReadableSpan, added: Mapping[str, Any]) -> ReadableSpan:
    """The span with further attributes."""
    return copy_of(span, attributes={**(span.attributes or {}), **added})


def copy_of(
    span: ReadableSpan,
    *,
    attributes: Mapping[str, Any] | None = None,
    events: Sequence[Event] | None = None,
    resource: Resource | None = None,
) -> ReadableSpan:
    """The span with other parts."""
    from opentelemetry.sdk.trace import ReadableSpan

    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource if resource is None else resource,
        attributes=span.attributes if attributes is None else attributes,
        events=span.events if events is None else events,
        links=span.links,
        kind=span.kind,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _pairs(attributes: Mapping[str, Any] | None) -> int:
    return sum(len(key) + _PAIR + _value(value) for key, value in attributes.items()) if attributes else 0


def _value(value: Any) -> int:
    if isinstance(value, str):
        return len(value) if value.isascii() else 3 * len(value)
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, tuple | list):
        # Sequences are embeddings and tags: their elements are alike.
        return len(value) * (_value(value[0]) + 2) if value else 0
    if isinstance(value, dict):
        return _pairs(value)
    return 8
