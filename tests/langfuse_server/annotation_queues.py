"""Annotation queues and their items, which the server takes without a look at what they are about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .clock import iso
from .exchange import Call, Reply, Route
from .problems import MISSING, check_text, invalid, not_one_of, refused, require_object, wrong_type

if TYPE_CHECKING:
    from .project import Project

_STATUSES = ["PENDING", "COMPLETED"]
_OBJECT_TYPES = ["TRACE", "OBSERVATION", "SESSION"]
_PAGING = {"page", "limit"}
_LARGEST_PAGE = 100
_SUBJECT = "Annotation queue"


@dataclass
class QueueStore:
    """Queues by id and items by queue and id, as answers show them, in order of creation.

    `users` are those who may be assigned.
    """

    queues: dict[str, dict[str, Any]] = field(default_factory=dict)
    items: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    users: set[str] = field(default_factory=set)

    def named(self, name: str) -> dict[str, Any] | None:
        """The queue of this name."""
        return next((queue for queue in self.queues.values() if queue["name"] == name), None)


def _unknown_keys(given: Any, known: set[str]) -> list[dict[str, Any]]:
    unknown = [key for key in given if key not in known]
    if not unknown:
        return []
    keys = ", ".join(f'"{key}"' for key in unknown)
    noun = "key" if len(unknown) == 1 else "keys"
    issue = {"code": "unrecognized_keys", "keys": unknown, "path": []}
    return [{**issue, "message": f"Unrecognized {noun}: {keys}"}]


def _paging_issues(call: Call) -> list[dict[str, Any]]:
    issues = []
    for key in ("page", "limit"):
        text = call.first(key)
        if text is None:
            continue
        value = int(text) if text.lstrip("-").isdigit() else None
        if value is None:
            message = "Invalid input: expected number, received NaN"
            issues.append({**wrong_type("number", text, key), "message": message})
        elif value <= 0:
            issues.append(_bound("small", 0, key, "Too small: expected number to be >0", inclusive=False))
        elif key == "limit" and value > _LARGEST_PAGE:
            message = f"Too big: expected number to be <={_LARGEST_PAGE}"
            issues.append(_bound("big", _LARGEST_PAGE, key, message, inclusive=True))
    return issues


def _bound(word: str, limit: int, key: str, message: str, *, inclusive: bool) -> dict[str, Any]:
    bound = "minimum" if word == "small" else "maximum"
    return {
        "origin": "number",
        "code": f"too_{word}",
        bound: limit,
        "inclusive": inclusive,
        "path": [key],
        "message": message,
    }


def _page(call: Call, rows: list[Any]) -> Reply:
    """Newest first."""
    number, limit = int(call.first("page") or 1), int(call.first("limit") or 50)
    newest = rows[::-1]
    meta = {"page": number, "limit": limit, "totalItems": len(rows), "totalPages": -(-len(rows) // limit)}
    return Reply({"data": newest[(number - 1) * limit : number * limit], "meta": meta})


def _refuse(issues: list[dict[str, Any]]) -> None:
    if issues:
        raise invalid(*issues)


def _queue_of(project: Project, call: Call) -> dict[str, Any]:
    queue = project.queues.queues.get(call.parameters["queueId"])
    if queue is None:
        raise refused(f"{_SUBJECT} not found", 404)
    return queue


def _item_of(project: Project, call: Call) -> dict[str, Any]:
    queue = _queue_of(project, call)
    item = project.queues.items[queue["id"]].get(call.parameters["itemId"])
    if item is None:
        raise refused(f"{_SUBJECT} item not found", 404)
    return item


def _list_queues(project: Project, call: Call) -> Reply:
    _refuse(_paging_issues(call) + _unknown_keys(call.query, _PAGING))
    return _page(call, list(project.queues.queues.values()))


def _create_queue(project: Project, call: Call) -> Reply:
    body = require_object(call.body)
    issues = check_text(body, "name", required=True) + check_text(body, "description")
    ids = body.get("scoreConfigIds", MISSING)
    if not isinstance(ids, list):
        issues.append(wrong_type("array", ids, "scoreConfigIds"))
    elif not ids:
        message = "Too small: expected array to have >=1 items"
        size = {"origin": "array", "code": "too_small", "minimum": 1, "inclusive": True}
        issues.append({**size, "path": ["scoreConfigIds"], "message": message})
    else:
        issues += [
            wrong_type("string", each, "scoreConfigIds", index)
            for index, each in enumerate(ids)
            if not isinstance(each, str)
        ]
    _refuse(issues + _unknown_keys(body, {"name", "description", "scoreConfigIds"}))
    if not set(body["scoreConfigIds"]) <= project.score_configs.configs.keys():
        raise refused("At least one of the score config IDs cannot be found for the given project.")
    if project.queues.named(body["name"]) is not None:
        raise refused("A queue with this name already exists.")
    now = iso(project.clock.now())
    queue = {
        "id": project.new_cuid(),
        "name": body["name"],
        "description": body.get("description"),
        "scoreConfigIds": list(body["scoreConfigIds"]),
        "createdAt": now,
        "updatedAt": now,
    }
    project.queues.queues[queue["id"]] = queue
    project.queues.items[queue["id"]] = {}
    return Reply(queue)


def _read_queue(project: Project, call: Call) -> Reply:
    return Reply(_queue_of(project, call))


def _list_items(project: Project, call: Call) -> Reply:
    issues = _paging_issues(call)
    status = call.first("status")
    if status is not None and status not in _STATUSES:
        issues.append(not_one_of(_STATUSES, "status"))
    _refuse(issues + _unknown_keys(call.query, {*_PAGING, "status"}))
    items = project.queues.items[_queue_of(project, call)["id"]].values()
    return _page(call, [item for item in items if status in {None, item["status"]}])


def _create_item(project: Project, call: Call) -> Reply:
    """Twice the same makes two items, and what is not there can be an item, too."""
    body = require_object(call.body)
    issues = check_text(body, "objectId", required=True)
    if body.get("objectType") not in _OBJECT_TYPES:
        issues.append(not_one_of(_OBJECT_TYPES, "objectType"))
    # The published description allows null here; the server does not.
    if body.get("status", "PENDING") not in _STATUSES:
        issues.append(not_one_of(_STATUSES, "status"))
    _refuse(issues + _unknown_keys(body, {"objectId", "objectType", "status"}))
    queue = _queue_of(project, call)
    now, status = iso(project.clock.now()), body.get("status", "PENDING")
    item = {
        "id": project.new_cuid(),
        "queueId": queue["id"],
        "objectId": body["objectId"],
        "objectType": body["objectType"],
        "status": status,
        "completedAt": now if status == "COMPLETED" else None,
        "createdAt": now,
        "updatedAt": now,
    }
    project.queues.items[queue["id"]][item["id"]] = item
    return Reply(item)


def _read_item(project: Project, call: Call) -> Reply:
    return Reply(_item_of(project, call))


def _update_item(project: Project, call: Call) -> Reply:
    """An item that is opened again keeps the time at which it was completed."""
    body = require_object(call.body)
    issues = []
    if "status" in body and body["status"] not in _STATUSES:
        issues.append(not_one_of(_STATUSES, "status"))
    _refuse(issues + _unknown_keys(body, {"status"}))
    item = _item_of(project, call)
    if "status" in body:
        now = iso(project.clock.now())
        completed = now if body["status"] == "COMPLETED" else item["completedAt"]
        item.update(status=body["status"], completedAt=completed, updatedAt=now)
    return Reply(item)


def _delete_item(project: Project, call: Call) -> Reply:
    item = _item_of(project, call)
    del project.queues.items[item["queueId"]][item["id"]]
    return Reply({"success": True, "message": "Annotation queue item deleted successfully"})


def _user_of(call: Call) -> str:
    body = require_object(call.body)
    _refuse(check_text(body, "userId", required=True) + _unknown_keys(body, {"userId"}))
    return str(body["userId"])


def _assign(project: Project, call: Call) -> Reply:
    user, queue = _user_of(call), _queue_of(project, call)
    if user not in project.queues.users:
        raise refused("User not found or not authorized for this project", 404)
    return Reply({"userId": user, "queueId": queue["id"], "projectId": project.id})


def _release(project: Project, call: Call) -> Reply:
    """Also of one who was not assigned."""
    _user_of(call)
    _queue_of(project, call)
    return Reply({"success": True})


_QUEUES = "/api/public/annotation-queues"
ROUTES = [
    Route("GET", _QUEUES, _list_queues),
    Route("POST", _QUEUES, _create_queue),
    Route("GET", f"{_QUEUES}/{{queueId}}", _read_queue),
    Route("GET", f"{_QUEUES}/{{queueId}}/items", _list_items),
    Route("POST", f"{_QUEUES}/{{queueId}}/items", _create_item),
    Route("GET", f"{_QUEUES}/{{queueId}}/items/{{itemId}}", _read_item),
    Route("PATCH", f"{_QUEUES}/{{queueId}}/items/{{itemId}}", _update_item),
    Route("DELETE", f"{_QUEUES}/{{queueId}}/items/{{itemId}}", _delete_item),
    Route("POST", f"{_QUEUES}/{{queueId}}/assignments", _assign),
    Route("DELETE", f"{_QUEUES}/{{queueId}}/assignments", _release),
]
