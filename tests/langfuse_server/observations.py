"""Spans as the server's observations: which attribute becomes which column."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Any

from .clock import parse_time
from .jsonb import decoded, number

if TYPE_CHECKING:
    from .otlp import Span
    from .project import Project

TYPES = [
    "GENERATION",
    "SPAN",
    "EVENT",
    "AGENT",
    "TOOL",
    "CHAIN",
    "RETRIEVER",
    "EVALUATOR",
    "EMBEDDING",
    "GUARDRAIL",
]
_OPENINFERENCE_KINDS = {"LLM": "GENERATION", "RERANKER": "RETRIEVER"}
_SDK_SCOPE = "langfuse-sdk"
_OWN_PREFIX = "langfuse.observation."
_MESSAGES = ("input.value", "output.value", "llm.input_messages.", "llm.output_messages.")
_TOKEN_COUNTS = {
    "prompt": "input",
    "completion": "output",
    "total": "total",
    "prompt_details.cache_read": "input_cached_tokens",
    "completion_details.reasoning": "output_reasoning_tokens",
}


@dataclass(frozen=True)
class ModelPrice:
    """A model of the price list: US dollars a token, by usage type."""

    id: str
    input: float
    output: float
    input_cached_tokens: float


PRICES = {"gpt-4o-mini": ModelPrice("clyrjp56f0000t0mzapoocd7u", 1.5e-7, 6e-7, 7.5e-8)}
"""The one model the recordings price."""


@dataclass(frozen=True)
class Experiment:
    """What a span says about the experiment it belongs to; empty text and None mean "not said"."""

    id: str
    name: str
    description: str
    metadata: dict[str, str]
    dataset_id: str | None
    item_id: str
    item_version: int | None
    item_metadata: dict[str, str]
    expected_output: str | None
    root_observation_id: str


@dataclass(frozen=True)
class Observation:
    """One row. Times are milliseconds; `metadata` holds stored text by key."""

    id: str
    trace_id: str
    parent_id: str | None
    name: str
    type: str
    start: int
    end: int
    level: str
    status_message: str
    version: str
    environment: str
    user_id: str
    session_id: str
    trace_name: str
    release: str
    tags: list[str]
    is_root: bool
    input: str | None
    output: str | None
    metadata: dict[str, str]
    model: str
    model_parameters: dict[str, Any]
    usage: dict[str, int]
    cost: dict[str, float]
    prompt_name: str
    prompt_version: int | None
    completion_start: int | None
    experiment: Experiment | None
    received: int = 0
    visible_at: int = 0

    @property
    def latency(self) -> float:
        """Seconds from start to end."""
        return (self.end - self.start) / 1000

    @property
    def total_cost(self) -> float:
        """US dollars."""
        return self.cost.get("total", 0)

    @property
    def price(self) -> ModelPrice | None:
        """The price of the model, where the list knows it."""
        return PRICES.get(self.model)


@dataclass
class ObservationStore:
    """The observations of one project. A span sent again with the same start replaces the row as a whole."""

    project: Project
    rows: dict[tuple[str, str, int], Observation] = field(default_factory=dict)

    def take(self, spans: list[Span]) -> None:
        """Store spans; they become visible after the consistency delay."""
        now = self.project.clock.now()
        for span in spans:
            row = observation_of(span, now, now + self.project.delay_ms)
            key = (row.trace_id, row.id, row.start)
            self.rows.pop(key, None)
            self.rows[key] = row

    def visible(self) -> list[Observation]:
        """What reads see: newest start first, then by trace and id, descending."""
        now = self.project.clock.now()
        rows = [row for row in self.rows.values() if row.visible_at <= now]
        return sorted(rows, key=lambda row: (row.start, row.trace_id, row.id), reverse=True)


def observation_of(span: Span, received: int, visible_at: int) -> Observation:
    """The row a span becomes."""
    said = span.attributes
    model = str(_first(said, _OWN_PREFIX + "model.name", "llm.model_name", "gen_ai.request.model") or "")
    usage = _usage(said)
    return Observation(
        id=span.span_id,
        trace_id=span.trace_id,
        parent_id=span.parent_id,
        name=span.name,
        type=_type(said, model),
        start=span.start // 1_000_000,
        end=span.end // 1_000_000,
        level=said.get(_OWN_PREFIX + "level") or ("ERROR" if span.failed else "DEFAULT"),
        status_message=said.get(_OWN_PREFIX + "status_message") or span.status_message,
        version=_text(said, "langfuse.version"),
        environment=_environment(span),
        user_id=_text(said, "user.id", "langfuse.user.id"),
        session_id=_text(said, "session.id", "langfuse.session.id"),
        trace_name=_text(said, "langfuse.trace.name"),
        release=_text(said, "langfuse.release"),
        tags=_tags(said.get("langfuse.trace.tags")),
        is_root=span.parent_id is None or said.get("langfuse.internal.is_app_root") is True,
        input=_json_text(_first(said, _OWN_PREFIX + "input", "input.value")),
        output=_json_text(_first(said, _OWN_PREFIX + "output", "output.value")),
        metadata=_metadata(span),
        model=model,
        model_parameters=_object(said, _OWN_PREFIX + "model.parameters", "llm.invocation_parameters"),
        usage=usage,
        cost=_cost(said, model, usage),
        prompt_name=_text(said, _OWN_PREFIX + "prompt.name"),
        prompt_version=said.get(_OWN_PREFIX + "prompt.version"),
        completion_start=_completion_start(said),
        experiment=_experiment(said),
        received=received,
        visible_at=visible_at,
    )


def _first(said: dict[str, Any], *names: str) -> Any:
    return next((said[name] for name in names if said.get(name) is not None), None)


def _text(said: dict[str, Any], *names: str) -> str:
    value = _first(said, *names)
    return "" if value is None else str(value)


def _json_text(value: Any) -> str | None:
    """Stored text of an attribute: strings as they are, everything else as JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _object(said: dict[str, Any], *names: str) -> dict[str, Any]:
    value = decoded(_first(said, *names))
    return value if isinstance(value, dict) else {}


