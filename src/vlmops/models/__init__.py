"""Model backends: an OpenAI-compatible chat model and local text readers, by name."""

from vlmops.models.model import Model, ModelReply, ModelRequest
from vlmops.models.ocr import FieldParser, OcrModel, TextReader
from vlmops.models.reading_order import TextBox, lines_of, text_of
from vlmops.models.registry import ModelEntry, ModelFactory, create, entries, register

__all__ = [
    "FieldParser",
    "Model",
    "ModelEntry",
    "ModelFactory",
    "ModelReply",
    "ModelRequest",
    "OcrModel",
    "TextBox",
    "TextReader",
    "create",
    "entries",
    "lines_of",
    "register",
    "text_of",
]
