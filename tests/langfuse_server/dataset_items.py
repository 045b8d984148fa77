"""Dataset items: every write is a version, media must be confirmed first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .clock import is_time, iso, parse_time
from .exchange import Call, Reply, Route
from .json_schemas import first_violation
from .jsonb import stored
from .paging import page
from .problems import bad_time, check_text, custom, invalid, not_one_of, refused, require_object, too_long
from .references import references

if TYPE_CHECKING:
    from .datasets import Dataset
    from .project import Project

_FIELDS = ("input", "expectedOutput", "metadata")


@dataclass
class ItemVersion:
    """One version of an item: `values` by field name; valid from `since` until `until` (None: current)."""

    id: str
    dataset_id: str
    dataset_name: str
    values: dict[str, Any]
    status: str
    source_trace_id: str | None
    source_observation_id: str | None
    since: int
    until: int | None = None


class ItemStore:
    """All versions of all items of one project, oldest first for each id; deleted items keep theirs."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.versions: dict[str, list[ItemVersion]] = {}

    def latest(self, item_id: str) -> ItemVersion | None:
        """The current version, or None when the item is unknown or deleted."""
        versions = self.versions.get(item_id)
        return versions[-1] if versions and versions[-1].until is None else None

    def current(self, dataset_id: str | None = None) -> list[ItemVersion]:
        """Current versions, archived ones too, newest first, then by id."""
        return _newest_first(
            versions[-1]
            for versions in self.versions.values()
            if versions[-1].until is None and dataset_id in {None, versions[-1].dataset_id}
        )

    def at(self, moment: int, dataset_id: str) -> list[ItemVersion]:
        """The versions that were valid at `moment`, newest first, then by id."""
        return _newest_first(
            version
            for versions in self.versions.values()
            for version in versions
            if version.dataset_id == dataset_id
            and version.since <= moment
            and (version.until is None or moment < version.until)
        )

    def write(self, version: ItemVersion) -> None:
        """Close the former version and append this one."""
        history = self.versions.setdefault(version.id, [])
        if history and history[-1].until is None:
            history[-1].until = version.since
        history.append(version)

    def delete(self, item_id: str) -> None:
        """Close the current version for good."""
        self.versions[item_id][-1].until = self._project.clock.now()

    def as_json(self, item: ItemVersion) -> dict[str, Any]:
        """The item as answers show it, media references resolved."""
        return {
            "id": item.id,
            "datasetId": item.dataset_id,
            "status": item.status,
            "sourceTraceId": item.source_trace_id,
            "sourceObservationId": item.source_observation_id,
            "createdAt": iso(item.since),
            "updatedAt": iso(item.since if item.until is None else item.until),
            **{name: item.values[name] for name in _FIELDS},
            "datasetName": item.dataset_name,
            "mediaReferences": self._resolved(item),
        }

    def _resolved(self, item: ItemVersion) -> list[dict[str, Any]]:
        media = self._project.media
        return [
            {
                "field": name,
                "referenceString": text,
                "jsonPath": path,
                "media": media.described(media.records[media_id]),
            }
            for name in sorted(_FIELDS)
            for path, text, media_id in sorted(references(item.values[name]))
        ]


def _newest_first(versions: Any) -> list[ItemVersion]:
    return sorted(versions, key=lambda version: (-version.since, version.id))


def _check(body: dict[str, Any]) -> None:
    issues = check_text(body, "datasetName", required=True)
    issues += check_text(body, "id")
    item_id = body.get("id")
    if isinstance(item_id, str) and len(item_id) > 255:
        issues.append(too_long(255, "id", message="ID must be at most 255 characters"))
    issues += check_text(body, "sourceTraceId") + check_text(body, "sourceObservationId")
    if body.get("status") not in {None, "ACTIVE", "ARCHIVED"}:
        issues.append(not_one_of(["ACTIVE", "ARCHIVED"], "status"))
    if issues:
        raise invalid(*issues)


def _former(project: Project, dataset: Dataset, item_id: str) -> ItemVersion | None:
    """The current version to update; refuses an id that another dataset has or had."""
    history = project.items.versions.get(item_id)
    if history and history[-1].dataset_id != dataset.id:
        other = history[-1].dataset_id
        raise refused(
            f"Dataset item id {item_id} already exists in another dataset (id {other}) in this project; item "
            f"ids are unique per project across datasets. Use a different id or target dataset {other}.",
            409,
        )
    return project.items.latest(item_id)


