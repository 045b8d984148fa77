"""POST /api/public/ingestion: batches of events, of which only scores (and SDK logs) are taken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .clock import is_time, parse_time
from .exchange import Call, Reply, Route
from .problems import MISSING, ProblemError, bad_time, js_type, wrong_type
from .scores import score_issues

if TYPE_CHECKING:
    from .project import Project

_MODE_TEXT = (
    'Event type "{}" is not accepted by /api/public/ingestion when LANGFUSE_MIGRATION_V4_WRITE_MODE is '
    "events_only. This endpoint only accepts score and log events. Upgrade the client or integration to a "
    "v4-compatible SDK or OTLP ingestion path. As a temporary migration bridge, set "
    "LANGFUSE_MIGRATION_V4_WRITE_MODE=dual on both the web and worker services and redeploy. Docs: "
    "https://langfuse.com/self-hosting/upgrade/upgrade-guides/upgrade-v3-to-v4"
)


def _failure(event: Any, message: str, error: str) -> dict[str, Any]:
    event_id = event.get("id") if isinstance(event, dict) else None
    return {"id": event_id or "unknown", "status": 400, "message": message, "error": error}


def _problem(event: Any) -> dict[str, Any] | None:
    """Why an event is refused, as its entry in `errors`; None when it is taken."""
    kind = event.get("type") if isinstance(event, dict) else None
    if kind not in {"score-create", "sdk-log"}:
        return _failure(event, "Event type not accepted", _MODE_TEXT.format(kind))
    issues = [
        wrong_type("string", event.get(key, MISSING), key)
        for key in ("id", "timestamp")
        if not isinstance(event.get(key), str)
    ]
    if not issues and not is_time(event["timestamp"], needs_zone=False):
        issues.append(bad_time("timestamp"))
    if kind == "score-create":
        found = score_issues(event.get("body", MISSING))
        issues += [{**issue, "path": ["body", *issue["path"]]} for issue in found]
    if not issues:
        return None
    return _failure(event, "Invalid request data", json.dumps(issues, indent=2, ensure_ascii=False))


def _ingest(project: Project, call: Call) -> Reply:
    batch = call.body.get("batch", MISSING) if isinstance(call.body, dict) else MISSING
    if not isinstance(batch, list):
        text = f"Invalid input: expected array, received {js_type(batch)}"
        raise ProblemError(400, {"message": "Invalid request data", "errors": [text]})
    successes, errors = [], []
    for event in batch:
        problem = _problem(event)
        if problem is not None:
            errors.append(problem)
            continue
        successes.append({"id": event["id"], "status": 201})
        if event["type"] == "score-create":
            moment = parse_time(event["timestamp"], needs_zone=False)
            project.scores.add(event["body"], moment=moment)
    return Reply({"successes": successes, "errors": errors}, 207)


ROUTES = [Route("POST", "/api/public/ingestion", _ingest, body_limit="4.5mb")]
