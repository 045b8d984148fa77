"""GET /api/public/v2/observations: field groups, filters, cursor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .clock import iso, parse_time
from .exchange import Call, Reply, Route
from .filters import Columns, matches, parse_filter
from .jsonb import decoded
from .observations import TYPES, Observation
from .paging import decode_cursor, encode_cursor
from .problems import bad_time, custom, invalid, not_one_of

if TYPE_CHECKING:
    from .project import Project

_LEVELS = ["DEBUG", "DEFAULT", "WARNING", "ERROR"]
_SHOWN_METADATA = 200

Group = Callable[["Project", Observation], dict[str, Any]]


def _core(project: Project, row: Observation) -> dict[str, Any]:
    return {
        "id": row.id,
        "traceId": row.trace_id,
        "startTime": iso(row.start),
        "endTime": iso(row.end),
        "projectId": project.id,
        "parentObservationId": row.parent_id,
        "type": row.type,
    }


def _basic(_: Project, row: Observation) -> dict[str, Any]:
    return {
        "name": row.name,
        "level": row.level,
        "statusMessage": row.status_message,
        "version": row.version,
        "environment": row.environment,
        "userId": row.user_id,
        "sessionId": row.session_id,
        "isRootObservation": row.is_root,
        "bookmarked": False,
        "public": False,
    }


def _time(_: Project, row: Observation) -> dict[str, Any]:
    return {
        "completionStartTime": None if row.completion_start is None else iso(row.completion_start),
        "createdAt": iso(row.received),
        "updatedAt": iso(row.received),
    }


def _io(_: Project, row: Observation) -> dict[str, Any]:
    return {"input": row.input, "output": row.output}


def _model(_: Project, row: Observation) -> dict[str, Any]:
    return {
        "model": row.model,
        "internalModelId": row.price.id if row.price else "",
        "modelParameters": row.model_parameters,
    }


def _usage(_: Project, row: Observation) -> dict[str, Any]:
    return {
        "usageDetails": row.usage,
        "inputUsage": row.usage.get("input", 0),
        "outputUsage": row.usage.get("output", 0),
        "totalUsage": row.usage.get("total", 0),
        "costDetails": row.cost,
        "inputCost": row.cost.get("input"),
        "outputCost": row.cost.get("output"),
        "totalCost": row.total_cost,
        "usagePricingTierId": f"{row.price.id}_tier_default" if row.price else None,
        "usagePricingTierName": "Standard" if row.price else None,
    }


def _prompt(project: Project, row: Observation) -> dict[str, Any]:
    version = project.prompts.find(row.prompt_name, row.prompt_version)
    return {
        "promptId": version.id if version else "",
        "promptName": row.prompt_name,
        "promptVersion": row.prompt_version,
    }


def _trace_context(_: Project, row: Observation) -> dict[str, Any]:
    return {"traceName": row.trace_name, "release": row.release, "tags": row.tags}


_GROUPS: dict[str, Group] = {
    "core": _core,
    "basic": _basic,
    "time": _time,
    "io": _io,
    "model": _model,
    "usage": _usage,
    "prompt": _prompt,
    "trace_context": _trace_context,
}


def _as_json(project: Project, row: Observation, call: Call) -> dict[str, Any]:
    asked = call.listed("fields") or ["core", "basic"]
    shown = _core(project, row)
    for name in asked:
        if name in _GROUPS:
            shown |= _GROUPS[name](project, row)
    if "metadata" in asked:
        shown["metadata"] = _shown_metadata(row, call.listed("expandMetadata"))
    priced = row.price if {"model", "usage"} & set(asked) else None
    first_token = row.completion_start
    return {
        **shown,
        "latency": row.latency if row.latency or "metrics" not in asked else None,
        "timeToFirstToken": None if first_token is None else (first_token - row.start) / 1000,
        "modelId": priced.id if priced else None,
        "inputPrice": _price(priced.input) if priced else None,
        "outputPrice": _price(priced.output) if priced else None,
        "totalPrice": None,
    }


def _price(rate: float) -> str:
    return repr(rate).replace("e-0", "e-")


def _shown_metadata(row: Observation, expanded: list[str]) -> dict[str, Any]:
    return {
        key: decoded(text if key in expanded else text[:_SHOWN_METADATA])
        for key, text in row.metadata.items()
    }


COLUMNS: Columns = {
    "id": lambda row: row.id,
    "traceId": lambda row: row.trace_id,
    "parentObservationId": lambda row: row.parent_id,
    "name": lambda row: row.name,
    "type": lambda row: row.type,
    "level": lambda row: row.level,
    "statusMessage": lambda row: row.status_message,
    "version": lambda row: row.version,
    "release": lambda row: row.release,
    "environment": lambda row: row.environment,
    "userId": lambda row: row.user_id,
    "sessionId": lambda row: row.session_id,
    "traceName": lambda row: row.trace_name,
    "traceTags": lambda row: row.tags,
    "tags": lambda row: row.tags,
    "isRootObservation": lambda row: row.is_root,
    "startTime": lambda row: row.start,
    "endTime": lambda row: row.end,
    "latency": lambda row: row.latency,
    "totalCost": lambda row: row.total_cost,
    "totalTokens": lambda row: row.usage.get("total", 0),
    "inputTokens": lambda row: row.usage.get("input", 0),
    "outputTokens": lambda row: row.usage.get("output", 0),
    "providedModelName": lambda row: row.model,
    "promptName": lambda row: row.prompt_name,
    "promptVersion": lambda row: row.prompt_version,
    "metadata": lambda row: row.metadata,
    "input": lambda row: row.input,
    "output": lambda row: row.output,
    "experimentId": lambda row: row.experiment and row.experiment.id,
    "experimentName": lambda row: row.experiment and row.experiment.name,
    "experimentItemId": lambda row: row.experiment and row.experiment.item_id,
    "experimentDatasetId": lambda row: row.experiment and row.experiment.dataset_id,
}
"""The columns a filter can name. Metadata is compared as stored text."""


def _check(call: Call) -> None:
    issues = []
    for name, values in (("type", TYPES), ("level", _LEVELS)):
        if call.first(name) is not None and call.first(name) not in values:
            issues.append(not_one_of(values, name))
    if call.first("parseIoAsJson") == "true":
        message = (
            "parseIoAsJson=true is no longer supported on the v2 observations endpoint. Input/output fields "
            "are always returned as raw strings. Remove the parseIoAsJson parameter or set it to false."
        )
        issues.append(custom(message, "parseIoAsJson"))
    if issues:
        raise invalid(*issues)


def _query_conditions(call: Call) -> list[dict[str, Any]]:
    """Plain query parameters as conditions; a `filter` parameter takes their place."""
    texts = ("traceId", "name", "type", "level", "userId", "sessionId", "version", "parentObservationId")
    conditions: list[dict[str, Any]] = [
        {"type": "string", "column": name, "value": call.first(name)} for name in texts if call.first(name)
    ]
    if call.first("isRootObservation") is not None:
        value = call.first("isRootObservation") == "true"
        conditions.append({"type": "boolean", "column": "isRootObservation", "value": value})
    if "environment" in call.query:
        values = call.query["environment"]
        conditions.append(
            {"type": "stringOptions", "column": "environment", "operator": "any of", "value": values}
        )
    return conditions


def window(call: Call, first: str, last: str) -> tuple[float, float]:
    """The times between two query parameters in milliseconds, the last one exclusive; open where not sent."""
    start, end = call.first(first), call.first(last)
    return (
        float("-inf") if start is None else moment(start, first),
        float("inf") if end is None else moment(end, last),
    )


def moment(text: str, name: str) -> int:
    """A time of the query in milliseconds, or the refusal."""
    try:
        return parse_time(text)
    except ValueError:
        raise invalid(bad_time(name)) from None


def _list(project: Project, call: Call) -> Reply:
    _check(call)
    limit = call.integer("limit", 50, maximum=1000)
    since, until = window(call, "fromStartTime", "toStartTime")
    conditions = parse_filter(call.first("filter"), COLUMNS) or _query_conditions(call)
    rows = [
        row
        for row in project.observations.visible()
        if since <= row.start < until and matches(conditions, row, COLUMNS)
    ]
    cursor = call.first("cursor")
    if cursor is not None:
        start, trace_id, last_id = decode_cursor(cursor, "lastStartTimeTo", "lastTraceId", "lastId")
        last = (moment(start, "cursor"), trace_id, last_id)
        rows = [row for row in rows if (row.start, row.trace_id, row.id) < last]
    meta = {}
    if len(rows) > limit:
        end = rows[limit - 1]
        fields = {"lastStartTimeTo": iso(end.start), "lastTraceId": end.trace_id, "lastId": end.id}
        meta["cursor"] = encode_cursor(fields, urlsafe=False)
    return Reply({"data": [_as_json(project, row, call) for row in rows[:limit]], "meta": meta})


ROUTES = [Route("GET", "/api/public/v2/observations", _list)]
