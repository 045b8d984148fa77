"""What the name of an attribute tells of what stands in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vlmops.tracing.picture import Role

_PICTURE = re.compile(r"(?:^|\.)(?:image\.url|image_url(?:\.url)?)$")
_OUTPUT = re.compile(
    r"^(?:output\.|llm\.output_messages\b|llm\.choices\b|gen_ai\.(?:output|completion|choice|response)\b"
    r"|langfuse\.(?:observation|trace)\.output\b|(?:traceloop|mlflow)\.\w*output|events\.gen_ai\.choice\b)",
    re.IGNORECASE,
)
_BESIDE = ("events.", "links.", "status.", "metadata", "langfuse.observation.metadata", "langfuse.trace.")

_MESSAGE_EVENTS = "events.gen_ai."


def role_of(attribute: str) -> Role:
    """Whether what stands in an attribute was sent to the model or came from it.

    Example:
        >>> role_of("llm.output_messages.0.message.content"), role_of("input.value")
        ('output', 'input')
    """
    return "output" if _OUTPUT.match(attribute) else "input"


def is_exchange(attribute: str) -> bool:
    """Whether an attribute is part of a request or an answer, not of metadata, links or other events.

    Early ``gen_ai`` conventions keep messages in events.

    Example:
        >>> is_exchange("input.value"), is_exchange("metadata"), is_exchange("events.gen_ai.choice.message")
        (True, False, True)
    """
    return attribute.startswith(_MESSAGE_EVENTS) or not attribute.startswith(_BESIDE)


def is_picture(attribute: str) -> bool:
    """Whether an attribute by its name holds a picture or its address, and nothing else.

    Example:
        >>> is_picture("output.images.0.image.url"), is_picture("input.value")
        (True, False)
    """
    return _PICTURE.search(attribute) is not None
