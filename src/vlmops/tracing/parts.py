"""How providers write a picture as part of a message: one reading of all their shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_JSON = 4_000_000
"""Characters of the longest text that is parsed; longer ones are left as they are."""

_MAX_DEPTH = 100
_MAX_NESTED = 4


@dataclass(frozen=True, slots=True)
class PicturePart:
    """A picture as part of a message.

    Attributes:
        url: Its address, data URI, base64, or whatever was written in their place.
        detail: The detail that is asked for; empty when none is.
        media_type: As claimed; empty when nothing is.
    """

    url: str
    detail: str = ""
    media_type: str = ""


def picture_part(node: Any) -> PicturePart | None:
    """The picture that a JSON object is a part for; ``None`` when it is none.

    Reads the parts of OpenAI (chat, Responses, Images, image generation, computer use), Anthropic, Gemini,
    Vertex, Bedrock, LangChain, the AI SDK and the ``gen_ai`` conventions of OpenTelemetry.

    Example:
        >>> picture_part({"type": "image_url", "image_url": {"url": "https://host/a.png", "detail": "low"}})
        PicturePart(url='https://host/a.png', detail='low', media_type='')
        >>> picture_part({"inline_data": {"mime_type": "image/png", "data": "iVBORw0KGgo="}}).media_type
        'image/png'
        >>> picture_part({"type": "text", "text": "What is this?"})
    """
    if not isinstance(node, Mapping):
        return None
    for read in (_image_url, _source, _inline, _generated, _typed):
        part = read(node)
        if part is not None:
            return part
    return None


def _image_url(node: Mapping[str, Any]) -> PicturePart | None:
    given = node.get("image_url")
    if isinstance(given, Mapping):
        return _part(given.get("url"), given.get("detail"))
    return _part(given, node.get("detail"))


def _source(node: Mapping[str, Any]) -> PicturePart | None:
    """Anthropic ``{type: image, source: ...}`` and Bedrock ``{image: {format, source: {bytes}}}``."""
    holder = node["image"] if isinstance(node.get("image"), Mapping) else node
    source = holder.get("source")
    if not isinstance(source, Mapping) or (holder is node and node.get("type") not in ("image", None)):
        return None
    media_type = source.get("media_type") or (f"image/{holder['format']}" if "format" in holder else "")
    return _part(_first(source, "data", "url", "bytes"), None, media_type)


def _inline(node: Mapping[str, Any]) -> PicturePart | None:
    for name in ("inline_data", "inlineData", "file_data", "fileData"):
        data = node.get(name)
        if isinstance(data, Mapping) and _is_image(_first(data, "mime_type", "mimeType")):
            media_type = _first(data, "mime_type", "mimeType")
            return _part(_first(data, "data", "file_uri", "fileUri"), None, media_type)
    return None


def _generated(node: Mapping[str, Any]) -> PicturePart | None:
    """An entry of an Images answer, and a call of the image generation tool."""
    if "b64_json" in node or "revised_prompt" in node:
        return _part(_first(node, "b64_json", "url"))
    if node.get("type") == "image_generation_call":
        return _part(node.get("result"))
    return None


def _typed(node: Mapping[str, Any]) -> PicturePart | None:
    kind = node.get("type")
    media_type = _first(node, "mime_type", "mimeType", "media_type", "mediaType")
    if kind not in ("image", "input_image") and not (
        kind in ("media", "blob", "uri", "file")
        and (_is_image(media_type) or node.get("modality") == "image")
    ):
        return None
    url = _first(node, "url", "data", "base64", "content", "uri", "image", "file_uri")
    return _part(url, node.get("detail"), media_type)


def _part(url: Any, detail: Any = None, media_type: Any = "") -> PicturePart | None:
    if not isinstance(url, str) or not url:
        return None
    return PicturePart(url, str(detail or ""), str(media_type or ""))


def _first(node: Mapping[str, Any], *names: str) -> Any:
    return next((node[name] for name in names if node.get(name)), None)


def _is_image(media_type: Any) -> bool:
    return isinstance(media_type, str) and media_type.startswith("image/")


def picture_parts(tree: Any) -> Iterator[PicturePart]:
    """All picture parts of a JSON tree, in order, those in JSON text within it included.

    What is nested deeper than 100 levels, or in the fourth JSON text within another, is left out.
    """
    stack: list[tuple[Any, int, int]] = [(tree, 0, 0)]
    while stack:
        node, depth, nested = stack.pop()
        if depth > _MAX_DEPTH:
            continue
        if isinstance(node, str):
            inner = parsed(node) if nested < _MAX_NESTED else None
            if inner is not None:
                stack.append((inner, depth + 1, nested + 1))
            continue
        part = picture_part(node)
        if part is not None:
            yield part
        elif isinstance(node, Mapping):
            stack.extend((value, depth + 1, nested) for value in reversed(list(node.values())))
        elif isinstance(node, Sequence):
            stack.extend((value, depth + 1, nested) for value in reversed(node))


def parsed(text: Any) -> Any:
    """The object or list that a text is the JSON of; ``None`` when it is anything else, or hostile.

    Example:
        >>> parsed(' {"a": [1]}'), parsed("12"), parsed("[" * 100_000)
        ({'a': [1]}, None, None)
    """
    if not isinstance(text, str) or len(text) > MAX_JSON or text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
