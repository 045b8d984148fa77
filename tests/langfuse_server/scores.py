"""Scores: what is refused, what is dropped without a word, and how events of one id merge."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .clock import is_time, iso, parse_time
from .exchange import Call, Reply, Route
from .jsonb import number
from .problems import (
    MISSING,
    ProblemError,
    bad_time,
    check_text,
    custom,
    invalid,
    js_type,
    no_union_branch,
    not_one_of,
    too_long,
    too_short,
    wrong_type,
)

if TYPE_CHECKING:
    from .project import Project

DATA_TYPES = ["NUMERIC", "CATEGORICAL", "BOOLEAN", "CORRECTION", "TEXT"]
_NUMBERS = {"NUMERIC", "BOOLEAN"}
_SOURCES = ["API", "ANNOTATION"]
_TARGETS = ("traceId", "sessionId", "datasetRunId")
_LONGEST_TEXT = 500


@dataclass(frozen=True)
class ScoreEvent:
    """One write of a score. `moment` decides which value wins; times are milliseconds."""

    body: dict[str, Any]
    moment: int
    received: int
    visible_at: int

    @property
    def id(self) -> str:
        """The score's id."""
        return str(self.body["id"])


@dataclass
class ScoreStore:
    """The score events of one project, in order of arrival, and those dropped without a word."""

    project: Project
    events: list[ScoreEvent] = field(default_factory=list)
    dropped: list[dict[str, Any]] = field(default_factory=list)
    deleted_at: dict[str, int] = field(default_factory=dict)

    def add(self, body: dict[str, Any], *, moment: int | None = None) -> None:
        """Take a valid score. One that contradicts its config, or has no id, is dropped."""
        now = self.project.clock.now()
        conformed = self.project.score_configs.conform(body) if body.get("id") else None
        if conformed is None:
            self.dropped.append(body)
            return
        moment = now if moment is None else moment
        self.events.append(ScoreEvent(conformed, moment, now, now + self.project.delay_ms))

    def delete(self, score_id: str) -> None:
        """Remove a score; reads stop to see it after the consistency delay."""
        self.deleted_at[score_id] = self.project.clock.now() + self.project.delay_ms

    def rows(self, *, all_events: bool = False) -> list[dict[str, Any]]:
        """Merged scores: one row for each id and name it ever had, newest timestamp first.

        `all_events` also counts writes that reads do not see yet.
        """
        now = self.project.clock.now()
        groups: dict[str, list[ScoreEvent]] = {}
        for event in self.events:
            gone_at = self.deleted_at.get(event.id)
            alive = gone_at is None or now < gone_at or event.received >= gone_at
            if alive and (all_events or event.visible_at <= now):
                groups.setdefault(event.id, []).append(event)
        rows = [row for events in groups.values() for row in self._merged(events)]
        return sorted(rows, key=lambda row: (row["timestamp"], row["id"]), reverse=True)

    def _merged(self, events: list[ScoreEvent]) -> list[dict[str, Any]]:
        """A changed name leaves the row of the old name behind, as it was before the change."""
        last_of_name = {event.body["name"]: index for index, event in enumerate(events)}
        newest_wins = self.project.honours_score_timestamps
        return [_merge(events[: index + 1], newest_wins) for index in last_of_name.values()]


