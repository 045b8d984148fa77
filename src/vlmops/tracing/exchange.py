"""What a span tells of the request and the answer, whichever instrumentor wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from vlmops.tracing.parts import parsed

_REQUESTS = ("llm.invocation_parameters", "langfuse.observation.model.parameters", "input.value")
_ANSWERS = ("output.value", "langfuse.observation.output", "gen_ai.output.messages", "gen_ai.completion")
_MODELS = (
    "llm.model_name",
    "gen_ai.response.model",
    "gen_ai.request.model",
    "langfuse.observation.model.name",
)
_PROMPT_TOKENS = ("llm.token_count.prompt", "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens")
_MESSAGE_TEXT = re.compile(
    r"llm\.(?:input_messages|tools|prompts)\..*(?:content|text|json_schema|arguments)$"
)
_OUTPUT_TEXT = re.compile(r"llm\.output_messages\.(\d+)\..*?(?:message\.content|message_content\.text)$")
_TRUNCATED = {"length", "max_tokens", "MAX_TOKENS", "max_output_tokens"}
_FILTERED = {"content_filter", "SAFETY", "refusal", "PROHIBITED_CONTENT", "IMAGE_SAFETY"}
_MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """The form of the answer that a request asks for.

    Attributes:
        kind: What is asked for.
        name: Name of the schema; empty when it has none.
        schema: The JSON Schema; ``None`` when there is none.
    """

    kind: Literal["json_schema", "json_object", "text"]
    name: str = ""
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request to a model and its answer, as far as a span tells.

    Attributes:
        model: Name of the model; empty when unknown.
        prompt_tokens: As the provider measured them.
        text_length: Characters of the text sent.
        format: The form of the answer asked for.
        answer: Text of the first answer; ``None`` when there is none.
        refused_by: Who says that the model declined: ``provider``, ``content_filter``; empty otherwise.
        truncated: Whether the answer was cut off at the token limit.
    """

    model: str = ""
    prompt_tokens: int | None = None
    text_length: int = 0
    format: ResponseFormat | None = None
    answer: str | None = field(default=None, repr=False)
    refused_by: Literal["provider", "content_filter", ""] = ""
    truncated: bool = False


def exchange_of(attributes: Mapping[str, Any]) -> Exchange:
    """Read the attributes of OpenInference, ``gen_ai`` and Langfuse; what none of them tells is left open.

    Example:
        >>> exchange_of({"llm.model_name": "gpt-4o", "llm.token_count.prompt": 900}).prompt_tokens
        900
    """
    requests = [tree for name in _REQUESTS if isinstance(tree := parsed(attributes.get(name)), Mapping)]
    answers = [tree for name in _ANSWERS if (tree := parsed(attributes.get(name))) is not None]
    reasons = set(_values(answers, {"finish_reason", "stop_reason", "finishReason"}))
    reasons |= set(
        _texts(attributes.get("llm.finish_reason"), attributes.get("gen_ai.response.finish_reasons"))
    )
    reasons |= {
        str(value)
        for detail in _values(answers, {"incomplete_details"}, plain=False)
        if isinstance(detail, Mapping) and (value := detail.get("reason"))
    }
    return Exchange(
        model=_model(attributes, requests),
        prompt_tokens=_prompt_tokens(attributes),
        text_length=_text_length(attributes, requests),
        format=_format(attributes, requests),
        answer=_answer(attributes, answers),
        refused_by=_refused_by(answers, reasons),
        truncated=bool(reasons & _TRUNCATED),
    )


def _model(attributes: Mapping[str, Any], requests: Sequence[Mapping[str, Any]]) -> str:
    named = (attributes.get(name) for name in _MODELS)
    asked = (request.get("model") for request in requests)
    return next((name for name in (*named, *asked) if isinstance(name, str) and name), "")


def _prompt_tokens(attributes: Mapping[str, Any]) -> int | None:
    for name in _PROMPT_TOKENS:
        if isinstance(count := attributes.get(name), int):
            return count
    usage = parsed(attributes.get("langfuse.observation.usage_details"))
    if isinstance(usage, Mapping):
        counts = (usage.get(name) for name in ("input", "prompt_tokens", "input_tokens"))
        return next((count for count in counts if isinstance(count, int)), None)
    return None


