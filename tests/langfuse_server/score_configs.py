"""Score configs, and what they do to the scores that name them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .clock import iso
from .exchange import Call, Reply, Route
from .jsonb import number
from .paging import page
from .problems import (
    MISSING,
    bad_format,
    check_text,
    custom,
    invalid,
    js_type,
    not_one_of,
    refused,
    require_object,
    too_short,
    wrong_type,
)

if TYPE_CHECKING:
    from .project import Project

_DATA_TYPES = ["NUMERIC", "CATEGORICAL", "BOOLEAN", "TEXT"]
_LONGEST_NAME = 35
_NAME = re.compile(r"[\w .()-]+")
_NAME_AS_WRITTEN = r"/^[\p{L}\p{N}_ .()-]+$/u"
_YES_NO = [{"label": "True", "value": 1}, {"label": "False", "value": 0}]
_CHANGEABLE = ("isArchived", "name", "categories", "minValue", "maxValue", "description")


@dataclass
class ScoreConfigStore:
    """Configs by id, as answers show them, in order of creation."""

    project: Project
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def conform(self, body: dict[str, Any]) -> dict[str, Any] | None:
        """The score with its type settled and under its config's name; None when the server would drop it."""
        value, data_type = body.get("value"), body.get("dataType")
        if body.get("configId") is None:
            return {**body, "dataType": data_type or ("CATEGORICAL" if isinstance(value, str) else "NUMERIC")}
        config = self.configs.get(body["configId"])
        if config is None or config["isArchived"] or data_type not in {None, config["dataType"]}:
            return None
        if not _fits(config, value):
            return None
        return {**body, "dataType": config["dataType"], "name": config["name"]}


def _fits(config: dict[str, Any], value: Any) -> bool:
    kind = "number" if config["dataType"] in {"NUMERIC", "BOOLEAN"} else "string"
    if js_type(value) != kind:
        return False
    if config["dataType"] == "NUMERIC":
        low, high = config["minValue"], config["maxValue"]
        return (low is None or value >= low) and (high is None or value <= high)
    if config["dataType"] == "CATEGORICAL":
        return value in [category["label"] for category in config["categories"]]
    return config["dataType"] == "TEXT" or value in {0, 1}


def _issues(body: dict[str, Any]) -> list[dict[str, Any]]:
    issues = check_text(body, "name", maximum=_LONGEST_NAME) + check_text(body, "description")
    name = body.get("name")
    if name == "":
        issues.append(too_short(1, "name"))
    if isinstance(name, str) and not _NAME.fullmatch(name):
        issues.append(bad_format(_NAME_AS_WRITTEN, "Name contains invalid characters", "name"))
    issues += [
        wrong_type("number", body[key], key)
        for key in ("minValue", "maxValue")
        if body.get(key) is not None and js_type(body[key]) != "number"
    ]
    categories = body.get("categories")
    if categories is not None and not isinstance(categories, list):
        issues.append(wrong_type("array", categories, "categories"))
    return issues or _doubles(categories or [])


def _doubles(categories: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first label or value that stands there twice."""
    seen: set[tuple[str, Any]] = set()
    for category in categories:
        for key in ("label", "value"):
            value = category.get(key)
            if (key, value) in seen:
                message = f"Duplicate category {key}: {value}, category {key}s must be unique"
                return [custom(message, "categories")]
            seen.add((key, value))
    return []


def _check_rules(config: dict[str, Any]) -> None:
    low, high = config["minValue"], config["maxValue"]
    if config["dataType"] == "CATEGORICAL" and not config["categories"]:
        raise invalid(custom("Category must be an array of objects with label value pairs", "categories"))
    if low is not None and high is not None and low >= high:
        raise invalid(custom("Maximum value must be greater than minimum value", "maxValue"))


def _create(project: Project, call: Call) -> Reply:
    body = require_object(call.body)
    issues = _issues(body)
    if body.get("name") is None:
        issues.append(wrong_type("string", body.get("name", MISSING), "name"))
    if body.get("dataType") not in _DATA_TYPES:
        issues.append(not_one_of(_DATA_TYPES, "dataType"))
    if issues:
        raise invalid(*issues)
    now = iso(project.clock.now())
    config = {
        "id": project.new_uuid(),
        "name": body["name"],
        "isArchived": False,
        "description": body.get("description"),
        "createdAt": now,
        "updatedAt": now,
        "projectId": project.id,
        "maxValue": number(body.get("maxValue")),
        "minValue": number(body.get("minValue")),
        "dataType": body["dataType"],
        "categories": _YES_NO if body["dataType"] == "BOOLEAN" else body.get("categories"),
    }
    _check_rules(config)
    project.score_configs.configs[config["id"]] = config
    return Reply(config)


def _named(project: Project, call: Call) -> dict[str, Any]:
    config = project.score_configs.configs.get(call.parameters["configId"])
    if config is None:
        raise refused("Score config not found within authorized project", 404)
    return config


def _read(project: Project, call: Call) -> Reply:
    return Reply(_named(project, call))


def _update(project: Project, call: Call) -> Reply:
    config, body = _named(project, call), require_object(call.body)
    issues = _issues(body)
    if issues:
        raise invalid(*issues)
    changed = {**config, **{key: body[key] for key in _CHANGEABLE if body.get(key) is not None}}
    _check_rules(changed)
    config.update(changed, updatedAt=iso(project.clock.now()))
    return Reply(config)


def _list(project: Project, call: Call) -> Reply:
    rows, meta = page(call, list(reversed(project.score_configs.configs.values())))
    return Reply({"data": rows, "meta": meta})


ROUTES = [
    Route("POST", "/api/public/score-configs", _create),
    Route("GET", "/api/public/score-configs", _list),
    Route("GET", "/api/public/score-configs/{configId}", _read),
    Route("PATCH", "/api/public/score-configs/{configId}", _update),
]
