"""Experiments, which are nothing but spans that say they belong to one."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .clock import iso
from .exchange import Call, Reply, Route
from .filters import Columns, matches, parse_filter
from .observation_list import moment, window
from .paging import decode_cursor, encode_cursor
from .problems import MISSING, check_text, invalid, not_one_of, refused, require_object, wrong_type
from .score_list import newest_of_each_id, score_as_json

if TYPE_CHECKING:
    from .observations import Observation
    from .project import Project

_EXPERIMENT_GROUPS = ["core", "metadata", "scores"]
_ITEM_GROUPS = ["core", "dataset", "io", "metadata", "itemMetadata", "experimentMetadata", "scores"]
_EXPERIMENT_COLUMNS: Columns = {
    "id": lambda row: row["id"],
    "name": lambda row: row["name"],
    "datasetId": lambda row: row["datasetId"],
}
_ITEM_COLUMNS: Columns = {
    "experimentId": lambda row: row.experiment.id,
    "experimentName": lambda row: row.experiment.name,
    "experimentItemId": lambda row: row.experiment.item_id,
    "datasetId": lambda row: row.experiment.dataset_id,
}


def experiment_id(project_id: str, dataset_id: str, run_name: str) -> str:
    """The id a run of a dataset always gets, whoever computes it."""
    parts = ["langfuse-experiment-v1", project_id, dataset_id, run_name]
    text = json.dumps(parts, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _groups(call: Call, known: list[str], default: list[str]) -> list[str]:
    groups = call.listed("fields") or default
    for index, group in enumerate(groups):
        if group not in known:
            raise invalid(not_one_of(known, "fields", index))
    return groups


def _window(call: Call) -> tuple[float, float]:
    if call.first("fromStartTime") is None:
        raise invalid(wrong_type("string", MISSING, "fromStartTime"))
    return window(call, "fromStartTime", "toStartTime")


def _scores_by(project: Project, key: str, call: Call) -> dict[str, list[dict[str, Any]]]:
    """The scores of each target, the last written first, as many as asked for."""
    limit = call.integer("scoreLimit", 50, maximum=50)
    scores: dict[str, list[dict[str, Any]]] = {}
    rows = newest_of_each_id(project.scores.rows())
    for row in sorted(rows, key=lambda row: row["updatedAt"], reverse=True):
        if row[key] is not None and len(scores.setdefault(row[key], [])) < limit:
            scores[row[key]].append(score_as_json(row, project.id, ["subject"]))
    return scores


def _cursor(at: int, trace_id: str, last_id: str, experiment: str) -> str:
    time = datetime.fromtimestamp(at / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return encode_cursor(
        {"v": 1, "lastTime": time, "lastTraceId": trace_id, "lastId": last_id, "lastExperimentId": experiment}
    )


def _continued(rows: list[Any], call: Call, keys: list[str]) -> list[Any]:
    """The rows after the one the cursor names."""
    cursor = call.first("cursor")
    if cursor is None:
        return rows
    _, _, last_id, last_experiment = decode_cursor(
        cursor, "lastTime", "lastTraceId", "lastId", "lastExperimentId"
    )
    last = f"{last_experiment}/{last_id}"
    return rows[keys.index(last) + 1 :] if last in keys else []


def _summaries(rows: list[Observation]) -> list[dict[str, Any]]:
    """One row for an experiment, the one with the latest activity first."""
    members: dict[str, list[Observation]] = {}
    for row in rows:
        if row.experiment is not None:
            members.setdefault(row.experiment.id, []).append(row)
    summaries = [_summary(spans) for spans in members.values()]
    return sorted(summaries, key=lambda each: (each["startTime"], each["id"]), reverse=True)


def _summary(spans: list[Observation]) -> dict[str, Any]:
    # The recorded server takes the description from any span, and evaluator spans carry none; the newest
    # span makes that a certainty, so that nobody comes to rely on it.
    said = [span.experiment for span in spans if span.experiment is not None]
    items = {each.root_observation_id for each in said}
    return {
        "id": said[0].id,
        "name": said[0].name,
        "description": said[0].description,
        "startTime": iso(min(span.start for span in spans)),
        "endTime": iso(max(span.end for span in spans)),
        "itemCount": len([span for span in spans if span.id in items]),
        "datasetId": said[0].dataset_id,
        "metadata": said[0].metadata,
    }


def _list(project: Project, call: Call) -> Reply:
    groups = _groups(call, _EXPERIMENT_GROUPS, ["core"])
    start, end = _window(call)
    limit = call.integer("limit", 50, maximum=100)
    conditions = parse_filter(call.first("filter"), _EXPERIMENT_COLUMNS)
    spans = [row for row in project.observations.visible() if start <= row.start < end]
    rows = [
        row
        for row in _summaries(spans)
        if matches(conditions, row, _EXPERIMENT_COLUMNS)
        and all(call.first(name) is None or row[name] in call.listed(name) for name in _EXPERIMENT_COLUMNS)
    ]
    rows = _continued(rows, call, [f"{row['id']}/" for row in rows])
    meta = {}
    if len(rows) > limit:
        meta["cursor"] = _cursor(
            moment(rows[limit - 1]["startTime"], "cursor"), "", "", rows[limit - 1]["id"]
        )
    scores = _scores_by(project, "datasetRunId", call) if "scores" in groups else {}
    data = []
    for row in rows[:limit]:
        shown = {key: value for key, value in row.items() if key != "metadata" or "metadata" in groups}
        if "scores" in groups:
            shown["scores"] = scores.get(row["id"], [])
        data.append(shown)
    return Reply({"data": data, "meta": meta})


def _item_json(row: Observation, groups: list[str], scores: list[dict[str, Any]]) -> dict[str, Any]:
    said = row.experiment
    if said is None:
        raise LookupError(f"observation {row.id} belongs to no experiment")
    shown: dict[str, Any] = {
        "id": row.id,
        "traceId": row.trace_id,
        "startTime": iso(row.start),
        "endTime": iso(row.end),
        "level": row.level,
        "environment": row.environment,
        "experimentId": said.id,
        "experimentName": said.name,
        "experimentItemId": said.item_id,
    }
    if "dataset" in groups:
        version = None if said.item_version is None else iso(said.item_version)
        shown |= {"experimentDatasetId": said.dataset_id, "experimentItemVersion": version}
    if "io" in groups:
        shown |= {"input": row.input, "output": row.output, "expectedOutput": said.expected_output}
    if "metadata" in groups:
        shown["metadata"] = row.metadata
    if "itemMetadata" in groups:
        shown["experimentItemMetadata"] = said.item_metadata
    if "experimentMetadata" in groups:
        shown |= {"experimentMetadata": said.metadata, "experimentDescription": said.description}
    if "scores" in groups:
        shown["scores"] = scores
    return shown


def _list_items(project: Project, call: Call) -> Reply:
    groups = _groups(call, _ITEM_GROUPS, ["core", "dataset"])
    start, end = _window(call)
    limit = call.integer("limit", 50, maximum=100)
    conditions = parse_filter(call.first("filter"), _ITEM_COLUMNS)
    rows = [
        row
        for row in project.observations.visible()
        if row.experiment is not None
        and row.id == row.experiment.root_observation_id
        and start <= row.start < end
        and matches(conditions, row, _ITEM_COLUMNS)
        and all(
            call.first(name) is None or read(row) in call.listed(name) for name, read in _ITEM_COLUMNS.items()
        )
    ]
    rows = _continued(rows, call, [f"{row.experiment.id}/{row.id}" for row in rows if row.experiment])
    meta = {}
    if len(rows) > limit:
        last = rows[limit - 1]
        meta["cursor"] = _cursor(last.start, last.trace_id, last.id, _ITEM_COLUMNS["experimentId"](last))
    scores = _scores_by(project, "observationId", call) if "scores" in groups else {}
    data = [_item_json(row, groups, scores.get(row.id, [])) for row in rows[:limit]]
    return Reply({"data": data, "meta": meta})


def _link_run_item(project: Project, call: Call) -> Reply:
    """What SDK 4 calls for each item: answers with the run's id and stores nothing."""
    body = require_object(call.body)
    issues = check_text(body, "runName", required=True) + check_text(body, "datasetItemId", required=True)
    if issues:
        raise invalid(*issues)
    item = project.items.latest(body["datasetItemId"])
    if item is None:
        raise refused("Dataset item not found or is not active", 404)
    if not body.get("traceId") and not body.get("observationId"):
        raise refused("observationId or traceId must be provided")
    now = iso(project.clock.now())
    run_id = experiment_id(project.id, item.dataset_id, body["runName"])
    return Reply(
        {
            "id": project.new_uuid(),
            "datasetRunId": run_id,
            "datasetRunName": body["runName"],
            "datasetItemId": item.id,
            "traceId": body.get("traceId"),
            "observationId": body.get("observationId"),
            "createdAt": now,
            "updatedAt": now,
        }
    )


ROUTES = [
    Route("GET", "/api/public/experiments", _list),
    Route("GET", "/api/public/experiment-items", _list_items),
    Route("POST", "/api/public/dataset-run-items", _link_run_item),
]
