"""Fields of a receipt out of the text that an OCR model has read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops.demo.receipt_parser import parse_receipt

if TYPE_CHECKING:
    from vlmops.models import ModelReply


def with_fields(reply: ModelReply) -> dict[str, Any]:
    """Text and fields; ``None`` in the place of fields where the text is no receipt's."""
    return {"text": reply.text, "fields": parse_receipt(reply.text)}
