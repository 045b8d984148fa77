"""How Langfuse draws pictures of traces: chat parts of type ``image_url`` that hold a media reference.

Seen on Langfuse 4.16: drawn in place are chat messages whose parts have that shape, and values that are
references and nothing else. References in other JSON are chips with a preview, those in prose are raw text,
and Markdown around one is dropped. The server reads ``input.value`` and ignores ``llm.input_messages``
beside it. So requests and answers that hold pictures become chat messages; what is no conversation stays.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vlmops.tracing import attributes as names
from vlmops.tracing.chat import (
    Message,
    answer_message,
    flat_messages,
    image_part,
    request_messages,
    text_part,
    tree_of,
)
from vlmops.tracing.prose import References

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vlmops.tracing.dialect import Attributes, TracedPicture
    from vlmops.tracing.picture import Role

_METADATA = "langfuse.observation.metadata."
_LONGEST_VALUE = 200
_READ: dict[str, tuple[str, ...]] = {
    side: (f"langfuse.observation.{side}", f"{side}.value", f"gen_ai.{side}.messages", old)
    for side, old in (("input", "gen_ai.prompt"), ("output", "gen_ai.completion"))
}
"""Where the server looks for input and output, the first that is there winning."""

_SYSTEM = ("system", "instructions", "system_instruction", "systemInstruction")
_SHAPE = frozenset({"messages", "input", "contents", "prompt", *_SYSTEM})
"""Keys of a request that its messages take the place of."""

_NATIVE = {
    names.RELEASE: "langfuse.release",
    names.ENVIRONMENT: "langfuse.environment",
    names.PROMPT_NAME: "langfuse.observation.prompt.name",
}


class LangfuseDialect:
    """Pictures as Langfuse's trace page draws them, facts as metadata it filters by.

    Of a request, parameters stay beside ``messages``; of an answer that holds pictures, the message stays
    and the provider's envelope goes (model and usage have attributes of their own).

    Example:
        >>> LangfuseDialect().facts({"vlmops.image.count": 2})
        {'langfuse.observation.metadata.vlmops.image.count': 2}
    """

    def arrange(self, attributes: Attributes, pictures: Sequence[TracedPicture]) -> Attributes:
        """Inputs and outputs that hold pictures as chat messages; all else as it is."""
        drawable = [picture for picture in pictures if picture.kept.drawable]
        if not drawable:
            return attributes
        arranged = dict(attributes)
        held: dict[Role, list[TracedPicture]] = {
            "input": [picture for picture in drawable if picture.stands_in("input")],
            "output": [picture for picture in drawable if picture.stands_in("output")],
        }
        for side, there in held.items():
            if there:
                _draw(arranged, side, there)
        if held["output"] and not held["input"]:
            _as_conversation(arranged)
        return arranged

    def facts(self, facts: Mapping[str, Any]) -> Attributes:
        """Metadata of the observation; release, environment and prompt as Langfuse's own fields."""
        return dict(_fact(name, value) for name, value in facts.items())


def _fact(name: str, value: Any) -> tuple[str, Any]:
    if name == names.PROMPT_VERSION and str(value).isdecimal():
        return "langfuse.observation.prompt.version", int(value)
    return _NATIVE.get(name, _METADATA + name), _short(value)


def _short(value: Any) -> Any:
    """The server cuts longer values off."""
    if isinstance(value, str) and len(value) > _LONGEST_VALUE:
        return value[: _LONGEST_VALUE - 3] + "..."
    return value


def _draw(attributes: Attributes, side: Role, pictures: Sequence[TracedPicture]) -> None:
    place = next((name for name in _READ[side] if attributes.get(name) is not None), f"{side}.value")
    given = attributes.get(place)
    references = References([picture.reference for picture in pictures if picture.kept.facts.kept != "url"])
    if isinstance(given, str) and references.are_all_of(given):
        return
    messages = _messages(attributes, side, given, references)
    if messages is None:
        return
    messages = [{**one, "content": _split(one["content"], references)} for one in messages]
    drawn = json.dumps(messages, ensure_ascii=False)
    missing = [p for p in pictures if json.dumps(p.reference, ensure_ascii=False) not in drawn]
    if missing:
        _append(messages, side, missing)
    attributes[place] = _written(messages, side, tree_of(given))


def _messages(attributes: Attributes, side: Role, given: Any, references: References) -> list[Message] | None:
    """The conversation of one side, from where the server looks, else from OpenInference's messages."""
    tree = tree_of(given)
    known = _of_tree(tree, side)
    flat = flat_messages(attributes, f"llm.{side}_messages")
    if known is not None and (references.within(given) or not flat):
        return known
    if flat:
        return flat
    if tree is None and isinstance(given, str):
        return [{"role": _ROLE[side], "content": given}]
    return [] if given is None else None


_ROLE = {"input": "user", "output": "assistant"}


def _of_tree(tree: Any, side: Role) -> list[Message] | None:
    if tree is None:
        return None
    if side == "input":
        return request_messages(tree)
    answer = answer_message(tree)
    return None if answer is None else [answer]


def _split(content: Any, references: References) -> Any:
    """Text with references within becomes parts, each picture in its place."""
    if isinstance(content, str):
        return _pieces(content, references) if references.within(content) else content
    if not isinstance(content, list):
        return content
    parts: list[Message] = []
    for part in content:
        text = part.get("text") if part.get("type") == "text" else None
        parts += _pieces(text, references) if isinstance(text, str) and references.within(text) else [part]
    return parts


def _pieces(text: str, references: References) -> list[Message]:
    return [
        image_part(reference) if reference else text_part(piece)
        for piece, reference in references.cut(text)
        if reference or piece.strip()
    ]


def _append(messages: list[Message], side: Role, missing: Sequence[TracedPicture]) -> None:
    """Pictures that no message holds (uploaded, generated) go with the last message of the side."""
    last = next((one for one in reversed(messages) if one["role"] == _ROLE[side]), None)
    if last is None:
        last = {"role": _ROLE[side], "content": []}
        messages.append(last)
    body = last["content"]
    parts = body if isinstance(body, list) else [text_part(body)] if body else []
    last["content"] = [*parts, *(image_part(picture.reference, picture.detail) for picture in missing)]


def _written(messages: Sequence[Message], side: Role, tree: Any) -> str:
    if side == "output" and len(messages) == 1:
        return json.dumps(messages[0], ensure_ascii=False)
    if isinstance(tree, dict):
        rest = {name: value for name, value in tree.items() if name not in _SHAPE}
        return json.dumps({"messages": list(messages), **rest}, ensure_ascii=False)
    return json.dumps(list(messages), ensure_ascii=False)


def _as_conversation(attributes: Attributes) -> None:
    """Make a lone prompt a conversation, beside which alone an answer's pictures are drawn."""
    place = next((name for name in _READ["input"] if attributes.get(name) is not None), None)
    given = attributes[place] if place is not None else None
    if place is None or not isinstance(given, str):
        return
    tree = tree_of(given)
    messages = request_messages(tree) if tree is not None else [{"role": "user", "content": given}]
    if messages and not (isinstance(tree, dict) and "messages" in tree):
        attributes[place] = _written(messages, "input", tree)
