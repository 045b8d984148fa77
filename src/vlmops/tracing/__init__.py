"""Traces of applications that send pictures to models: pictures stored, spans small, facts beside them."""

from vlmops.tracing.context import TraceContext
from vlmops.tracing.dialect import Attributes, Dialect, TracedPicture
from vlmops.tracing.picture import HELD_PREFIX, FoundPicture, Keep, KeptPicture, PictureFacts, not_kept
from vlmops.tracing.rewriting import rewrite

__all__ = [
    "HELD_PREFIX",
    "Attributes",
    "Dialect",
    "FoundPicture",
    "Keep",
    "KeptPicture",
    "PictureFacts",
    "TraceContext",
    "TracedPicture",
    "not_kept",
    "rewrite",
]
