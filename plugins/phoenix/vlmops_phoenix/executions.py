"""What Phoenix has recorded, read back as cases with their pictures."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vlmops.concurrency import batches
from vlmops.errors import ImageError
from vlmops.evaluators import Case, Failure, FailureKind, Usage
from vlmops.platforms.records import Execution, ExecutionQuery, ScoreTarget
from vlmops_phoenix.annotations import PhoenixAnnotations
from vlmops_phoenix.span_messages import messages_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from vlmops.platforms.records import TargetedScore
    from vlmops_phoenix.connection import PhoenixConnection
    from vlmops_phoenix.pictures import PhoenixPictures

_PAGE = 200
_PROJECT = "query($id: String!) { found: getTraceByOtelId(traceId: $id) { project { name } } }"
_ENVIRONMENT = ("vlmops.environment", "deployment.environment.name", "deployment.environment")
"""Attributes by which spans tell where they were recorded; the first that is there counts."""


class PhoenixExecutions:
    """Spans of one Phoenix."""

    def __init__(self, connection: PhoenixConnection, pictures: PhoenixPictures) -> None:
        self._connection = connection
        self._pictures = pictures

    async def read(self, query: ExecutionQuery) -> AsyncIterator[Execution]:
        """Executions that fit, newest first, streamed page by page."""
        project = query.project or await self._project_of(query) or self._connection.settings.project
        path = f"/v1/projects/{quote(project, safe='')}/spans"
        annotations = PhoenixAnnotations(self._connection, project)
        parameters = span_parameters(query, _PAGE)
        count = 0
        async for spans in batches(self._connection.pages(path, parameters), parameters["limit"]):
            scores_of = await annotations.on_spans(spans) if query.needs_scores else {}
            for span in spans:
                scores = scores_of.get(span["context"]["span_id"], ())
                if admitted(query, span, scores):
                    yield self._execution(span, scores)
                    count += 1
                    if count == query.limit:
                        return

    def _execution(self, span: Mapping[str, Any], scores: Sequence[TargetedScore]) -> Execution:
        started = datetime.fromisoformat(span["start_time"])
        ended = datetime.fromisoformat(span["end_time"])
        context = span["context"]
        attributes = span["attributes"]
        case = Case(
            output=_output(span, self._messages(attributes, "output")),
            inputs=self._messages(attributes, "input") or _value(attributes, "input"),
            id=context["span_id"],
            metadata=_metadata(attributes),
            usage=_usage(attributes),
            latency=(ended - started).total_seconds(),
        )
        target = ScoreTarget("span", context["span_id"], context["trace_id"])
        return Execution(
            case,
            target,
            started,
            attributes.get("session.id"),
            span["name"],
            span["span_kind"],
            scores,
            _environment(attributes),
        )

    async def _project_of(self, query: ExecutionQuery) -> str | None:
        """The project of the traces that are asked for: each experiment has one of its own."""
        if not query.trace_ids:
            return None
        answer = await self._connection.graphql(_PROJECT, {"id": query.trace_ids[0]})
        return answer["found"]["project"]["name"] if answer["found"] else None

    def _messages(self, attributes: Mapping[str, Any], side: str) -> list[dict[str, Any]]:
        """The side's messages, each picture as an image; one that cannot be an image stays its URL."""

        def picture(url: str) -> Any:
            try:
                return self._pictures.at(url)
            except ImageError:
                return url

        return messages_of(attributes, side, picture)


def span_parameters(query: ExecutionQuery, page: int) -> dict[str, Any]:
    """What Phoenix's list of spans is asked for: all but what :func:`admitted` decides."""
    chosen: dict[str, Any] = {
        "limit": min(page, query.limit) if query.limit and not _is_choosy(query) else page,
        "sort": "start_time",
        "start_time": query.start.isoformat() if query.start else None,
        "end_time": query.end.isoformat() if query.end else None,
        "name": query.name,
        "span_kind": query.kind,
        "trace_id": list(query.trace_ids) or None,
    }
    return {key: value for key, value in chosen.items() if value is not None}


def admitted(query: ExecutionQuery, span: Mapping[str, Any], scores: Sequence[TargetedScore]) -> bool:
    """Whether a span with these scores fits the query in what Phoenix's list cannot be asked for."""
    return query.admits(scores) and query.environment in (None, _environment(span["attributes"]))


def _is_choosy(query: ExecutionQuery) -> bool:
    return bool(query.scores) or query.environment is not None


def _environment(attributes: Mapping[str, Any]) -> str:
    return next((str(attributes[name]) for name in _ENVIRONMENT if attributes.get(name)), "")


def _output(span: Mapping[str, Any], messages: list[dict[str, Any]]) -> Any:
    """The answer as text where it is text, else as the messages or JSON it is; a failed span's failure."""
    if span["status_code"] == "ERROR":
        return Failure(FailureKind.TASK_ERROR, span.get("status_message") or "the span ended with an error")
    if messages:
        content = messages[-1].get("content")
        return content if content is not None else messages[-1]
    return _value(span["attributes"], "output")


def _value(attributes: Mapping[str, Any], side: str) -> Any:
    value = attributes.get(f"{side}.value")
    if isinstance(value, str) and attributes.get(f"{side}.mime_type") == "application/json":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _metadata(attributes: Mapping[str, Any]) -> dict[str, Any]:
    found = attributes.get("metadata")
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except ValueError:
            found = {"metadata": found}
    nested = {key[9:]: value for key, value in attributes.items() if key.startswith("metadata.")}
    model = attributes.get("llm.model_name")
    return {**(found if isinstance(found, dict) else {}), **nested, **({"model": model} if model else {})}


def _usage(attributes: Mapping[str, Any]) -> Usage | None:
    tokens_in = attributes.get("llm.token_count.prompt")
    tokens_out = attributes.get("llm.token_count.completion")
    if tokens_in is None and tokens_out is None:
        return None
    return Usage(tokens_in, tokens_out, cost=attributes.get("llm.cost.total"))
