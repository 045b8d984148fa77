"""Facts of a span: its pictures, what the model saw of them, whether the answer has the right form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops.errors import VlmopsError
from vlmops.tracing import attributes as names
from vlmops.tracing.exchange import exchange_of
from vlmops.tracing.parts import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vlmops.models.cards import ImageTokens, ModelCard
    from vlmops.tracing.context import TraceContext
    from vlmops.tracing.dialect import TracedPicture
    from vlmops.tracing.exchange import Exchange

_CHARACTERS_PER_TOKEN = 4
_SHRUNK = 0.5
_UNSEEN = frozenset({"hash", "none"})
_CONTEXT_NAMES = {
    "prompt_name": names.PROMPT_NAME,
    "prompt_version": names.PROMPT_VERSION,
    "dataset_item": names.DATASET_ITEM,
    "release": names.RELEASE,
    "commit": names.COMMIT,
    "environment": names.ENVIRONMENT,
}
_KNOWN_AS = {
    "prompt_name": ("langfuse.observation.prompt.name", "llm.prompt_template.name", "gen_ai.prompt.name"),
    "prompt_version": ("langfuse.observation.prompt.version", "llm.prompt_template.version"),
    "dataset_item": ("langfuse.experiment.item.id",),
    "release": ("langfuse.release", "service.version"),
    "commit": ("vcs.ref.head.revision", "vcs.repository.ref.revision", "git.commit.sha"),
    "environment": ("langfuse.environment", "deployment.environment.name", "deployment.environment"),
}


def span_facts(
    attributes: Mapping[str, Any],
    pictures: Sequence[TracedPicture],
    context: TraceContext | None,
    resource: Mapping[str, Any],
) -> dict[str, Any]:
    """All facts of a span, under the names of :mod:`vlmops.tracing.attributes`.

    Args:
        attributes: With references in the place of pictures.
        pictures: The span's pictures, those sent first.
        context: What the application says of itself.
        resource: Attributes of the resource, which may tell release and environment.

    Returns:
        Nothing for a span that has no pictures, asks for no format and was not refused, unless the
        application says something of itself. A prompt is said of model calls alone.
    """
    exchange = exchange_of(attributes)
    found: dict[str, Any] = {}
    if pictures:
        card = _card(exchange.model)
        seen = [_seen(picture, card) for picture in pictures]
        found |= dict(_summary(pictures, seen))
        found |= dict(_tokens(exchange, pictures, seen, card))
        for index, picture in enumerate(pictures[: names.MAX_IMAGES]):
            found |= {
                names.of_image(index, fact): value
                for fact, value in _of_picture(picture, seen[index])
                if value not in (None, "")
            }
    found |= dict(_response(exchange))
    given = {fact: getattr(context, fact, "") for fact in _KNOWN_AS}
    if not exchange.model:
        given |= {"prompt_name": "", "prompt_version": ""}
    return found | dict(_context(attributes, given, resource if found else {}))


def _card(model: str) -> ModelCard | None:
    if not model:
        return None
    from vlmops.models.cards import card_of

    return card_of(model)


def _seen(picture: TracedPicture, card: ModelCard | None) -> ImageTokens | None:
    facts = picture.kept.facts
    if card is None or picture.found.role == "output" or not facts.width or not facts.height:
        return None
    for detail in (picture.detail or "auto", "auto"):
        try:
            return card.image_tokens(facts.width, facts.height, detail)
        except VlmopsError:
            continue
    return None


def _warnings(picture: TracedPicture, seen: ImageTokens | None) -> tuple[str, ...]:
    found = list(picture.kept.facts.warnings)
    if seen is not None and seen.rejected:
        found.append("beyond the model's limits")
    elif seen is not None and seen.scale < _SHRUNK:
        found.append("shrunk by the model")
    return tuple(found)


def _of_picture(picture: TracedPicture, seen: ImageTokens | None) -> Iterator[tuple[str, Any]]:
    facts = picture.kept.facts
    yield "role", picture.found.role
    yield "width", facts.width
    yield "height", facts.height
    yield "bytes", facts.byte_length
    yield "media_type", facts.media_type
    yield "sha256", facts.sha256
    yield "orientation", facts.orientation
    yield "kept", facts.kept
    yield "reason", picture.kept.reason or facts.reason
    yield "warnings", ", ".join(_warnings(picture, seen))
    yield "reference", picture.reference if picture.kept.drawable else ""
    yield "detail", (seen.detail if seen is not None else "") or picture.detail
    if seen is not None:
        yield "seen_width", seen.seen_width
        yield "seen_height", seen.seen_height
        yield "scale", round(seen.scale, 4)
        yield "estimated_tokens", seen.tokens


def _summary(
    pictures: Sequence[TracedPicture], seen: Sequence[ImageTokens | None]
) -> Iterator[tuple[str, Any]]:
    sent = sum(picture.found.role == "input" for picture in pictures)
    yield names.IMAGE_COUNT, len(pictures)
    yield names.IMAGE_INPUT_COUNT, sent
    yield names.IMAGE_OUTPUT_COUNT, len(pictures) - sent
    yield names.IMAGE_NOT_KEPT_COUNT, sum(picture.kept.facts.kept in _UNSEEN for picture in pictures)
    if any(sizes := [picture.kept.facts.byte_length for picture in pictures]):
        yield names.IMAGE_BYTES, sum(size or 0 for size in sizes)
    warnings = dict.fromkeys(
        warning for picture, one in zip(pictures, seen, strict=True) for warning in _warnings(picture, one)
    )
    if warnings:
        yield names.IMAGE_WARNINGS, ", ".join(warnings)


def _tokens(
    exchange: Exchange,
    pictures: Sequence[TracedPicture],
    seen: Sequence[ImageTokens | None],
    card: ModelCard | None,
) -> Iterator[tuple[str, Any]]:
    """Estimates, where every picture sent can be estimated: a sum with gaps would only mislead."""
    measured = exchange.prompt_tokens
    if measured is not None:
        yield names.TOKENS_MEASURED, measured
    sent = [one for picture, one in zip(pictures, seen, strict=True) if picture.found.role == "input"]
    counted = [one for one in sent if one is not None]
    if card is None or not counted or len(counted) < len(sent):
        return
    times = [_occurrences(picture) for picture in pictures if picture.found.role == "input"]
    tokens = sum(one.tokens * often for one, often in zip(counted, times, strict=True))
    estimated = tokens + exchange.text_length // _CHARACTERS_PER_TOKEN
    yield names.IMAGE_TOKENS, tokens
    yield names.IMAGE_RULE, f"{counted[0].rule} ({counted[0].certainty}, {counted[0].dated})"
    yield names.TOKENS_ESTIMATED, estimated
    cost = card.cost(input_tokens=tokens, image_tokens=tokens)
    if cost is not None:
        yield names.IMAGE_COST, round(cost, 9)
    if measured:
        yield names.IMAGE_SHARE, round(tokens / measured, 4)
        yield names.TOKENS_DRIFT, measured - estimated
        yield names.TOKENS_DRIFT_RATIO, round((measured - estimated) / max(estimated, 1), 4)


def _occurrences(picture: TracedPicture) -> int:
    """How often it is in the request: as often as messages hold it."""
    held = sum(name.startswith("llm.input_messages.") for name in picture.attributes)
    return max(1, held)


def _response(exchange: Exchange) -> Iterator[tuple[str, Any]]:
    asked = exchange.format
    refused = exchange.refused_by or ("phrase" if _declines(exchange.answer) else "")
    if asked is not None:
        yield names.RESPONSE_FORMAT, asked.kind
        if asked.name:
            yield names.RESPONSE_SCHEMA, asked.name
    if refused:
        yield names.RESPONSE_REFUSED, True
        yield names.RESPONSE_REFUSAL, refused
    elif asked is not None and asked.kind != "text" and exchange.answer is not None:
        yield from _validity(exchange.answer, asked.schema)
    if exchange.truncated:
        yield names.RESPONSE_TRUNCATED, True


def _declines(answer: str | None) -> bool:
    from vlmops.evaluators.structure.refusal import refusal_phrase

    return bool(answer) and parsed(answer) is None and refusal_phrase(answer or "") is not None


def _validity(answer: str, schema: Mapping[str, Any] | None) -> Iterator[tuple[str, Any]]:
    from vlmops.evaluators.structure.json_text import parse_json
    from vlmops.evaluators.structure.schema import schema_errors

    try:
        value = parse_json(answer)
        errors = schema_errors(value, schema) if schema is not None else []
    except (ValueError, RecursionError):
        yield names.RESPONSE_VALID, False
        yield names.RESPONSE_ERROR, "the answer is not JSON"
        return
    except VlmopsError:
        yield names.RESPONSE_ERROR, "the request's schema is no JSON Schema"
        return
    yield names.RESPONSE_VALID, not errors
    if errors:
        # The message quotes the answer, which may be private: place and rule say enough.
        place = ".".join(map(str, errors[0].path)) or "the value"
        more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
        yield names.RESPONSE_ERROR, f"{place}: {errors[0].rule}{more}"


def _context(
    attributes: Mapping[str, Any], given: Mapping[str, str], resource: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    """What the span says, else what the application says of itself, else what the resource says."""
    for fact, known_as in _KNOWN_AS.items():
        told = (
            *(attributes.get(name) for name in known_as),
            given[fact],
            *(resource.get(name) for name in known_as),
        )
        if (given[fact] or resource) and (value := next((v for v in told if v not in (None, "")), None)):
            yield _CONTEXT_NAMES[fact], str(value)
