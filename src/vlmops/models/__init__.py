"""Model backends: an OpenAI-compatible chat model and local text readers, by name."""

from vlmops.models.callable_model import CallableModel, VersionedCallable
from vlmops.models.calls import ModelCall, ask, recorded_calls
from vlmops.models.model import (
    Identified,
    Model,
    ModelReply,
    ModelRequest,
    Preparing,
    Retrying,
    SentPicture,
    Turn,
    identity_of,
)
from vlmops.models.ocr import FieldParser, OcrModel, TextReader
from vlmops.models.reading_order import TextBox, lines_of, text_of
from vlmops.models.registry import ModelEntry, ModelFactory, create, entries, register

__all__ = [
    "CallableModel",
    "FieldParser",
    "Identified",
    "Model",
    "ModelCall",
    "ModelEntry",
    "ModelFactory",
    "ModelReply",
    "ModelRequest",
    "OcrModel",
    "Preparing",
    "Retrying",
    "SentPicture",
    "TextBox",
    "TextReader",
    "Turn",
    "VersionedCallable",
    "ask",
    "create",
    "entries",
    "identity_of",
    "lines_of",
    "recorded_calls",
    "register",
    "text_of",
]