def _merged(body: dict[str, Any], former: ItemVersion | None) -> dict[str, Any]:
    """Null or absent keeps the old value. An empty string replaces it, but is stored as null."""
    values = dict(former.values) if former else dict.fromkeys(_FIELDS)
    for name in _FIELDS:
        if body.get(name) is not None:
            values[name] = None if body[name] == "" else stored(body[name])
    return values


def _check_schemas(dataset: Dataset, values: dict[str, Any]) -> None:
    schemas = [
        ("Input", dataset.input_schema, values["input"]),
        ("Expected output", dataset.expected_output_schema, values["expectedOutput"]),
    ]
    violations = [
        (label, first_violation(schema, value)) for label, schema, value in schemas if schema is not None
    ]
    texts = [f"{label} validation failed: {found['message']}" for label, found in violations if found]
    if texts:
        raise refused(f"Dataset item validation failed: {'; '.join(texts)}")


def _check_media(project: Project, values: dict[str, Any]) -> None:
    named = [media_id for name in _FIELDS for _, _, media_id in references(values[name])]
    records = project.media.records
    unknown = [each for each in dict.fromkeys(named) if each not in records or not records[each].usable]
    if unknown:
        raise refused(f"Dataset item references unknown media: {', '.join(unknown)}")


def _upsert(project: Project, call: Call) -> Reply:
    body = require_object(call.body)
    _check(body)
    name = body["datasetName"]
    dataset = project.datasets.by_name.get(name)
    if dataset is None:
        raise refused(f"Dataset {name} not found for project {project.id}", 404)
    item_id = body.get("id") or project.new_uuid()
    former = _former(project, dataset, item_id)
    values = _merged(body, former)
    _check_schemas(dataset, values)
    _check_media(project, values)
    blank = ItemVersion(item_id, dataset.id, name, values, "ACTIVE", None, None, 0)
    version = replace(former or blank, values=values, since=project.clock.now(), until=None)
    version.status = body.get("status") or version.status
    version.source_trace_id = body.get("sourceTraceId") or version.source_trace_id
    version.source_observation_id = body.get("sourceObservationId") or version.source_observation_id
    project.items.write(version)
    return Reply(project.items.as_json(version))


def _read(project: Project, call: Call) -> Reply:
    item = project.items.latest(call.parameters["id"])
    if item is None:
        raise refused("Dataset item not found", 404)
    return Reply(project.items.as_json(item))


def _list(project: Project, call: Call) -> Reply:
    name, version = call.first("datasetName"), call.first("version")
    if version is not None and name is None:
        raise invalid(custom("datasetName is required when version parameter is provided", "datasetName"))
    dataset = project.datasets.named(name) if name is not None else None
    if version is not None and not is_time(version):
        raise invalid(bad_time("version"))
    if version is not None and dataset is not None:
        items = project.items.at(parse_time(version), dataset.id)
    else:
        items = project.items.current(dataset.id if dataset else None)
    wanted = [item for item in items if item.status == "ACTIVE" and _from_source(item, call)]
    rows, meta = page(call, wanted)
    return Reply({"data": [project.items.as_json(item) for item in rows], "meta": meta})


def _from_source(item: ItemVersion, call: Call) -> bool:
    trace, observation = call.first("sourceTraceId"), call.first("sourceObservationId")
    return trace in {None, item.source_trace_id} and observation in {None, item.source_observation_id}


def _delete(project: Project, call: Call) -> Reply:
    item_id = call.parameters["id"]
    if project.items.latest(item_id) is None:
        raise refused(f"Dataset item with id {item_id} not found for project {project.id}", 404)
    project.items.delete(item_id)
    return Reply({"message": "Dataset item successfully deleted"})


ROUTES = [
    Route("POST", "/api/public/dataset-items", _upsert, body_limit="4.5mb"),
    Route("GET", "/api/public/dataset-items", _list),
    Route("GET", "/api/public/dataset-items/{id}", _read),
    Route("DELETE", "/api/public/dataset-items/{id}", _delete),
]