def _merge(events: list[ScoreEvent], newest_wins: bool) -> dict[str, Any]:
    """One row of several writes: the latest moment's value, all metadata keys, the first timestamp.

    Of two equal moments an older server picks either; here it is the first, so that a client which relies on
    the second is found out. A server that honours timestamps promises the last.
    """
    numbered = list(enumerate(events))
    sign = 1 if newest_wins else -1
    _, winner = max(numbered, key=lambda pair: (pair[1].moment, sign * pair[0]))
    merged: dict[str, Any] = {}
    for event in events:
        merged |= {key: value for key, value in event.body.items() if value is not None}
    metadata: dict[str, Any] = {}
    for event in events:
        metadata |= event.body.get("metadata") or {}
    body = {**merged, "value": winner.body["value"], "dataType": winner.body["dataType"]}
    return {
        "id": events[0].id,
        "name": events[-1].body["name"],
        "dataType": body["dataType"],
        "value": _shown(body["dataType"], body["value"]),
        "source": body.get("source", "API"),
        "timestamp": iso(events[0].moment),
        "environment": environment(body.get("environment")),
        "createdAt": iso(events[0].received // 1000 * 1000),
        "updatedAt": iso(events[-1].received),
        "comment": body.get("comment"),
        "configId": body.get("configId"),
        "metadata": metadata,
        "authorUserId": None,
        "queueId": body.get("queueId"),
        **{key: body.get(key) for key in ("traceId", "observationId", "sessionId", "datasetRunId")},
    }


def _shown(data_type: str, value: Any) -> Any:
    return bool(value) if data_type == "BOOLEAN" else number(value)


def environment(text: str | None) -> str:
    """An environment as it is stored.

    >>> environment("Prod"), environment("langfuse-x"), environment(None)
    ('prod', 'x', 'default')
    """
    return (text or "default").lower().removeprefix("langfuse-")


def score_issues(body: Any) -> list[dict[str, Any]]:
    """What is wrong with a score as sent; empty when the server takes it."""
    if not isinstance(body, dict):
        return [wrong_type("object", body)]
    issues = check_text(body, "name", required=True) + _value_issues(body)
    for key in ("id", "comment", "environment", "configId", "queueId", "observationId", *_TARGETS):
        issues += check_text(body, key)
    if body.get("source") not in {None, *_SOURCES}:
        issues.append(not_one_of(_SOURCES, "source"))
    return issues or _rule_issues(body)


def _value_issues(body: dict[str, Any]) -> list[dict[str, Any]]:
    data_type, value = body.get("dataType"), body.get("value", MISSING)
    if data_type is not None and data_type not in DATA_TYPES:
        issue = no_union_branch([], "Invalid input", "dataType")
        return [{**issue, "note": "No matching discriminator", "discriminator": "dataType"}]
    kind = js_type(value)
    if data_type is None:
        if kind in {"number", "string"}:
            return []
        branches = [[{**wrong_type(each, value), "path": []}] for each in ("number", "string")]
        return [no_union_branch(branches, "Invalid input", "value")]
    expected = "number" if data_type in _NUMBERS else "string"
    if kind != expected:
        return [wrong_type(expected, value, "value")]
    if data_type == "BOOLEAN" and value not in {0, 1}:
        return [custom("Value must be either 0 or 1", "value")]
    if data_type == "TEXT" and not value:
        return [too_short(1, "value")]
    if data_type == "TEXT" and len(value) > _LONGEST_TEXT:
        return [too_long(_LONGEST_TEXT, "value")]
    return []


def _rule_issues(body: dict[str, Any]) -> list[dict[str, Any]]:
    targets = [key for key in _TARGETS if body.get(key) is not None]
    if len(targets) != 1 or (body.get("observationId") is not None and targets != ["traceId"]):
        message = (
            "Provide exactly one of the following: traceId (with optional observationId), sessionId or "
            "datasetRunId. ObservationId requires traceId."
        )
        return [custom(message, "traceId", "sessionId", "datasetRunId", "observationId")]
    if (
        body.get("source") == "ANNOTATION"
        and not body.get("configId")
        and body.get("dataType") != "CORRECTION"
    ):
        message = "configId is required when source is ANNOTATION (except for CORRECTION scores)."
        return [custom(message, "configId")]
    return []


def _create(project: Project, call: Call) -> Reply:
    if isinstance(call.body, list):
        return _create_list(project, call.body)
    issues = score_issues(call.body) or _timestamp_issues(project, call.body)
    if issues:
        raise invalid(*issues)
    body = {**call.body, "id": call.body.get("id") or project.new_uuid()}
    project.scores.add(body, moment=_moment(project, body))
    return Reply({"id": body["id"]})


def _moment(project: Project, body: dict[str, Any]) -> int | None:
    """The score's own timestamp, where the server does not ignore it."""
    text = body.get("timestamp")
    return parse_time(text) if project.honours_score_timestamps and text is not None else None


def _timestamp_issues(project: Project, body: dict[str, Any]) -> list[dict[str, Any]]:
    """A server that ignores the timestamp does not look at it either."""
    text = body.get("timestamp")
    if not project.honours_score_timestamps or text is None or is_time(text):
        return []
    return [bad_time("timestamp")]


def _create_list(project: Project, bodies: list[Any]) -> Reply:
    if not project.takes_score_lists:
        issue = {"expected": "object", "code": "invalid_type", "path": []}
        message = "Invalid input: expected object, received array"
        turned = {"code": "invalid_type", "expected": "object", "path": [], "message": message}
        raise ProblemError(
            400, {"message": "Invalid request data", "error": [{**issue, "message": message}, turned]}
        )
    errors = []
    for index, body in enumerate(bodies):
        problem = _problem_text(score_issues(body) or _timestamp_issues(project, body))
        if problem is None:
            project.scores.add({"id": project.new_uuid(), **body}, moment=_moment(project, body))
        else:
            errors.append({"message": f"Score at index {index}: {problem}"})
    if not errors:
        return Reply({"message": "Accepted"}, 202)
    accepted = len(bodies) - len(errors)
    return Reply({"accepted": accepted, "rejected": len(errors), "errors": errors}, 207)


def _problem_text(issues: list[dict[str, Any]]) -> str | None:
    if not issues:
        return None
    return "; ".join(f"{'.'.join(map(str, issue['path']))}: {issue['message']}" for issue in issues)


def _delete(project: Project, call: Call) -> Reply:
    project.scores.delete(call.parameters["scoreId"])
    return Reply({"message": "Score deletion queued successfully"}, 202)


ROUTES = [
    Route("POST", "/api/public/scores", _create),
    Route("DELETE", "/api/public/scores/{scoreId}", _delete),
]
