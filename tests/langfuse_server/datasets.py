"""Datasets: created and updated by name."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .clock import iso
from .exchange import Call, Reply, Route
from .json_schemas import first_violation, is_json_schema
from .jsonb import stored
from .paging import page
from .problems import check_text, custom, invalid, refused, require_object

if TYPE_CHECKING:
    from .project import Project

_TAG = re.compile(r"<[^>]*>")


@dataclass
class Dataset:
    """A dataset's own fields; schemas are JSON Schemas or None."""

    id: str
    name: str
    created_at: int
    updated_at: int
    description: str | None = None
    metadata: Any = None
    input_schema: dict[str, Any] | None = None
    expected_output_schema: dict[str, Any] | None = None

    def as_json(self, project_id: str) -> dict[str, Any]:
        """The dataset as answers show it."""
        return {
            "id": self.id,
            "projectId": project_id,
            "name": self.name,
            "description": self.description,
            "metadata": self.metadata,
            "inputSchema": self.input_schema,
            "expectedOutputSchema": self.expected_output_schema,
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.updated_at),
        }


class DatasetStore:
    """The datasets of one project, in order of creation."""

    def __init__(self) -> None:
        self.by_name: dict[str, Dataset] = {}

    def by_id(self, dataset_id: str) -> Dataset | None:
        """The dataset with this id."""
        return next((each for each in self.by_name.values() if each.id == dataset_id), None)

    def named(self, name: str) -> Dataset:
        """The dataset with this name, or the refusal."""
        dataset = self.by_name.get(name)
        if dataset is None:
            raise refused("Dataset not found", 404)
        return dataset


def _check_name(name: str) -> None:
    rules = [
        (not name, "Text cannot be empty"),
        (name.startswith("/"), "Name cannot start with a slash"),
        (name.endswith("/"), "Name cannot end with a slash"),
        (bool(_TAG.search(name)), "Text cannot contain HTML tags"),
    ]
    issues = [custom(message) for broken, message in rules if broken]
    if issues:
        raise refused(f"Dataset name not valid. {json.dumps(issues, indent=2)}")


def _check_existing_items(project: Project, dataset: Dataset, schemas: dict[str, Any]) -> None:
    """Refuse schemas that items already in the dataset violate."""
    conflicts = []
    items = [item for item in project.items.current(dataset.id) if item.status == "ACTIVE"]
    for item in items:
        for key, schema in schemas.items():
            violation = first_violation(schema, item.values[key])
            if violation:
                conflicts.append({"datasetItemId": item.id, "field": key, "errors": [violation]})
    if conflicts:
        count = len({conflict["datasetItemId"] for conflict in conflicts})
        details = json.dumps(conflicts, separators=(",", ":"))
        raise refused(f"Schema validation failed for {count} item(s). Details: {details}")


def _upsert(project: Project, call: Call) -> Reply:
    body = require_object(call.body)
    issues = check_text(body, "name", required=True) + check_text(body, "description")
    schema_keys = ("inputSchema", "expectedOutputSchema")
    issues += [
        custom("Must be a valid JSON Schema", key)
        for key in schema_keys
        if body.get(key) is not None and not is_json_schema(body[key])
    ]
    if issues:
        raise invalid(*issues)
    _check_name(body["name"])
    now = project.clock.now()
    dataset = project.datasets.by_name.get(body["name"])
    if dataset is None:
        dataset = Dataset(project.new_cuid(), body["name"], now, now)
    named = {"input": body.get("inputSchema"), "expectedOutput": body.get("expectedOutputSchema")}
    _check_existing_items(project, dataset, {key: schema for key, schema in named.items() if schema})
    project.datasets.by_name[dataset.name] = dataset
    dataset.updated_at = now
    if body.get("description") is not None:
        dataset.description = stored(body["description"])
    if body.get("metadata") is not None:
        dataset.metadata = stored(body["metadata"])
    if "inputSchema" in body:
        dataset.input_schema = body["inputSchema"]
    if "expectedOutputSchema" in body:
        dataset.expected_output_schema = body["expectedOutputSchema"]
    return Reply(dataset.as_json(project.id))


def _read(project: Project, call: Call) -> Reply:
    return Reply(project.datasets.named(call.parameters["datasetName"]).as_json(project.id))


def _read_with_items(project: Project, call: Call) -> Reply:
    dataset = project.datasets.named(call.parameters["datasetName"])
    items = [
        project.items.as_json(item) for item in project.items.current(dataset.id) if item.status == "ACTIVE"
    ]
    return Reply({**dataset.as_json(project.id), "items": items, "runs": []})


def _list(project: Project, call: Call) -> Reply:
    newest_first = sorted(project.datasets.by_name.values(), key=lambda each: each.created_at)[::-1]
    rows, meta = page(call, newest_first)
    return Reply({"data": [each.as_json(project.id) for each in rows], "meta": meta})


ROUTES = [
    Route("POST", "/api/public/v2/datasets", _upsert),
    Route("GET", "/api/public/v2/datasets", _list),
    Route("GET", "/api/public/v2/datasets/{datasetName}", _read),
    Route("GET", "/api/public/datasets/{datasetName}", _read_with_items),
]
