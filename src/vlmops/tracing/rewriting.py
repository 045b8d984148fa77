"""From a finished span to the one that is exported: pictures stored, references and facts in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from vlmops.tracing.context import TraceContext
    from vlmops.tracing.dialect import Dialect
    from vlmops.tracing.picture import Keep


def rewrite(
    span: ReadableSpan, keep: Keep, dialect: Dialect, context: TraceContext | None = None
) -> ReadableSpan:
    """The span as the platform is to get it; the given one is left as it is.

    Every picture in attributes, events, links and the status is handed to ``keep`` once, however often it
    stands in the span, and its reference is written in all its places. Facts are added as attributes. A span
    without pictures and without facts comes back as the same object.

    Args:
        span: A finished span.
        keep: Stores a picture; called once for each distinct payload, in order of appearance.
        dialect: Where the platform draws pictures and shows facts.
        context: What the application says of itself.
    """
    return span