def _type(said: dict[str, Any], model: str) -> str:
    own = str(said.get(_OWN_PREFIX + "type") or "").upper()
    if own in TYPES:
        return own
    kind = str(said.get("openinference.span.kind") or "").upper()
    kind = _OPENINFERENCE_KINDS.get(kind, kind)
    if kind in TYPES:
        return kind
    return "GENERATION" if model else "SPAN"


def _environment(span: Span) -> str:
    names = ("langfuse.environment", "deployment.environment.name", "deployment.environment")
    return _text(span.attributes, *names) or _text(span.resource, *names) or "default"


def _tags(value: Any) -> list[str]:
    value = decoded(value)
    return [str(tag) for tag in value] if isinstance(value, list) else []


def _metadata(span: Span) -> dict[str, str]:
    stored: dict[str, Any] = {}
    for prefix in ("langfuse.trace.metadata.", _OWN_PREFIX + "metadata."):
        stored |= _under(span.attributes, prefix)
    stored |= {f"scope.attributes.{key}": value for key, value in span.scope_attributes.items()}
    stored |= {"scope.version": span.scope_version, "scope.name": span.scope_name}
    stored |= {f"resourceAttributes.{key}": value for key, value in span.resource.items()}
    if span.scope_name != _SDK_SCOPE:
        stored |= {f"attributes.{key}": value for key, value in span.attributes.items() if _unmapped(key)}
    return {key: _json_text(value) or "" for key, value in stored.items()}


def _unmapped(key: str) -> bool:
    return not key.startswith((_OWN_PREFIX, "langfuse.experiment.", "langfuse.internal.", *_MESSAGES))


def _under(said: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {key[len(prefix) :]: value for key, value in said.items() if key.startswith(prefix)}


def _usage(said: dict[str, Any]) -> dict[str, int]:
    usage = {
        key: value for key, value in _object(said, _OWN_PREFIX + "usage_details").items() if value is not None
    }
    if not usage:
        counts = {kind: said.get(f"llm.token_count.{name}") for name, kind in _TOKEN_COUNTS.items()}
        usage = {kind: int(count) for kind, count in counts.items() if count is not None}
    if usage and "total" not in usage:
        usage["total"] = sum(usage.values())
    return usage


def _cost(said: dict[str, Any], model: str, usage: dict[str, int]) -> dict[str, float]:
    cost = _object(said, _OWN_PREFIX + "cost_details")
    price = PRICES.get(model)
    if not cost and price is not None:
        priced = ("input", "output", "input_cached_tokens")
        cost = {kind: getattr(price, kind) * usage[kind] for kind in priced if kind in usage}
    if cost and "total" not in cost:
        cost["total"] = sum(cost.values())
    return {kind: _as_stored(value) for kind, value in cost.items()}


def _as_stored(dollars: float) -> float:
    """Costs are kept with twelve decimals; what lies behind is cut off."""
    return float(Decimal(repr(dollars)).quantize(Decimal("1e-12"), ROUND_DOWN))


def _completion_start(said: dict[str, Any]) -> int | None:
    value = decoded(said.get(_OWN_PREFIX + "completion_start_time"))
    return parse_time(value, needs_zone=False) if isinstance(value, str) else None


def _texts(said: dict[str, Any], name: str) -> dict[str, str]:
    """A group of metadata, sent as one JSON object (SDK 5) or one attribute a key (SDK 4), as plain texts."""
    values = _object(said, name) or _under(said, f"{name}.")
    return {
        key: value if isinstance(value, str) else json.dumps(number(value)) for key, value in values.items()
    }


def _experiment(said: dict[str, Any]) -> Experiment | None:
    prefix = "langfuse.experiment."
    if not said.get(prefix + "id"):
        return None
    version = said.get(prefix + "item.version")
    return Experiment(
        id=said[prefix + "id"],
        name=_text(said, prefix + "name"),
        description=_text(said, prefix + "description"),
        metadata=_texts(said, prefix + "metadata"),
        dataset_id=said.get(prefix + "dataset.id"),
        item_id=_text(said, prefix + "item.id"),
        item_version=parse_time(version, needs_zone=False) if version else None,
        item_metadata=_texts(said, prefix + "item.metadata"),
        expected_output=said.get(prefix + "item.expected_output"),
        root_observation_id=_text(said, prefix + "item.root_observation_id"),
    )
