"""GET /api/public/v3/scores: field groups, filters, cursor."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .clock import parse_time
from .exchange import Call, Reply, Route
from .observation_list import window
from .paging import decode_cursor, encode_cursor
from .problems import custom, invalid, not_one_of

if TYPE_CHECKING:
    from .project import Project

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_CORE = ("id", "name", "source", "timestamp", "environment", "createdAt", "updatedAt")
_GROUPS = {
    "details": ("comment", "configId", "metadata"),
    "annotation": ("authorUserId", "queueId"),
    "subject": ("subject",),
}
_TARGETS = {"traceId": "traceId", "sessionId": "sessionId", "experimentId": "datasetRunId"}
_LISTED = ("id", "name", "environment", "configId", "queueId", "authorUserId", "observationId")
_PARAMETERS = {
    *_TARGETS,
    *_LISTED,
    *("limit", "cursor", "fields", "source", "dataType", "value", "valueMin", "valueMax"),
    *("fromTimestamp", "toTimestamp"),
}


def subject_of(row: dict[str, Any]) -> dict[str, Any]:
    """What a score is attached to, as v3 names it."""
    if row["observationId"] is not None:
        return {"kind": "observation", "id": row["observationId"], "traceId": row["traceId"]}
    for key, kind in (("traceId", "trace"), ("sessionId", "session"), ("datasetRunId", "experiment")):
        if row[key] is not None:
            return {"kind": kind, "id": row[key]}
    raise LookupError(f"score {row['id']} has no target")


def score_as_json(row: dict[str, Any], project_id: str, groups: list[str]) -> dict[str, Any]:
    """A score with the asked groups of fields."""
    row = {**row, "subject": subject_of(row)}
    shown = {"id": row["id"], "projectId": project_id, **{key: row[key] for key in _CORE[1:]}}
    for group, keys in _GROUPS.items():
        if group in groups:
            shown |= {key: row[key] for key in keys}
    return {**shown, "dataType": row["dataType"], "value": row["value"]}


def newest_of_each_id(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for an id: the one written last."""
    newest: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["id"] not in newest or row["updatedAt"] >= newest[row["id"]]["updatedAt"]:
            newest[row["id"]] = row
    return [row for row in rows if newest[row["id"]] is row]


def _check(call: Call) -> None:
    unknown = [name for name in call.query if name not in _PARAMETERS]
    if unknown:
        keys = ", ".join(f'"{name}"' for name in unknown)
        noun = "key" if len(unknown) == 1 else "keys"
        raise invalid(
            {
                "code": "unrecognized_keys",
                "keys": unknown,
                "path": [],
                "message": f"Unrecognized {noun}: {keys}",
            }
        )
    for index, group in enumerate(call.listed("fields")):
        if group not in _GROUPS:
            raise invalid(not_one_of(["details", "subject", "annotation"], "fields", index))
    if call.first("observationId") is not None and call.first("traceId") is None:
        message = "observationId filter requires traceId — observation IDs are scoped to a trace"
        raise invalid(custom(message))
    if len([name for name in _TARGETS if call.first(name) is not None]) > 1:
        raise invalid(custom("At most one of traceId, sessionId, experimentId may be specified"))
    _check_value(call)


def _check_value(call: Call) -> None:
    types = [each.upper() for each in call.listed("dataType")]
    if call.first("value") is not None and types not in [["NUMERIC"], ["BOOLEAN"], ["CATEGORICAL"]]:
        raise invalid(custom("value filter requires a single dataType from: NUMERIC, BOOLEAN, CATEGORICAL"))
    bounded = call.first("valueMin") is not None or call.first("valueMax") is not None
    if bounded and types != ["NUMERIC"]:
        raise invalid(custom("valueMin/valueMax filters require dataType=NUMERIC"))
    numbers = call.listed("value") if types == ["NUMERIC"] else []
    for text in [*numbers, *call.listed("valueMin"), *call.listed("valueMax")]:
        if not _NUMBER.fullmatch(text):
            raise invalid(custom("value filter requires finite numbers for dataType NUMERIC"))


def _wanted(row: dict[str, Any], call: Call, start: float, end: float) -> bool:
    if not start <= parse_time(row["timestamp"]) < end:
        return False
    for name in _LISTED:
        if call.first(name) is not None and row[name] not in call.listed(name):
            return False
    for name, key in _TARGETS.items():
        if call.first(name) is not None and row[key] not in call.listed(name):
            return False
    for name in ("source", "dataType"):
        if call.first(name) is not None and row[name] not in [each.upper() for each in call.listed(name)]:
            return False
    return _value_wanted(row, call)


def _value_wanted(row: dict[str, Any], call: Call) -> bool:
    if call.first("value") is not None:
        texts = call.listed("value")
        value = str(row["value"]).lower() if isinstance(row["value"], bool) else row["value"]
        return value in ([float(text) for text in texts] if row["dataType"] == "NUMERIC" else texts)
    low, high = call.first("valueMin"), call.first("valueMax")
    return (low is None or row["value"] >= float(low)) and (high is None or row["value"] <= float(high))


def _list(project: Project, call: Call) -> Reply:
    _check(call)
    limit = call.integer("limit", 50, maximum=100)
    times = window(call, "fromTimestamp", "toTimestamp")
    rows = newest_of_each_id([row for row in project.scores.rows() if _wanted(row, call, *times)])
    cursor = call.first("cursor")
    if cursor is not None:
        last = tuple(decode_cursor(cursor, "lastTimestamp", "lastId"))
        rows = [row for row in rows if (row["timestamp"], row["id"]) < last]
    meta: dict[str, Any] = {"limit": limit}
    if len(rows) > limit:
        end = rows[limit - 1]
        meta["cursor"] = encode_cursor({"v": 1, "lastTimestamp": end["timestamp"], "lastId": end["id"]})
    groups = call.listed("fields")
    return Reply({"data": [score_as_json(row, project.id, groups) for row in rows[:limit]], "meta": meta})


ROUTES = [Route("GET", "/api/public/v3/scores", _list)]
