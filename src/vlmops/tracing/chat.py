"""Requests and answers of any provider as chat messages: the shape that screens know how to draw."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from vlmops.tracing.parts import parsed, picture_part

Message = dict[str, Any]
"""``{"role", "content"}`` as in OpenAI's chat API; content is text or a list of text and image parts."""

_TEXT_TYPES = ("text", "input_text", "output_text", "refusal", "reasoning", "thinking", "summary_text")
_ROLES = {"model": "assistant", "ai": "assistant", "human": "user", "developer": "system", "function": "tool"}
_FLAT = re.compile(r"\.(\d+)\.message\.(.+)$")
_FLAT_PART = re.compile(r"contents\.(\d+)\.message_content\.(.+)$")
_FLAT_CALL = re.compile(r"tool_calls\.(\d+)\.tool_call\.(.+)$")
_MAX_DEPTH = 20


def image_part(url: str, detail: str = "") -> Message:
    """A picture as part of a chat message.

    Example:
        >>> image_part("https://host/a.png")
        {'type': 'image_url', 'image_url': {'url': 'https://host/a.png'}}
    """
    return {"type": "image_url", "image_url": {"url": url, "detail": detail} if detail else {"url": url}}


def text_part(text: str) -> Message:
    """A text as part of a chat message."""
    return {"type": "text", "text": text}


def request_messages(tree: Any) -> list[Message] | None:
    """The messages of a request; ``None`` when it is of no known shape.

    Knows chat and Responses of OpenAI, its Images, Anthropic, Gemini, Bedrock, and the messages of the
    ``gen_ai`` conventions; a list of messages or of parts by itself as well.

    Example:
        >>> request_messages({"input": [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]})
        [{'role': 'user', 'content': [{'type': 'text', 'text': 'Hi'}]}]
        >>> request_messages({"question": "How many?"})
    """
    if isinstance(tree, Mapping):
        return _of_request(tree)
    if not isinstance(tree, list) or not tree:
        return None
    if all(isinstance(item, Mapping) and _is_message(item) for item in tree):
        return [message(item) for item in tree]
    if all(isinstance(item, str) or _is_part(item) for item in tree) and any(map(picture_part, tree)):
        return [{"role": "user", "content": content(tree)}]
    return None


def answer_message(tree: Any) -> Message | None:
    """The first answer as one message of the assistant; ``None`` when it is of no known shape.

    Example:
        >>> answer_message({"data": [{"b64_json": "https://host/a.png"}]})
        {'role': 'assistant', 'content': [{'type': 'image_url', 'image_url': {'url': 'https://host/a.png'}}]}
    """
    if isinstance(tree, list):
        messages = request_messages(tree)
        return {"role": "assistant", "content": _joined(messages)} if messages else None
    if not isinstance(tree, Mapping):
        return None
    for name in ("choices", "candidates", "output", "data", "content"):
        items = tree.get(name)
        if isinstance(items, list) and items:
            return _of_items(items[:1] if name in ("choices", "candidates") else items)
    nested = tree.get("output")
    if isinstance(nested, Mapping) and isinstance(nested.get("message"), Mapping):
        return message(nested["message"], "assistant")
    return message(tree, "assistant") if _is_message(tree) else None


def flat_messages(attributes: Mapping[str, Any], name: str) -> list[Message]:
    """The messages that OpenInference writes as ``<name>.<n>.message...`` attributes.

    Args:
        attributes: Of a span.
        name: ``llm.input_messages`` or ``llm.output_messages``.
    """
    fields: dict[int, dict[str, Any]] = {}
    for key, value in attributes.items():
        if key.startswith(name) and (match := _FLAT.match(key, len(name))):
            fields.setdefault(int(match[1]), {})[match[2]] = value
    return [_of_flat(fields[index]) for index in sorted(fields)]


def message(item: Mapping[str, Any], role: str = "user") -> Message:
    """One message or item of a conversation, whatever its shape."""
    item = _unwrapped(item)
    kind = item.get("type")
    if kind in ("function_call_output", "custom_tool_call_output", "computer_call_output"):
        given = item.get("output")
        output = [given] if isinstance(given, Mapping) else given
        return {"role": "tool", "tool_call_id": item.get("call_id", ""), "content": content(output)}
    if kind in ("function_call", "custom_tool_call"):
        arguments = item.get("arguments", item.get("input", ""))
        function = {"name": item.get("name", ""), "arguments": arguments}
        call = {"id": item.get("call_id", ""), "type": "function", "function": function}
        return {"role": "assistant", "content": "", "tool_calls": [call]}
    given = next((item[name] for name in ("content", "parts", "message") if item.get(name) is not None), None)
    if given is None and kind not in (None, "message"):
        return {"role": "assistant", "content": content([item])}
    role = str(item.get("role") or role)
    body = content(given)
    images = item.get("images")
    if isinstance(images, list) and images:
        body = [*(content([body]) if isinstance(body, str) and body else body or []), *content(images)]
    return {"role": _ROLES.get(role, role), "content": body, **_named(item)}


def content(given: Any, depth: int = 0) -> Any:
    """The content of a message: text stays text, lists become lists of text and image parts."""
    if given is None:
        return ""
    if isinstance(given, str):
        return given
    if isinstance(given, Mapping):
        return content([given], depth)
    if not isinstance(given, Sequence) or depth > _MAX_DEPTH:
        return _as_text(given)
    parts: list[Message] = []
    for item in given:
        parts += _parts(item, depth)
    return parts


