"""What Langfuse has recorded, read back as cases with their pictures."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vlmops.evaluators import Case, Failure, FailureKind
from vlmops.platforms.records import Execution, ExecutionQuery, ScoreTarget
from vlmops_langfuse.media import resolved
from vlmops_langfuse.score_bodies import recorded_score
from vlmops_langfuse.usage import usage_from

if TYPE_CHECKING:
    from vlmops.platforms.records import TargetedScore
    from vlmops_langfuse.connection import LangfuseConnection
    from vlmops_langfuse.scores import LangfuseScores
    from vlmops_langfuse.settings import LangfuseSettings

_OBSERVATIONS = "/api/public/v2/observations"
_PAGE = 100
_FIELDS = "core,basic,io,metadata,model,usage,metrics"
_KINDS = {"LLM": "GENERATION", "RERANKER": "RETRIEVER"}


class LangfuseExecutions:
    """Observations of one project."""

    def __init__(self, connection: LangfuseConnection, scores: LangfuseScores) -> None:
        self._connection = connection
        self._scores = scores

    async def read(self, query: ExecutionQuery) -> AsyncIterator[Execution]:
        """Observations that fit, newest first, streamed page by page.

        Keys belong to one project: ``query.project`` is that project's name or id, or else one of its
        environments. ``query.kind`` is a type of Langfuse's, or ``"LLM"`` for its ``GENERATION``.
        """
        async for row, scores in self.rows(query, _PAGE):
            yield to_execution(row, self._connection.settings, scores)

    async def rows(
        self, query: ExecutionQuery, page: int
    ) -> AsyncIterator[tuple[dict[str, Any], Sequence[TargetedScore]]]:
        """Observations as Langfuse lists them, so many a request, with what was said of each if asked for."""
        conditions = [*_conditions(query), *await self._environment(query.project)]
        params = {
            "fields": _FIELDS,
            "limit": min(page, query.limit) if query.limit and not query.scores else page,
            "filter": json.dumps(conditions) if conditions else None,
        }
        count = 0
        async for rows in self._connection.cursor_pages(_OBSERVATIONS, params):
            scores_of = await self._said_of(rows) if query.needs_scores else {}
            for row in rows:
                scores = scores_of.get((row["traceId"], row["id"]), ())
                if query.admits(scores):
                    yield row, scores
                    count += 1
                    if count == query.limit:
                        return

    async def by_id(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """The observations of these ids that are there, without what they hold."""
        params = {"fields": "core", "limit": len(ids), "filter": json.dumps([_any_of("id", list(ids))])}
        rows: list[dict[str, Any]] = (await self._connection.get(_OBSERVATIONS, params))["data"]
        return rows

    async def _said_of(self, rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[TargetedScore]]:
        """By trace and observation, what was said of the observation and what was said of its trace."""
        found = await self._scores.rows(sorted({row["traceId"] for row in rows}))
        scores = [score for score in map(recorded_score, found) if score is not None]
        return {
            (row["traceId"], row["id"]): [s for s in scores if _is_about(s.target, row["traceId"], row["id"])]
            for row in rows
        }

    async def _environment(self, project: str | None) -> list[dict[str, Any]]:
        if project is None:
            return []
        own = (await self._connection.get("/api/public/projects"))["data"]
        if any(project in (each.get("id"), each.get("name")) for each in own):
            return []
        return [_any_of("environment", [project])]


def _is_about(target: ScoreTarget, trace_id: str, observation_id: str) -> bool:
    if target.kind == "trace":
        return target.id == trace_id
    return (target.trace_id, target.id) == (trace_id, observation_id)


def to_execution(
    row: Mapping[str, Any], settings: LangfuseSettings, scores: Sequence[TargetedScore] = ()
) -> Execution:
    """The execution an observation stands for."""
    started = datetime.fromisoformat(row["startTime"])
    case = Case(
        output=_output(row, settings),
        inputs=resolved(settings, parsed(row.get("input"))),
        id=row["id"],
        metadata=_metadata(row),
        usage=usage_from(row.get("usageDetails"), row.get("totalCost")),
        latency=_latency(row, started),
    )
    return Execution(
        case,
        ScoreTarget("span", row["id"], row["traceId"]),
        started,
        row.get("sessionId") or None,
        row.get("name") or "",
        row["type"],
        scores,
        row.get("environment") or "",
    )


def parsed(text: Any) -> Any:
    """Input or output as it was: Langfuse gives text; JSON is recognised by its brackets alone.

    A bare ``12.50`` stays text, which is what a model answers.

    Example:
        >>> parsed('{"total": 12.5}'), parsed("12.50"), parsed("[sic] unreadable")
        ({'total': 12.5}, '12.50', '[sic] unreadable')
    """
    if not isinstance(text, str) or not text.lstrip().startswith(("{", "[", '"')):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _output(row: Mapping[str, Any], settings: LangfuseSettings) -> Any:
    """The answer as text where it is text, else as the JSON it is; a failed observation's failure."""
    if row.get("level") == "ERROR":
        message = row.get("statusMessage") or "the observation ended with an error"
        return Failure(FailureKind.TASK_ERROR, message)
    output = resolved(settings, parsed(row.get("output")))
    message = _message(output)
    if (
        isinstance(message, Mapping)
        and message.get("role") == "assistant"
        and message.get("content") is not None
    ):
        return message["content"]
    return output


def _message(output: Any) -> Any:
    """The last message of an answer: of a conversation, or of a chat completion as its provider gave it."""
    if isinstance(output, Mapping):
        for key in ("choices", "messages"):
            if isinstance(listed := output.get(key), list) and listed:
                return _message(listed)
        return output.get("message") if isinstance(output.get("message"), Mapping) else output
    return _message(output[-1]) if isinstance(output, list) and output else output


def _metadata(row: Mapping[str, Any]) -> dict[str, Any]:
    found = row.get("metadata")
    metadata = dict(found) if isinstance(found, Mapping) else {}
    return {**metadata, "model": row["model"]} if row.get("model") else metadata


def _latency(row: Mapping[str, Any], started: datetime) -> float | None:
    ended = row.get("endTime")
    return (datetime.fromisoformat(ended) - started).total_seconds() if ended else None


def _conditions(query: ExecutionQuery) -> list[dict[str, Any]]:
    found = []
    if query.environment is not None:
        found.append(_any_of("environment", [query.environment]))
    if query.name is not None:
        found.append({"type": "string", "column": "name", "operator": "=", "value": query.name})
    if query.kind is not None:
        kind = query.kind.upper()
        found.append(_any_of("type", [_KINDS.get(kind, kind)]))
    if query.trace_ids:
        found.append(_any_of("traceId", list(query.trace_ids)))
    for moment, sign in ((query.start, ">="), (query.end, "<=")):
        if moment is not None:
            value = moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            found.append({"type": "datetime", "column": "startTime", "operator": sign, "value": value})
    return found


def _any_of(column: str, values: list[str]) -> dict[str, Any]:
    return {"type": "stringOptions", "column": column, "operator": "any of", "value": values}
