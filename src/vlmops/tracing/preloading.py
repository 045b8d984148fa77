"""Imports what the exporter's threads need, before there are any.

Modules here import late what is heavy. An import that is under way in a thread while the process forks is
never finished in the child, and everything there that imports the same module waits forever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops.tracing.rewriting import rewrite

if TYPE_CHECKING:
    from vlmops.tracing.dialect import Dialect
    from vlmops.tracing.picture import FoundPicture, KeptPicture
    from vlmops.tracing.reader import PictureReader

_BLANK = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAD0lEQVR42mP4jwMwDC0J"
    "ALoev0GJ6La7AAAAAElFTkSuQmCC"
)
_ATTRIBUTES: dict[str, Any] = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "gpt-4o",
    "llm.token_count.prompt": 100,
    "input.value": '{"messages": []}',
    "output.value": '{"choices": [{"message": {"content": "{}"}}]}',
    "llm.invocation_parameters": '{"response_format": {"type": "json_object"}}',
    "llm.input_messages.0.message.contents.0.message_content.image.image.url": _BLANK,
}


def preload(reader: PictureReader, dialect: Dialect) -> None:
    """Send a span through all that is done to one, except storing and exporting."""
    from opentelemetry.sdk.trace import ReadableSpan

    def keep(found: FoundPicture) -> KeptPicture:
        return reader.read(found, "0" * 32).kept

    rewrite(ReadableSpan("preload", attributes=_ATTRIBUTES), keep, dialect)
    # The first connection to a host would import this codec.
    "localhost".encode("idna")
