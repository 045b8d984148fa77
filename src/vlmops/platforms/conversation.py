"""The inputs of a sample from what a model was sent. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_ASKING = ("user", "human")
_INSTRUCTING = ("system", "developer")
_HOLDERS = ("messages", "input", "contents")
"""Where requests keep their messages: chat completions, responses, Gemini."""


def as_inputs(recorded: Any) -> dict[str, Any]:
    """Inputs that can be asked again: pictures, question and system prompt of a chat; other JSON as it is.

    Args:
        recorded: Messages, a request that holds messages, or anything else that an execution was given, with
            pictures in their places.

    Returns:
        ``image`` or ``images``, ``question`` and ``system`` as far as there are any. Where there is more than
        one turn, ``messages`` has them all.

    Example:
        >>> as_inputs([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Total?"}])
        {'question': 'Total?', 'system': 'Be brief.'}
        >>> as_inputs("Total?")
        {'input': 'Total?'}
    """
    messages = _messages(recorded)
    if messages is None:
        return dict(recorded) if isinstance(recorded, Mapping) else {"input": recorded}
    from vlmops.images import images_in

    images = list(images_in(messages))
    inputs: dict[str, Any] = {}
    if images:
        inputs |= {"image": images[0]} if len(images) == 1 else {"images": images}
    asked = [message for message in messages if message.get("role") in _ASKING]
    if asked and (question := _text(asked[-1].get("content"))):
        inputs["question"] = question
    instructing = [message for message in messages if message.get("role") in _INSTRUCTING]
    if system := "\n\n".join(filter(None, (_text(message.get("content")) for message in instructing))):
        inputs["system"] = system
    if len(messages) - len(instructing) > 1:
        inputs["messages"] = messages
    return inputs or {"messages": messages}


def _messages(recorded: Any) -> list[Mapping[str, Any]] | None:
    if isinstance(recorded, Mapping):
        held = (recorded.get(key) for key in _HOLDERS)
        return next((found for each in held if (found := _messages_in(each))), None)
    return _messages_in(recorded)


def _messages_in(value: Any) -> list[Mapping[str, Any]] | None:
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        return None
    is_chat = all(isinstance(each, Mapping) and isinstance(each.get("role"), str) for each in value)
    return list(value) if is_chat else None


def _text(content: Any) -> str:
    """The words of a message, in any provider's form."""
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        text = content.get("text")
        return text if isinstance(text, str) else ""
    if isinstance(content, Sequence):
        return "\n".join(filter(None, map(_text, content)))
    return ""
