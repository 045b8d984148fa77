"""The last resort: a span whose pictures could not be rewritten, without anything that may be one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from vlmops.tracing.held import PLACEHOLDER
from vlmops.tracing.picture import not_kept
from vlmops.tracing.span_copy import copy_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace import ReadableSpan

_LONGEST = 16_384
_ENCODED = re.compile(r"[A-Za-z0-9+/_=-]{1024}")


def without_pictures(span: ReadableSpan, reason: str) -> ReadableSpan:
    """The span with a note in place of every value that holds, or may hold, a picture.

    Args:
        span: A finished span.
        reason: Why; it is shown to people.
    """
    from opentelemetry.sdk.trace import Event

    note = not_kept(reason).reference
    events = [Event(each.name, _bare(each.attributes, note), each.timestamp) for each in span.events]
    return copy_of(span, attributes=_bare(span.attributes, note), events=events)


def _bare(attributes: Mapping[str, Any] | None, note: str) -> dict[str, Any]:
    return {key: _bare_value(value, note) for key, value in (attributes or {}).items()}


def _bare_value(value: Any, note: str) -> Any:
    if isinstance(value, bytes):
        return note
    if isinstance(value, tuple | list):
        return tuple(_bare_value(each, note) for each in value)
    if not isinstance(value, str):
        return value
    if len(value) > _LONGEST or _ENCODED.search(value):
        return note
    return PLACEHOLDER.sub(note, value)
