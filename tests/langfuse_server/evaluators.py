"""LLM-as-a-judge evaluators: the stable API of newer servers and the unstable one of older ones."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .clock import iso
from .exchange import Call, Reply, Route
from .paging import decode_cursor, encode_cursor, page
from .problems import (
    MISSING,
    ProblemError,
    check_text,
    custom,
    js_type,
    not_one_of,
    require_object,
    too_short,
    wrong_type,
)

if TYPE_CHECKING:
    from .project import Project

_STABLE = "/api/public/v2/evaluators"
_UNSTABLE = "/api/public/unstable/evaluators"
_SOURCES = ["input", "output", "metadata", "tool_calls"]
_EXPERIMENT_SOURCES = [*_SOURCES, "expected_output", "experiment_item_metadata"]
_DATA_TYPES = ["NUMERIC", "BOOLEAN", "CATEGORICAL"]
_ROLES = ["system", "user", "assistant"]
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_MEDIA = re.compile(r"@@@langfuseMedia:type=([^|]+)\|id=([^|]+)\|source=[^@]+@@@")
_DEFINITION = ("prompt", "modelConfig", "outputDefinition", "variableMapping", "mapping")
FIRST_STABLE = (4, 59, 0)


@dataclass
class EvaluatorStore:
    """Evaluators by id, oldest first, each with its newest definition; providers that can be asked."""

    project: Project
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    providers: list[str] = field(default_factory=list)

    def compiled(self, name: str, sides: dict[str, Any]) -> list[dict[str, Any]]:
        """The messages the server would send: variables filled in, media of all but system turns as files.

        `sides` holds `input`, `output`, ... as recorded. A file is given by its bytes.
        """
        row = next(each for each in reversed(self.rows.values()) if each["name"] == name)
        values = {}
        for entry in row["variableMapping"]:
            value = _at(sides.get(entry["source"]), entry.get("jsonPath"))
            values[entry["variable"]] = value if isinstance(value, str) else json.dumps(value)
        return [
            {"role": each["role"], "content": self._parts(each["role"], _filled(each["content"], values))}
            for each in row["prompt"]
        ]

    def _parts(self, role: str, text: str) -> str | list[Any]:
        if role == "system":
            return text
        parts: list[Any] = []
        at = 0
        for match in _MEDIA.finditer(text):
            media = self.project.media
            path = media.object_path(media.records[match[2]])
            parts += [text[at : match.start()], self.project.bucket.objects[path].data]
            at = match.end()
        return [*parts, text[at:]]


def _filled(text: str, values: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values[match[1]], text)


def _at(value: Any, path: str | None) -> Any:
    for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", path or ""):
        value = value[int(index)] if index else value[name]
    return value


def _problem(status: int, code: str, message: str, **details: Any) -> ProblemError:
    return ProblemError(
        status, {"message": message, "code": code, **({"details": details} if details else {})}
    )


def _invalid(issues: list[dict[str, Any]]) -> ProblemError:
    return _problem(400, "invalid_body", "Invalid request body", issues=issues)


def _required_text(body: dict[str, Any], key: str, *path: str) -> list[dict[str, Any]]:
    found = check_text(body, key, required=True)
    if not found and not body[key].strip():
        found = [too_short(1, key)]
    return [{**issue, "path": [*path, *issue["path"]]} for issue in found]


def _objects(body: dict[str, Any], key: str, *path: str) -> list[dict[str, Any]]:
    value = body.get(key, MISSING)
    return [] if isinstance(value, dict) else [wrong_type("object", value, *path, key)]


def _category_issues(score: dict[str, Any], *path: str) -> list[dict[str, Any]]:
    categories = score.get("categories", MISSING)
    if not isinstance(categories, list):
        return [wrong_type("array", categories, *path, "categories")]
    issues = []
    if len(categories) < 2:
        message = "Too small: expected array to have >=2 items"
        issues.append({**too_short(2, *path, "categories"), "origin": "array", "message": message})
    if js_type(score.get("shouldAllowMultipleMatches", MISSING)) != "boolean":
        told = score.get("shouldAllowMultipleMatches", MISSING)
        issues.append(wrong_type("boolean", told, *path, "shouldAllowMultipleMatches"))
    return issues


def _bounds_issues(score: dict[str, Any], *path: str) -> list[dict[str, Any]]:
    low, high = score.get("minValue"), score.get("maxValue")
    if low is not None and high is not None and low > high:
        return [custom("Minimum value must be less than or equal to maximum value", *path)]
    return []


def _output_issues(output: Any, *, flat: bool) -> list[dict[str, Any]]:
    at = "outputDefinition"
    if not isinstance(output, dict):
        return [wrong_type("object", output, at)]
    if output.get("dataType") not in _DATA_TYPES:
        return [not_one_of(_DATA_TYPES, at, "dataType")]
    issues: list[dict[str, Any]] = []
    if flat:
        score, path = output, [at]
    else:
        issues = _objects(output, "reasoning", at) + _objects(output, "score", at)
        if issues:
            return issues
        score, path = output["score"], [at, "score"]
        issues = _required_text(output["reasoning"], "description", at, "reasoning")
        issues += _required_text(score, "description", *path)
    if output["dataType"] == "CATEGORICAL":
        issues += _category_issues(score, *path)
    return issues + (_bounds_issues(score, *path) if output["dataType"] == "NUMERIC" else [])


def _prompt_issues(prompt: Any) -> list[dict[str, Any]]:
    if isinstance(prompt, str):
        return []
    if not isinstance(prompt, list):
        return [wrong_type("string", prompt, "prompt")]
    issues = []
    for at, message in enumerate(prompt):
        if message.get("role") not in _ROLES:
            issues.append(not_one_of(_ROLES, "prompt", at, "role"))
        elif message["role"] == "system" and at:
            issues.append(custom("A system message must be the first message", "prompt", at))
        issues += [
            {**issue, "path": ["prompt", at, *issue["path"]]}
            for issue in check_text(message, "content", required=True)
        ]
    return issues


def _check_mapping(mapping: Any, prompt: Any, sources: list[str], key: str) -> None:
    if mapping is None:
        return
    bad = [
        not_one_of(sources, key, at, "source")
        for at, entry in enumerate(mapping)
        if entry.get("source") not in sources
    ]
    if bad:
        raise _invalid(bad)
    variables = _variables(prompt)
    for at, entry in enumerate(mapping):
        name, path = entry["variable"], entry.get("jsonPath")
        if name not in variables:
            message = f'Mapping variable "{name}" is not present in the evaluator prompt'
            raise _problem(
                400, "invalid_variable_mapping", message, field=f"{key}[{at}].variable", variable=name
            )
        if path is not None and not path.startswith("$"):
            message = (
                f'Mapping for variable "{name}" has an invalid jsonPath "{path}". '
                'JSONPath expressions must start with "$".'
            )
            place = f"{key}[{at}].jsonPath"
            raise _problem(400, "invalid_json_path", message, field=place, variable=name, value=path)
    if missing := [name for name in variables if name not in {entry["variable"] for entry in mapping}]:
        message = f"Missing mappings for evaluator variables: {', '.join(missing)}"
        raise _problem(400, "missing_variable_mapping", message, field=key, variables=missing)


def _variables(prompt: Any) -> list[str]:
    texts = [prompt] if isinstance(prompt, str) else [message["content"] for message in prompt]
    return list(dict.fromkeys(name for text in texts for name in _VARIABLE.findall(text)))


def _is_stable(call: Call) -> bool:
    return call.path.startswith(_STABLE)


def _offered(project: Project, call: Call) -> None:
    """Each version of the server has one of the two APIs here."""
    newer = tuple(map(int, project.version.split("."))) >= FIRST_STABLE
    if newer != _is_stable(call):
        raise ProblemError(404, "<!DOCTYPE html><html><head><title>404</title></head></html>")


def _checked(call: Call, *, stable: bool) -> dict[str, Any]:
    body = require_object(call.body)
    issues = _required_text(body, "name")
    if stable:
        issues += _prompt_issues(body.get("prompt", MISSING))
    else:
        issues += check_text(body, "prompt", required=True)
    issues += _output_issues(body.get("outputDefinition", MISSING), flat=stable)
    if body.get("modelConfig") is not None:
        config = body["modelConfig"]
        issues += _required_text(config, "provider", "modelConfig")
        issues += _required_text(config, "model", "modelConfig")
    if issues:
        raise _invalid(issues)
    if stable:
        _check_mapping(body.get("variableMapping"), body["prompt"], _EXPERIMENT_SOURCES, "variableMapping")
    else:
        _check_mapping(body.get("mapping"), body["prompt"], _SOURCES, "mapping")
    return body


def _shown(row: dict[str, Any], *, stable: bool) -> dict[str, Any]:
    shown = {key: row[key] for key in ("id", "name", "version", "createdAt", "updatedAt", "type")}
    shown |= {"prompt": row["prompt"], "modelConfig": row["modelConfig"]}
    shown |= {"outputDefinition": row["outputDefinition"], "variables": _variables(row["prompt"])}
    if not stable:
        return shown | {"mapping": row["mapping"], "evaluationRuleCount": 0}
    return shown | {
        "variableMapping": row["variableMapping"],
        "description": None,
        "createdBy": None,
        "status": "active",
        "pausedAt": None,
        "pausedReason": None,
        "pausedMessage": None,
        "evaluationRuleAssignments": [],
        "versionId": f"{row['id']}-{row['version']}",
        "versionCreatedAt": row["updatedAt"],
        "versionCreatedBy": None,
    }


def _write(project: Project, body: dict[str, Any], former: dict[str, Any] | None) -> dict[str, Any]:
    now = iso(project.clock.now())
    row = {
        "id": former["id"] if former else project.new_cuid(),
        "name": body["name"],
        "type": "llm_as_judge",
        "version": former["version"] + 1 if former else 1,
        "createdAt": former["createdAt"] if former else now,
        "updatedAt": now,
        **{key: body.get(key) for key in _DEFINITION},
    }
    if isinstance(row["prompt"], str) and "variableMapping" in body:
        row["prompt"] = [{"role": "user", "content": row["prompt"]}]
    project.evaluators.rows[row["id"]] = row
    return row


def _create(project: Project, call: Call) -> Reply:
    _offered(project, call)
    stable = _is_stable(call)
    body = _checked(call, stable=stable)
    named = [row for row in project.evaluators.rows.values() if row["name"] == body["name"]]
    # The stable API has names that are no identifiers; the unstable one makes the next version.
    row = _write(project, body, named[-1] if named and not stable else None)
    return Reply(_shown(row, stable=stable), 201 if stable else 200)


def _update(project: Project, call: Call) -> Reply:
    _offered(project, call)
    former = project.evaluators.rows.get(call.parameters["evaluatorId"])
    if former is None:
        raise _problem(404, "resource_not_found", "Evaluator not found")
    body = _checked(call, stable=True)
    return Reply(_shown(_write(project, body, former), stable=True))


def _read(project: Project, call: Call) -> Reply:
    _offered(project, call)
    row = project.evaluators.rows.get(call.parameters["evaluatorId"])
    if row is None:
        raise _problem(404, "resource_not_found", "Evaluator not found")
    return Reply(_shown(row, stable=_is_stable(call)))


def _list(project: Project, call: Call) -> Reply:
    _offered(project, call)
    stable = _is_stable(call)
    rows = [_shown(row, stable=stable) for row in reversed(project.evaluators.rows.values())]
    if not stable:
        data, meta = page(call, rows)
        return Reply({"data": data, "meta": meta})
    limit = call.integer("limit", 50, maximum=100)
    (start,) = decode_cursor(call.first("cursor") or encode_cursor({"at": 0}), "at")
    more = start + limit < len(rows)
    cursor = {"cursor": encode_cursor({"at": start + limit})} if more else {}
    return Reply({"data": rows[start : start + limit], "meta": cursor})


def _connections(project: Project, call: Call) -> Reply:
    now = iso(project.clock.now())
    rows: list[dict[str, Any]] = [
        {
            "id": f"llm-{provider}",
            "provider": provider,
            "adapter": "openai",
            "displaySecretKey": "...1234",
            "baseURL": None,
            "customModels": [],
            "withDefaultModels": True,
            "extraHeaderKeys": [],
            "config": None,
            "createdAt": now,
            "updatedAt": now,
        }
        for provider in project.evaluators.providers
    ]
    data, meta = page(call, rows)
    return Reply({"data": data, "meta": meta})


ROUTES = [
    Route("POST", _STABLE, _create),
    Route("GET", _STABLE, _list),
    Route("GET", f"{_STABLE}/{{evaluatorId}}", _read),
    Route("PATCH", f"{_STABLE}/{{evaluatorId}}", _update),
    Route("POST", _UNSTABLE, _create),
    Route("GET", _UNSTABLE, _list),
    Route("GET", f"{_UNSTABLE}/{{evaluatorId}}", _read),
    Route("GET", "/api/public/llm-connections", _connections),
]
