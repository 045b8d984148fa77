"""Routes of the former data model: refused in events-only mode, else answered from the same observations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .clock import iso
from .exchange import Call, Reply, Route
from .jsonb import decoded
from .paging import page
from .problems import ProblemError, refused
from .score_list import newest_of_each_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from .observations import Observation
    from .project import Project

_EVENTS_ONLY = (
    "This endpoint is not available on deployments running in Langfuse v4 events_only mode. "
    "Learn more about Langfuse v4 at: https://langfuse.com/docs/v4"
)


def _traces(project: Project) -> dict[str, list[Observation]]:
    traces: dict[str, list[Observation]] = {}
    for row in project.observations.visible():
        traces.setdefault(row.trace_id, []).append(row)
    return traces


def _trace_json(project: Project, trace_id: str, rows: list[Observation]) -> dict[str, Any]:
    root = next((row for row in reversed(rows) if row.is_root), rows[-1])
    return {
        "id": trace_id,
        "timestamp": iso(min(row.start for row in rows)),
        "name": root.trace_name or root.name,
        "input": decoded(root.input),
        "output": decoded(root.output),
        "sessionId": root.session_id or None,
        "release": root.release or None,
        "version": root.version or None,
        "userId": root.user_id or None,
        "metadata": {key: decoded(text) for key, text in root.metadata.items()},
        "tags": root.tags,
        "public": False,
        "environment": root.environment,
        "htmlPath": f"/project/{project.id}/traces/{trace_id}",
        "latency": (max(row.end for row in rows) - min(row.start for row in rows)) / 1000,
        "totalCost": sum(row.total_cost for row in rows),
    }


def _scores(project: Project, **wanted: str) -> list[dict[str, Any]]:
    """Scores in the v2 form: a number beside the text of categorical and boolean values."""
    rows = newest_of_each_id(project.scores.rows())
    return [_score_json(row) for row in rows if all(row[key] == value for key, value in wanted.items())]


def _score_json(row: dict[str, Any]) -> dict[str, Any]:
    shown = dict(row)
    if row["dataType"] == "BOOLEAN":
        shown |= {"value": int(row["value"]), "stringValue": str(row["value"])}
    elif row["dataType"] != "NUMERIC":
        shown |= {"value": 0, "stringValue": row["value"]}
    return shown


def _observation_json(row: Observation) -> dict[str, Any]:
    usage = {"input": row.usage.get("input", 0), "output": row.usage.get("output", 0)}
    return {
        "id": row.id,
        "traceId": row.trace_id,
        "type": row.type,
        "name": row.name,
        "startTime": iso(row.start),
        "endTime": iso(row.end),
        "completionStartTime": None if row.completion_start is None else iso(row.completion_start),
        "model": row.model or None,
        "modelParameters": row.model_parameters,
        "input": decoded(row.input),
        "version": row.version or None,
        "metadata": {key: decoded(text) for key, text in row.metadata.items()},
        "output": decoded(row.output),
        "usage": {**usage, "total": row.usage.get("total", 0), "unit": "TOKENS"},
        "level": row.level,
        "statusMessage": row.status_message or None,
        "parentObservationId": row.parent_id,
        "promptId": None,
        "promptName": row.prompt_name or None,
        "promptVersion": row.prompt_version,
        "usageDetails": row.usage,
        "costDetails": row.cost,
        "environment": row.environment,
        "modelId": row.price.id if row.price else None,
        "inputPrice": row.price.input if row.price else None,
        "outputPrice": row.price.output if row.price else None,
        "totalPrice": None,
        "calculatedInputCost": row.cost.get("input"),
        "calculatedOutputCost": row.cost.get("output"),
        "calculatedTotalCost": row.total_cost,
        "latency": row.latency,
        "timeToFirstToken": None,
    }


def _list_traces(project: Project, call: Call) -> Reply:
    rows = []
    for trace_id, spans in _traces(project).items():
        shown = _trace_json(project, trace_id, spans)
        shown["observations"] = [row.id for row in spans]
        shown["scores"] = [score["id"] for score in _scores(project, traceId=trace_id)]
        rows.append(shown)
    return _page(call, rows, ("userId", "name", "sessionId", "version", "release"))


def _read_trace(project: Project, call: Call) -> Reply:
    trace_id = call.parameters["traceId"]
    spans = _traces(project).get(trace_id)
    if spans is None:
        raise refused(f"Trace {trace_id} not found within authorized project", 404)
    shown = _trace_json(project, trace_id, spans)
    shown["observations"] = [_observation_json(row) for row in spans]
    shown["scores"] = _scores(project, traceId=trace_id)
    return Reply(shown)


def _session_json(project: Project, session_id: str, rows: list[Observation]) -> dict[str, Any]:
    return {
        "id": session_id,
        "createdAt": iso(min(row.start for row in rows)),
        "projectId": project.id,
        "environment": rows[-1].environment,
    }


def _sessions(project: Project) -> dict[str, list[Observation]]:
    sessions: dict[str, list[Observation]] = {}
    for row in project.observations.visible():
        if row.session_id:
            sessions.setdefault(row.session_id, []).append(row)
    return sessions


def _list_sessions(project: Project, call: Call) -> Reply:
    rows = [_session_json(project, name, spans) for name, spans in _sessions(project).items()]
    return _page(call, rows, ())


def _read_session(project: Project, call: Call) -> Reply:
    session_id = call.parameters["sessionId"]
    spans = _sessions(project).get(session_id)
    if spans is None:
        raise refused("Session not found within authorized project", 404)
    members = {row.trace_id for row in spans}
    traces = [
        _trace_json(project, trace_id, rows)
        for trace_id, rows in _traces(project).items()
        if trace_id in members
    ]
    return Reply({**_session_json(project, session_id, spans), "traces": traces})


def _list_observations(project: Project, call: Call) -> Reply:
    rows = [_observation_json(row) for row in project.observations.visible()]
    return _page(call, rows, ("traceId", "name", "type", "level", "parentObservationId", "version"))


def _read_observation(project: Project, call: Call) -> Reply:
    wanted = call.parameters["observationId"]
    row = next((each for each in project.observations.visible() if each.id == wanted), None)
    if row is None:
        raise refused("Observation not found within authorized project", 404)
    return Reply(_observation_json(row))


def _list_scores(project: Project, call: Call) -> Reply:
    names = (
        "traceId",
        "name",
        "sessionId",
        "datasetRunId",
        "observationId",
        "configId",
        "source",
        "dataType",
    )
    return _page(call, _scores(project), names)


def _read_score(project: Project, call: Call) -> Reply:
    found = _scores(project, id=call.parameters["scoreId"])
    if not found:
        raise refused("Score not found within authorized project", 404)
    return Reply(found[0])


def _page(call: Call, rows: list[dict[str, Any]], names: tuple[str, ...]) -> Reply:
    wanted = [row for row in rows if all(call.first(name) in {None, row[name]} for name in names)]
    data, meta = page(call, wanted)
    return Reply({"data": data, "meta": meta})


def _only_in_dual_mode(handler: Callable[[Project, Call], Reply] | None) -> Callable[[Project, Call], Reply]:
    def answer(project: Project, call: Call) -> Reply:
        if project.events_only or handler is None:
            raise ProblemError(404, {"message": _EVENTS_ONLY})
        return handler(project, call)

    return answer


_HANDLERS = {
    "/api/public/traces": _list_traces,
    "/api/public/traces/{traceId}": _read_trace,
    "/api/public/sessions": _list_sessions,
    "/api/public/sessions/{sessionId}": _read_session,
    "/api/public/observations": _list_observations,
    "/api/public/observations/{observationId}": _read_observation,
    "/api/public/v2/scores": _list_scores,
    "/api/public/v2/scores/{scoreId}": _read_score,
    "/api/public/scores": None,
    "/api/public/scores/{scoreId}": None,
    "/api/public/dataset-run-items": None,
    "/api/public/datasets/{datasetName}/runs": None,
    "/api/public/datasets/{datasetName}/runs/{runName}": None,
    "/api/public/metrics": None,
    "/api/public/metrics/daily": None,
}

ROUTES = [Route("GET", template, _only_in_dual_mode(handler)) for template, handler in _HANDLERS.items()]
