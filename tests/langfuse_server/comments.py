"""Comments on traces, observations, sessions and prompt versions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .clock import iso
from .exchange import Call, Reply, Route
from .paging import page
from .problems import MISSING, check_text, custom, invalid, not_one_of, refused, require_object, too_short

if TYPE_CHECKING:
    from .project import Project

_OBJECT_TYPES = ["TRACE", "OBSERVATION", "SESSION", "PROMPT"]
_LONGEST = 5000
_KEYS = {"projectId", "objectType", "objectId", "content", "authorUserId"}


@dataclass
class CommentStore:
    """Comments by id, as answers show them, in order of creation."""

    comments: dict[str, dict[str, Any]] = field(default_factory=dict)


def _exists(project: Project, kind: str, object_id: str) -> bool:
    if kind == "PROMPT":
        return project.prompts.by_id(object_id) is not None
    column = {"TRACE": "trace_id", "OBSERVATION": "id", "SESSION": "session_id"}[kind]
    return any(getattr(row, column) == object_id for row in project.observations.visible())


def _create(project: Project, call: Call) -> Reply:
    body = require_object(call.body)
    issues = [found for key in ("projectId", "objectId") for found in check_text(body, key, required=True)]
    content = body.get("content", MISSING)
    trimmed = {**body, "content": content.strip() if isinstance(content, str) else content}
    issues += check_text(trimmed, "content", required=True, maximum=_LONGEST)
    if trimmed["content"] == "":
        issues.append(too_short(1, "content"))
    if body.get("objectType") not in _OBJECT_TYPES:
        issues.append(not_one_of(_OBJECT_TYPES, "objectType"))
    unknown = [key for key in body if key not in _KEYS]
    if unknown:
        issue = {"code": "unrecognized_keys", "keys": unknown, "path": []}
        issues.append({**issue, "message": f'Unrecognized key: "{unknown[0]}"'})
    if issues:
        raise invalid(*issues)
    kind, object_id = body["objectType"], body["objectId"]
    if not _exists(project, kind, object_id):
        raise refused(f"Reference object, {kind}: {object_id} not found. Skipping comment creation.", 404)
    now = iso(project.clock.now())
    comment = {
        "id": project.new_uuid(),
        "projectId": project.id,
        "createdAt": now,
        "updatedAt": now,
        "objectType": kind,
        "objectId": object_id,
        "content": trimmed["content"],
        "authorUserId": body.get("authorUserId"),
    }
    project.comments.comments[comment["id"]] = comment
    return Reply({"id": comment["id"]})


def _read(project: Project, call: Call) -> Reply:
    comment = project.comments.comments.get(call.parameters["commentId"])
    if comment is None:
        raise refused("Comment not found within authorized project", 404)
    return Reply(comment)


def _list(project: Project, call: Call) -> Reply:
    kind, object_id = call.first("objectType"), call.first("objectId")
    if kind is not None and kind not in _OBJECT_TYPES:
        raise invalid(not_one_of(_OBJECT_TYPES, "objectType"))
    if object_id is not None and kind is None:
        raise invalid(custom("objectType is required when objectId is provided", "objectType"))
    rows = [
        comment
        for comment in project.comments.comments.values()
        if kind in {None, comment["objectType"]} and object_id in {None, comment["objectId"]}
    ]
    data, meta = page(call, rows)
    return Reply({"data": data, "meta": meta})


ROUTES = [
    Route("POST", "/api/public/comments", _create),
    Route("GET", "/api/public/comments", _list),
    Route("GET", "/api/public/comments/{commentId}", _read),
]