def _text_length(attributes: Mapping[str, Any], requests: Sequence[Mapping[str, Any]]) -> int:
    flat = sum(
        len(value)
        for name, value in attributes.items()
        if isinstance(value, str) and _MESSAGE_TEXT.match(name)
    )
    if flat:
        return flat
    trees = [*requests, *(parsed(attributes.get(name)) for name in _INPUTS)]
    return max(
        (sum(map(len, _values([tree], {"text", "content", "prompt", "input"}))) for tree in trees), default=0
    )


_INPUTS = ("gen_ai.input.messages", "gen_ai.prompt", "langfuse.observation.input")


def _format(attributes: Mapping[str, Any], requests: Sequence[Mapping[str, Any]]) -> ResponseFormat | None:
    for request in requests:
        text = request.get("text")
        for asked in (
            request.get("response_format"),
            text.get("format") if isinstance(text, Mapping) else None,
        ):
            if isinstance(asked, Mapping) and (found := _openai_format(asked)):
                return found
        config = request.get("generationConfig") or request.get("config") or request
        if isinstance(config, Mapping) and (found := _gemini_format(config)):
            return found
    if attributes.get("gen_ai.output.type") == "json":
        return ResponseFormat("json_object")
    return None


def _openai_format(asked: Mapping[str, Any]) -> ResponseFormat | None:
    kind = asked.get("type")
    if kind == "json_schema":
        holder = asked["json_schema"] if isinstance(asked.get("json_schema"), Mapping) else asked
        schema = holder.get("schema")
        return ResponseFormat(
            "json_schema", str(holder.get("name") or ""), schema if isinstance(schema, Mapping) else None
        )
    if kind == "json_object":
        return ResponseFormat("json_object")
    return ResponseFormat("text") if kind == "text" else None


def _gemini_format(config: Mapping[str, Any]) -> ResponseFormat | None:
    media_type = config.get("response_mime_type") or config.get("responseMimeType")
    if media_type != "application/json":
        return None
    names = ("response_json_schema", "responseJsonSchema")
    schema = next((config[name] for name in names if isinstance(config.get(name), Mapping)), None)
    return ResponseFormat("json_object") if schema is None else ResponseFormat("json_schema", "", schema)


def _answer(attributes: Mapping[str, Any], answers: Sequence[Any]) -> str | None:
    flat = [
        value
        for name, value in attributes.items()
        if isinstance(value, str) and (match := _OUTPUT_TEXT.match(name)) and match[1] == "0"
    ]
    if flat:
        return "\n".join(dict.fromkeys(flat))
    for name in _ANSWERS:
        value = attributes.get(name)
        if isinstance(value, str) and parsed(value) is None:
            return value
    own = parsed(attributes.get("langfuse.observation.output"))
    if isinstance(own, Mapping) and not {"role", "content", "choices"} & own.keys():
        return str(attributes["langfuse.observation.output"])
    texts = [text for text in _values(answers, {"content", "text"}) if text]
    return "\n".join(dict.fromkeys(texts)) or None


def _refused_by(answers: Sequence[Any], reasons: set[str]) -> Literal["provider", "content_filter", ""]:
    if any(_values(answers, {"refusal"})):
        return "provider"
    return "content_filter" if reasons & _FILTERED else ""


def _values(trees: Sequence[Any], names: set[str], *, plain: bool = True) -> Iterator[Any]:
    """Values under any of the names, in order; ``plain`` ones are text."""
    stack: list[tuple[Any, int]] = [(tree, 0) for tree in reversed(trees)]
    while stack:
        node, depth = stack.pop()
        if depth > _MAX_DEPTH:
            continue
        if isinstance(node, Mapping):
            yield from (
                node[name] for name in node if name in names and (isinstance(node[name], str) or not plain)
            )
            stack.extend((value, depth + 1) for value in reversed(list(node.values())))
        elif isinstance(node, Sequence) and not isinstance(node, str):
            stack.extend((value, depth + 1) for value in reversed(node))


def _texts(*values: Any) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, Sequence):
            yield from (each for each in value if isinstance(each, str))