def _parts(item: Any, depth: int) -> list[Message]:
    if isinstance(item, str):
        return [text_part(item)] if item else []
    part = picture_part(item)
    if part is not None:
        caption = item.get("revised_prompt")
        more = [text_part(caption)] if isinstance(caption, str) and caption else []
        return [image_part(part.url, part.detail), *more]
    if not isinstance(item, Mapping):
        return [text_part(_as_text(item))]
    kind = item.get("type")
    text = item.get("text", item.get("content") if kind in ("text", "reasoning") else item.get(str(kind)))
    if isinstance(text, str) and (kind is None or kind in _TEXT_TYPES):
        return [text_part(text)]
    nested = item.get("content", item.get("response", item.get("toolResult")))
    if isinstance(nested, list) and kind in ("tool_result", "tool_call_response", "message", None):
        inner = content(nested, depth + 1)
        return inner if isinstance(inner, list) else [text_part(inner)]
    return [text_part(_as_text(item))]


def _of_request(tree: Mapping[str, Any]) -> list[Message] | None:
    system = next((tree[name] for name in _SYSTEM if tree.get(name)), None)
    before = [] if system is None else [{"role": "system", "content": _system(system)}]
    for name in ("messages", "input", "contents"):
        given = tree.get(name)
        if isinstance(given, str) and name != "messages":
            return [*before, {"role": "user", "content": given}]
        if isinstance(given, Mapping):
            given = [given]
        if isinstance(given, list) and given and (messages := _conversation(given)):
            return [*before, *messages]
    prompt = tree.get("prompt")
    return [{"role": "user", "content": prompt}] if isinstance(prompt, str) else None


_SYSTEM = ("system", "instructions", "system_instruction", "systemInstruction", "developer")


def _system(given: Any) -> Any:
    if isinstance(given, Mapping) and "parts" in given:
        given = given["parts"]
    return content(given)


def _conversation(items: Sequence[Any]) -> list[Message] | None:
    if not all(isinstance(item, str | Mapping | list) for item in items):
        return None
    if all(isinstance(item, Mapping) and _is_message(item) for item in items):
        return [message(item) for item in items]
    if all(isinstance(item, list) for item in items):
        return [each for item in items for each in request_messages(item) or []]
    return [{"role": "user", "content": content(items)}]


def _of_items(items: Sequence[Any]) -> Message | None:
    parts: list[Any] = []
    calls: list[Any] = []
    for item in items:
        if not isinstance(item, Mapping):
            return None
        inner = item.get("message") or item.get("content") if item.get("type") is None else item
        holder = inner if isinstance(inner, Mapping) else item
        one = message(holder, "assistant") if _is_message(holder) else {"content": content([holder])}
        body = one["content"]
        parts += body if isinstance(body, list) else [text_part(body)] if body else []
        calls += one.get("tool_calls", [])
    answer: Message = {"role": "assistant", "content": parts}
    return {**answer, "tool_calls": calls} if calls else answer


def _joined(messages: Sequence[Message]) -> list[Message]:
    parts: list[Message] = []
    for one in messages:
        parts += one["content"] if isinstance(one["content"], list) else [text_part(one["content"])]
    return parts


def _unwrapped(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """LangChain writes a message as the call that makes it."""
    fields = item.get("kwargs")
    if item.get("type") != "constructor" or not isinstance(fields, Mapping):
        return item
    return {"role": fields.get("type", "user"), "content": fields.get("content"), **_named(fields)}


def _named(fields: Mapping[str, Any]) -> Message:
    return {
        name: fields[name] for name in ("name", "tool_calls", "tool_call_id", "refusal") if fields.get(name)
    }


def _is_message(item: Mapping[str, Any]) -> bool:
    if "role" in item or item.get("type") == "constructor":
        return True
    kind = item.get("type")
    return isinstance(kind, str) and (
        kind == "message" or kind.endswith(("_call", "_call_output", "reasoning"))
    )


def _is_part(item: Any) -> bool:
    return isinstance(item, Mapping) and (picture_part(item) is not None or isinstance(item.get("text"), str))


def _of_flat(fields: Mapping[str, Any]) -> Message:
    parts: dict[int, dict[str, Any]] = {}
    calls: dict[int, dict[str, Any]] = {}
    for key, value in fields.items():
        for pattern, into in ((_FLAT_PART, parts), (_FLAT_CALL, calls)):
            if match := pattern.match(key):
                into.setdefault(int(match[1]), {})[match[2]] = value
    text = fields.get("content")
    body: Any = text if text is not None else ""
    if parts:
        listed = [part for index in sorted(parts) for part in _of_flat_part(parts[index])]
        body = listed if not text or text_part(text) in listed else [text_part(text), *listed]
    found: Message = {"role": fields.get("role", "user"), "content": body}
    if calls:
        found["tool_calls"] = [_of_flat_call(calls[index]) for index in sorted(calls)]
    return found | {name: fields[name] for name in ("name", "tool_call_id") if name in fields}


def _of_flat_part(part: Mapping[str, Any]) -> list[Message]:
    if url := part.get("image.image.url"):
        return [image_part(str(url))]
    return [text_part(str(part["text"]))] if part.get("text") else []


def _of_flat_call(call: Mapping[str, Any]) -> Message:
    function = {"name": call.get("function.name", ""), "arguments": call.get("function.arguments", "")}
    return {"id": call.get("id", ""), "type": "function", "function": function}


def _as_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def tree_of(text: Any) -> Any:
    """The JSON of a text, and of text that is JSON again; ``None`` when it is none."""
    tree = parsed(text)
    if tree is None and isinstance(text, str) and text[:1] == '"':
        try:
            tree = parsed(json.loads(text))
        except (ValueError, RecursionError):
            return None
    return tree
