"""Traces of applications that send pictures to models: pictures stored, spans small, facts beside them.

Everything here is imported when it is first used: OpenTelemetry's SDK alone takes a tenth of a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vlmops.tracing.context import TraceContext as TraceContext
    from vlmops.tracing.counts import TracingCounts as TracingCounts
    from vlmops.tracing.destination import Attachment as Attachment
    from vlmops.tracing.destination import TraceDestination as TraceDestination
    from vlmops.tracing.destination import TracingOptions as TracingOptions
    from vlmops.tracing.destination import TracingPlugin as TracingPlugin
    from vlmops.tracing.destination import trace_destination as trace_destination
    from vlmops.tracing.dialect import Attributes as Attributes
    from vlmops.tracing.dialect import Dialect as Dialect
    from vlmops.tracing.dialect import TracedPicture as TracedPicture
    from vlmops.tracing.exporter import PictureExporter as PictureExporter
    from vlmops.tracing.instrumentation import Tracing as Tracing
    from vlmops.tracing.instrumentation import instrument as instrument
    from vlmops.tracing.openai_requests import defer_openai_pictures as defer_openai_pictures
    from vlmops.tracing.openinference import trace_config as trace_config
    from vlmops.tracing.past import EnrichReport as EnrichReport
    from vlmops.tracing.past import enrich as enrich
    from vlmops.tracing.past import enrich_async as enrich_async
    from vlmops.tracing.picture import HELD_PREFIX as HELD_PREFIX
    from vlmops.tracing.picture import FoundPicture as FoundPicture
    from vlmops.tracing.picture import Keep as Keep
    from vlmops.tracing.picture import KeptPicture as KeptPicture
    from vlmops.tracing.picture import PictureFacts as PictureFacts
    from vlmops.tracing.picture import not_kept as not_kept
    from vlmops.tracing.policy import PicturePolicy as PicturePolicy
    from vlmops.tracing.processor import PictureProcessor as PictureProcessor
    from vlmops.tracing.reader import PictureReader as PictureReader
    from vlmops.tracing.redaction import Redaction as Redaction
    from vlmops.tracing.rewriting import rewrite as rewrite
    from vlmops.tracing.values import hold_picture as hold_picture

_HOMES = {
    "HELD_PREFIX": "picture",
    "Attachment": "destination",
    "Attributes": "dialect",
    "Dialect": "dialect",
    "EnrichReport": "past",
    "FoundPicture": "picture",
    "Keep": "picture",
    "KeptPicture": "picture",
    "PictureExporter": "exporter",
    "PictureFacts": "picture",
    "PicturePolicy": "policy",
    "PictureProcessor": "processor",
    "PictureReader": "reader",
    "Redaction": "redaction",
    "TraceContext": "context",
    "TraceDestination": "destination",
    "TracedPicture": "dialect",
    "Tracing": "instrumentation",
    "TracingCounts": "counts",
    "TracingOptions": "destination",
    "TracingPlugin": "destination",
    "defer_openai_pictures": "openai_requests",
    "enrich": "past",
    "enrich_async": "past",
    "hold_picture": "values",
    "instrument": "instrumentation",
    "not_kept": "picture",
    "rewrite": "rewriting",
    "trace_config": "openinference",
    "trace_destination": "destination",
}

__all__ = [
    "HELD_PREFIX",
    "Attachment",
    "Attributes",
    "Dialect",
    "EnrichReport",
    "FoundPicture",
    "Keep",
    "KeptPicture",
    "PictureExporter",
    "PictureFacts",
    "PicturePolicy",
    "PictureProcessor",
    "PictureReader",
    "Redaction",
    "TraceContext",
    "TraceDestination",
    "TracedPicture",
    "Tracing",
    "TracingCounts",
    "TracingOptions",
    "TracingPlugin",
    "defer_openai_pictures",
    "enrich",
    "enrich_async",
    "hold_picture",
    "instrument",
    "not_kept",
    "rewrite",
    "trace_config",
    "trace_destination",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'vlmops.tracing' has no attribute {name!r}")
    value = getattr(import_module(f"vlmops.tracing.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
