"""How Phoenix draws pictures of traces: image contents of messages, and Markdown elsewhere.

Seen on Phoenix 20: on LLM spans it draws ``message_content.image.image.url`` of any message; on other spans
only Markdown in inputs, outputs and documents that are text. What instrumentors record of generated and
uploaded pictures (``output.images``, ``input.images``) it draws nowhere.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.tracing.chat import Message, answer_message, request_messages, tree_of
from vlmops.tracing.prose import References

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vlmops.tracing.dialect import Attributes, TracedPicture
    from vlmops.tracing.picture import Role

_KIND = "openinference.span.kind"
_JSON = "application/json"
_REDACTED = "__REDACTED__"
_IMAGE_SLOT = "message_content.image.image.url"
_MESSAGE = re.compile(r"llm\.(?:input|output)_messages\.(\d+)\.message\.(?:contents\.(\d+)\.)?")
_TEXT = re.compile(r"(?:input|output)\.value|(?:retrieval|reranker)\..*document\.content|.*embedding\.text")
_SIDES: tuple[Role, Role] = ("input", "output")
_ROLE = {"input": "user", "output": "assistant"}
_FENCE = "\n\n```json\n"
_KINDS = {"generation": "LLM", "span": "CHAIN", "event": "CHAIN"}
_LANGFUSE = "langfuse.observation."
_USAGE = {"input": "prompt", "output": "completion", "total": "total"}


@dataclass(frozen=True, slots=True)
class PhoenixDialect:
    """Pictures as Phoenix's trace page draws them, facts as attributes it filters by.

    Observations of the Langfuse SDK get the attributes that Phoenix reads.

    Attributes:
        draw_json: Whether a JSON input or output of a span that is no model call, which Phoenix would not
            draw the pictures of, becomes Markdown: the pictures, then the JSON in a code block, from which
            :func:`plain_value` takes it again.

    Example:
        >>> PhoenixDialect().facts({"vlmops.image.count": 2})
        {'vlmops.image.count': 2}
    """

    draw_json: bool = True

    def arrange(self, attributes: Attributes, pictures: Sequence[TracedPicture]) -> Attributes:
        """Pictures as contents of messages where the span is a model call, as Markdown elsewhere."""
        arranged = _with_openinference(attributes)
        if not pictures:
            return arranged
        _gen_ai_uris(arranged, pictures)
        if arranged.get(_KIND) == "LLM":
            for side in _SIDES:
                _draw_messages(arranged, side, pictures)
        elif _KIND in arranged:
            self._draw_markdown(arranged, pictures)
        return arranged

    def facts(self, facts: Mapping[str, Any]) -> Attributes:
        """The facts under their own names: Phoenix shows and filters any attribute."""
        return dict(facts)

    def _draw_markdown(self, attributes: Attributes, pictures: Sequence[TracedPicture]) -> None:
        references = References([picture.reference for picture in pictures if picture.kept.drawable])
        for name in [name for name in attributes if _TEXT.fullmatch(name)]:
            text = attributes[name]
            if not references.within(text):
                continue
            tree = tree_of(text)
            if tree is None:
                attributes[name] = _markdown(text, references)
            elif self.draw_json and name.endswith(".value"):
                drawn = "\n".join(_image(piece) for piece in _found(text, references))
                attributes[name] = f"{drawn}{_FENCE}{text}\n```"
            else:
                continue
            if name.endswith(".value"):
                attributes[name.replace(".value", ".mime_type")] = "text/plain"


def plain_value(value: str) -> str:
    r"""The input or output as the application gave it, without what draws its pictures.

    Example:
        >>> plain_value('![picture](https://host/a.png)\n\n```json\n{"page": "https://host/a.png"}\n```')
        '{"page": "https://host/a.png"}'
        >>> plain_value("What is ![picture](https://host/a.png)?")
        'What is https://host/a.png?'
    """
    head, fence, body = value.partition(_FENCE)
    if fence and body.endswith("\n```") and not _DRAWN.sub("", head).strip():
        return body.removesuffix("\n```")
    return _DRAWN.sub(r"\1", value)


_DRAWN = re.compile(r"!\[picture\]\(([^)\s]*)\)")


def _image(reference: str) -> str:
    return f"![picture]({reference})"


def _found(text: str, references: References) -> list[str]:
    return list(dict.fromkeys(reference for _, reference in references.cut(text) if reference))


def _markdown(text: str, references: References) -> str:
    """Bare references become Markdown pictures; those that Markdown or HTML draws already stay."""
    pieces = references.cut(text.strip('"') if references.are_all_of(text.strip('"')) else text)
    return "".join(_image(piece) if piece == reference else piece for piece, reference in pieces)


def _draw_messages(attributes: Attributes, side: Role, pictures: Sequence[TracedPicture]) -> None:
    """Each picture of a side that no message shows goes with the message that mentions it, else the last."""
    missing = [
        picture
        for picture in pictures
        if picture.kept.drawable
        and picture.stands_in(side)
        and not any(
            name.startswith(f"llm.{side}_messages.") and name.endswith(_IMAGE_SLOT)
            for name in picture.attributes
        )
    ]
    if not missing:
        return
    prefix = f"llm.{side}_messages"
    if not any(name.startswith(f"{prefix}.") for name in attributes):
        messages = _flattened(_recorded(attributes, side), prefix)
        attributes |= messages
    else:
        messages = _unredacted(attributes, f"{prefix}.", missing)
        attributes |= messages
    shown = {value for name, value in messages.items() if name.endswith(_IMAGE_SLOT)}
    missing = [picture for picture in missing if picture.reference not in shown]
    for picture in missing:
        index = _message_of(attributes, prefix, picture.reference, _ROLE[side])
        _add_image(attributes, f"{prefix}.{index}.message", picture.reference, _ROLE[side])


def _unredacted(attributes: Attributes, prefix: str, missing: Sequence[TracedPicture]) -> Attributes:
    """Messages with the pictures in the place of marks that an instrumentor left, where each has its mark."""
    marked = {
        name: value
        for name, value in attributes.items()
        if name.startswith(prefix) and isinstance(value, str) and _REDACTED in value
    }
    if sum(value.count(_REDACTED) for value in marked.values()) != len(missing):
        return {}
    references = iter([picture.reference for picture in missing])
    return {
        name: re.sub(_REDACTED, lambda _: next(references), marked[name])
        for name in sorted(marked, key=lambda name: [int(number) for number in re.findall(r"\d+", name)])
    }


def _recorded(attributes: Attributes, side: Role) -> list[Message]:
    """The messages that an input or output value holds, where the instrumentor wrote none."""
    tree = tree_of(attributes.get(f"{side}.value"))
    if side == "input":
        return request_messages(tree) or []
    answer = answer_message(tree)
    return [] if answer is None else [answer]


def _flattened(messages: Sequence[Message], prefix: str) -> Attributes:
    flat: Attributes = {}
    for index, one in enumerate(messages):
        base = f"{prefix}.{index}.message"
        flat[f"{base}.role"] = one["role"]
        if one.get("tool_call_id"):
            flat[f"{base}.tool_call_id"] = one["tool_call_id"]
        body = one["content"]
        if isinstance(body, str):
            flat |= {f"{base}.content": body} if body else {}
            continue
        for number, part in enumerate(body):
            flat |= _flat_part(f"{base}.contents.{number}.message_content", part)
    return flat


def _flat_part(base: str, part: Mapping[str, Any]) -> Attributes:
    if part["type"] == "image_url":
        return {f"{base}.type": "image", f"{base}.image.image.url": part["image_url"]["url"]}
    return {f"{base}.type": "text", f"{base}.text": part["text"]}


def _message_of(attributes: Attributes, prefix: str, reference: str, role: str) -> int:
    """The message whose text mentions the picture; else the last of that role; else a new one."""
    last, end = -1, 0
    for name, value in attributes.items():
        match = _MESSAGE.match(name) if name.startswith(f"{prefix}.") else None
        if match is None:
            continue
        index = int(match[1])
        end = max(end, index + 1)
        if isinstance(value, str) and reference in value and not name.endswith(_IMAGE_SLOT):
            return index
        if name.endswith(".message.role") and value == role:
            last = max(last, index)
    return last if last >= 0 else end


def _add_image(attributes: Attributes, base: str, reference: str, role: str) -> None:
    attributes.setdefault(f"{base}.role", role)
    taken = [
        int(match[2])
        for name in attributes
        if name.startswith(f"{base}.contents.") and (match := _MESSAGE.match(name)) and match[2]
    ]
    content = f"{base}.contents.{max(taken, default=-1) + 1}.message_content"
    attributes[f"{content}.type"] = "image"
    attributes[f"{content}.image.image.url"] = reference


def _gen_ai_uris(attributes: Attributes, pictures: Sequence[TracedPicture]) -> None:
    """A blob whose content is now an address is a ``uri`` part: Phoenix would take the address for base64."""
    references = {picture.reference for picture in pictures}
    for name in ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"):
        tree = tree_of(attributes.get(name))
        if isinstance(tree, list) and _as_uris(tree, references):
            attributes[name] = json.dumps(tree, ensure_ascii=False)


def _as_uris(node: Any, references: set[str], depth: int = 0) -> bool:
    if depth > 20:
        return False
    if isinstance(node, dict) and node.get("type") == "blob" and node.get("content") in references:
        node["uri"] = node.pop("content")
        node["type"] = "uri"
        return True
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    changed = [_as_uris(each, references, depth + 1) for each in inner]
    return any(changed)


def _with_openinference(attributes: Attributes) -> Attributes:
    """What Phoenix reads, of an observation of the Langfuse SDK; other spans as they are."""
    own = attributes.get(f"{_LANGFUSE}type")
    if own is None or _KIND in attributes:
        return dict(attributes)
    found: Attributes = {_KIND: _KINDS.get(str(own), str(own).upper())}
    for side in _SIDES:
        value = attributes.get(f"{_LANGFUSE}{side}")
        if value is not None:
            found[f"{side}.value"] = value
            found[f"{side}.mime_type"] = "text/plain" if tree_of(value) is None else _JSON
    if model := attributes.get(f"{_LANGFUSE}model.name"):
        found["llm.model_name"] = model
    if parameters := attributes.get(f"{_LANGFUSE}model.parameters"):
        found["llm.invocation_parameters"] = parameters
    usage = tree_of(attributes.get(f"{_LANGFUSE}usage_details"))
    for theirs, ours in _USAGE.items():
        if isinstance(usage, dict) and isinstance(usage.get(theirs), int):
            found[f"llm.token_count.{ours}"] = usage[theirs]
    return {**found, **attributes}
