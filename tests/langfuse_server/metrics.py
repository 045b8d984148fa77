"""GET /api/public/v2/metrics: aggregates over observations and scores."""

from __future__ import annotations

import statistics
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from .clock import is_time, parse_time
from .exchange import Call, Reply, Route
from .filters import Columns, check_columns, matches
from .jsonb import number, parse_json
from .observation_list import COLUMNS
from .problems import MISSING, bad_time, custom, invalid, not_one_of, wrong_type
from .score_list import newest_of_each_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from .project import Project

_SCORE_COLUMNS: Columns = {
    **{
        name: itemgetter(name)
        for name in ("id", "name", "source", "dataType", "environment", "configId", "value")
    },
    **{name: itemgetter(name) for name in ("traceId", "observationId", "sessionId")},
    "experimentId": itemgetter("datasetRunId"),
}
_VIEWS = {
    "observations": None,
    "scores-numeric": "NUMERIC",
    "scores-categorical": "CATEGORICAL",
    "scores-boolean": "BOOLEAN",
}
_AGGREGATIONS: dict[str, Callable[[list[float]], float]] = {
    "count": len,
    "sum": sum,
    "avg": statistics.fmean,
    "min": min,
    "max": max,
    "p50": statistics.median,
}
_STEPS = {
    "minute": "%Y-%m-%dT%H:%M:00Z",
    "hour": "%Y-%m-%dT%H:00:00Z",
    "day": "%Y-%m-%d",
    "month": "%Y-%m-01",
}
_MILLISECONDS = {"latency": 1000}


def _rows(
    project: Project, view: str, start: int, end: int
) -> tuple[list[Any], Columns, Callable[[Any], int]]:
    """The rows of a view within the window, their columns, and how to read their time."""
    if view == "observations":
        rows = [row for row in project.observations.visible() if start <= row.start < end]
        return rows, COLUMNS, lambda row: int(row.start)
    wanted = newest_of_each_id([row for row in project.scores.rows() if row["dataType"] == _VIEWS[view]])

    def time(row: dict[str, Any]) -> int:
        return parse_time(row["timestamp"])

    return [row for row in wanted if start <= time(row) < end], _SCORE_COLUMNS, time


def _bucket(milliseconds: int, granularity: str) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    if granularity == "week":
        return f"{moment - timedelta(days=moment.weekday()):%Y-%m-%d}"
    return moment.strftime(_STEPS["day" if granularity == "auto" else granularity])


def _parse(call: Call) -> dict[str, Any]:
    text = call.first("query")
    if text is None:
        raise invalid(wrong_type("string", MISSING, "query"))
    try:
        query = dict(parse_json(text.encode()))
    except (ValueError, TypeError):
        raise invalid(custom("Invalid JSON in query parameter", "query")) from None
    if query.get("view") not in _VIEWS:
        raise invalid(not_one_of(list(_VIEWS), "view"))
    for name in ("fromTimestamp", "toTimestamp"):
        if not isinstance(query.get(name), str):
            raise invalid(wrong_type("string", query.get(name, MISSING), name))
        if not is_time(query[name]):
            raise invalid(bad_time(name))
    for index, metric in enumerate(query.get("metrics", [])):
        if metric.get("aggregation") not in _AGGREGATIONS or "measure" not in metric:
            raise invalid(not_one_of(list(_AGGREGATIONS), "metrics", index, "aggregation"))
    return query


def _metrics(project: Project, call: Call) -> Reply:
    query = _parse(call)
    window = parse_time(query["fromTimestamp"]), parse_time(query["toTimestamp"])
    rows, columns, time = _rows(project, query["view"], *window)
    for index, metric in enumerate(query.get("metrics", [])):
        if metric["measure"] not in {"count", *columns}:
            raise invalid(custom(f"Invalid measure {metric['measure']}", "metrics", index))
    granularity = (query.get("timeDimension") or {}).get("granularity")
    names = [dimension["field"] for dimension in query.get("dimensions") or []]
    for index, name in enumerate(names):
        if name not in columns:
            raise invalid(custom(f"Invalid dimension {name}", "dimensions", index))
    groups: dict[tuple[str, ...], list[Any]] = {}
    for row in _filtered(rows, query, columns):
        key = tuple(columns[name](row) for name in names)
        groups.setdefault((*key, *([_bucket(time(row), granularity)] if granularity else [])), []).append(row)
    if not names and not granularity:
        groups.setdefault((), [])
    labels = [*names, *(["time_dimension"] if granularity else [])]
    data = [
        {**dict(zip(labels, key, strict=True)), **_aggregates(members, query["metrics"], columns)}
        for key, members in groups.items()
    ]
    limit = (query.get("config") or {}).get("row_limit", 100)
    return Reply({"data": _ordered(data, query)[:limit]})


def _filtered(rows: list[Any], query: dict[str, Any], columns: Columns) -> list[Any]:
    conditions = query.get("filters") or []
    check_columns(conditions, columns)
    return [row for row in rows if matches(conditions, row, columns)]


def _ordered(data: list[dict[str, Any]], query: dict[str, Any]) -> list[dict[str, Any]]:
    for order in reversed(query.get("orderBy") or []):
        name = order["field"]
        data = sorted(data, key=lambda row: row.get(name) or 0, reverse=order.get("direction") == "desc")
    return data


def _aggregates(rows: list[Any], metrics: list[dict[str, str]], columns: Columns) -> dict[str, Any]:
    """Each metric as `{aggregation}_{measure}`; latency in milliseconds. No rows: 0 for counts, else null."""
    shown: dict[str, Any] = {}
    for metric in metrics:
        measure, aggregation = metric["measure"], metric["aggregation"]
        if measure == "count":
            shown[f"{aggregation}_{measure}"] = len(rows)
            continue
        values = [float(columns[measure](row)) * _MILLISECONDS.get(measure, 1) for row in rows]
        result = _AGGREGATIONS[aggregation](values) if values or aggregation == "count" else None
        shown[f"{aggregation}_{measure}"] = number(result)
    return shown


ROUTES = [Route("GET", "/api/public/v2/metrics", _metrics)]
