"""Messages of an OpenInference span from its flattened attributes; pure functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_KEY = re.compile(
    r"llm\.(?P<side>input|output)_messages\.(?P<message>\d+)\.message\."
    r"(?:contents\.(?P<part>\d+)\.message_content\.)?(?P<field>.+)"
)


def messages_of(
    attributes: Mapping[str, Any], side: str, picture: Callable[[str], Any]
) -> list[dict[str, Any]]:
    """The messages of one side (``"input"`` or ``"output"``), in order.

    Args:
        attributes: The span's, flattened with dots.
        side: Which side.
        picture: Gives what stands for the picture under a URL.

    Returns:
        Messages with ``role`` and ``content``; content is text when there is nothing but one text, else a
        list of text and pictures.

    Example:
        >>> prefix = "llm.input_messages.0.message."
        >>> messages_of(
        ...     {
        ...         prefix + "role": "user",
        ...         prefix + "contents.0.message_content.type": "text",
        ...         prefix + "contents.0.message_content.text": "How many?",
        ...     },
        ...     "input",
        ...     picture=str,
        ... )
        [{'role': 'user', 'content': 'How many?'}]
    """
    messages: dict[int, dict[str, Any]] = {}
    parts: dict[int, dict[int, dict[str, Any]]] = {}
    for key, value in attributes.items():
        match = _KEY.fullmatch(key)
        if match is None or match["side"] != side:
            continue
        index = int(match["message"])
        message = messages.setdefault(index, {})
        if match["part"] is not None:
            parts.setdefault(index, {}).setdefault(int(match["part"]), {})[match["field"]] = value
        elif match["field"] in ("role", "content"):
            message[match["field"]] = value
    for index, found in parts.items():
        messages[index]["content"] = _content([found[number] for number in sorted(found)], picture)
    return [messages[index] for index in sorted(messages)]


def _content(parts: list[dict[str, Any]], picture: Callable[[str], Any]) -> Any:
    content: list[Any] = []
    for part in parts:
        if url := part.get("image.image.url"):
            content.append(picture(url))
        elif (text := part.get("text")) is not None:
            content.append(text)
    return content[0] if len(content) == 1 and isinstance(content[0], str) else content
