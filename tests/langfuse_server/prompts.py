"""Prompts: versions, labels that move between them, references to other prompts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .clock import iso
from .exchange import Call, Reply, Route
from .jsonb import stored
from .paging import page
from .problems import (
    MISSING,
    bad_format,
    check_text,
    custom,
    invalid,
    no_union_branch,
    not_one_of,
    refused,
    require_object,
    too_long,
    wrong_type,
)

if TYPE_CHECKING:
    from .project import Project

_LABEL = re.compile(r"[a-z0-9_\-.]+")
_LONGEST_LABEL = 36
_LONGEST_COMMIT = 500
_NO_NUMBER = "Invalid input: expected number, received NaN"
_REFERENCE = re.compile(r"@@@langfusePrompt:name=([^|@]+)\|(label|version)=([^|@]+)@@@")


@dataclass
class PromptVersion:
    """One version of a prompt: `prompt` is a text or a list of messages. Times are milliseconds."""

    id: str
    name: str
    version: int
    type: str
    prompt: Any
    config: Any
    tags: list[str]
    labels: list[str]
    commit_message: str | None
    created_at: int
    updated_at: int

    def as_json(self, project_id: str) -> dict[str, Any]:
        """The version as POST and PATCH answer it."""
        return {
            "id": self.id,
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.updated_at),
            "projectId": project_id,
            "createdBy": "API",
            "prompt": self.prompt,
            "name": self.name,
            "version": self.version,
            "type": self.type,
            "isActive": None,
            "config": self.config,
            "tags": self.tags,
            "labels": self.labels,
            "commitMessage": self.commit_message,
        }


@dataclass
class PromptStore:
    """All versions of one project's prompts by name, oldest first."""

    project: Project
    versions: dict[str, list[PromptVersion]] = field(default_factory=dict)

    def find(self, name: str, version: int | None = None, label: str | None = None) -> PromptVersion | None:
        """The version with this number or label."""
        for each in self.versions.get(name, []):
            if each.version == version or (label is not None and label in each.labels):
                return each
        return None

    def by_id(self, version_id: str) -> PromptVersion | None:
        """The version with this id."""
        return next((each for each in self.all() if each.id == version_id), None)

    def all(self) -> list[PromptVersion]:
        """Every version of every prompt."""
        return [each for versions in self.versions.values() for each in versions]

    def label(self, chosen: PromptVersion, labels: list[str]) -> None:
        """Put labels on a version and take them from the others."""
        now = self.project.clock.now()
        for other in self.versions[chosen.name]:
            if other is not chosen and set(labels) & set(other.labels):
                other.labels = [label for label in other.labels if label not in labels]
                other.updated_at = now
        chosen.labels = [*dict.fromkeys([*labels, *chosen.labels])]

    def referenced(self, prompt: Any) -> list[tuple[str, str, PromptVersion]]:
        """The prompts that a prompt includes: name, label or version as written, and the version meant."""
        texts = [prompt] if isinstance(prompt, str) else [message.get("content", "") for message in prompt]
        found = []
        for name, kind, key in (match for text in texts for match in _REFERENCE.findall(text)):
            version = self.find(name, label=key) if kind == "label" else self.find(name, int(key))
            if version is None:
                raise refused(f"Prompt dependency not found: {name} - {kind} {key}")
            found.append((name, key, version))
        return found

    def resolve(self, prompt: Any) -> Any:
        """The prompt with included prompts in place of their tags."""
        if isinstance(prompt, list):
            return [
                {**message, "content": self.resolve(message["content"])} if "content" in message else message
                for message in prompt
            ]

        def included(match: re.Match[str]) -> str:
            name, kind, key = match.groups()
            version = self.find(name, label=key) if kind == "label" else self.find(name, int(key))
            return str(self.resolve(version.prompt)) if version else match.group()

        return _REFERENCE.sub(included, prompt)


def _message_issues(message: Any) -> list[dict[str, Any]]:
    """Issues of a chat message that is neither a plain message nor a placeholder."""
    body = message if isinstance(message, dict) else {}
    plain = check_text(body, "role", required=True) + check_text(body, "content", required=True)
    placeholder = [] if body.get("type") == "placeholder" else [not_one_of(["placeholder"], "type")]
    placeholder += check_text(body, "name", required=True)
    return [no_union_branch([plain, placeholder], "Invalid input")] if plain and placeholder else []


def _prompt_issues(body: dict[str, Any]) -> list[dict[str, Any]]:
    prompt = body.get("prompt", MISSING)
    if body.get("type") != "chat":
        return check_text(body, "prompt", required=True)
    if not isinstance(prompt, list):
        return [wrong_type("array", prompt, "prompt")]
    bad = [
        {**i, "path": ["prompt", at]} for at, message in enumerate(prompt) for i in _message_issues(message)
    ]
    if not bad:
        return []
    text = [not_one_of(["text"], "type"), wrong_type("string", prompt, "prompt")]
    return [no_union_branch([text, bad], "Invalid input")]


def _label_issues(labels: Any) -> list[dict[str, Any]]:
    if labels is None:
        return []
    if not isinstance(labels, list):
        return [wrong_type("array", labels, "labels")]
    issues = []
    for index, label in enumerate(labels):
        if not isinstance(label, str):
            issues.append(wrong_type("string", label, "labels", index))
        elif len(label) > _LONGEST_LABEL:
            issues.append(too_long(_LONGEST_LABEL, "labels", index))
        elif not _LABEL.fullmatch(label):
            message = "Label must be lowercase alphanumeric with optional underscores, hyphens, or periods"
            issues.append(bad_format("/^[a-z0-9_\\-.]+$/", message, "labels", index))
    return issues


def _name_issues(name: Any) -> list[dict[str, Any]]:
    if not isinstance(name, str):
        return [wrong_type("string", MISSING if name is None else name, "name")]
    if "|" in name or name in {"", "new"}:
        return [custom("Prompt name cannot be empty, 'new' or contain '|'", "name")]
    return []


def _kept_messages(prompt: Any) -> Any:
    """Only the known keys of a chat message survive."""
    if isinstance(prompt, str):
        return prompt
    return [
        {"name": message["name"], "type": "placeholder"}
        if message.get("type") == "placeholder"
        else {"role": message["role"], "content": message["content"]}
        for message in prompt
    ]


def _create(project: Project, call: Call) -> Reply:
    body = require_object(call.body)
    kind = body.get("type") or "text"
    issues = _name_issues(body.get("name")) + _prompt_issues(body) + _label_issues(body.get("labels"))
    issues += check_text(body, "commitMessage", maximum=_LONGEST_COMMIT)
    if kind not in {"text", "chat"}:
        issues = [not_one_of(["text", "chat"], "type")]
    if issues:
        raise invalid(*issues)
    store, name, now = project.prompts, body["name"], project.clock.now()
    former = store.versions.get(name, [])
    if former and former[0].type != kind:
        message = "Previous versions have different prompt type. Create a new prompt with a different name."
        raise refused(message)
    prompt = _kept_messages(body["prompt"])
    store.referenced(prompt)
    tags = body.get("tags")
    version = PromptVersion(
        id=project.new_uuid(),
        name=name,
        version=max((each.version for each in former), default=0) + 1,
        type=kind,
        prompt=prompt,
        config=stored(body.get("config")) or {},
        tags=list(tags) if tags is not None else list(former[-1].tags) if former else [],
        labels=[],
        commit_message=body.get("commitMessage"),
        created_at=now,
        updated_at=now,
    )
    store.versions.setdefault(name, []).append(version)
    store.label(version, [*dict.fromkeys([*(body.get("labels") or []), "latest"])])
    for each in former:
        if each is not version and each.tags != version.tags:
            each.tags, each.updated_at = list(version.tags), now
    return Reply(version.as_json(project.id), 201)


def _read(project: Project, call: Call) -> Reply:
    name, number, label = call.parameters["promptName"], call.first("version"), call.first("label")
    if number is not None and label is not None:
        raise refused("Cannot specify both version and label")
    if number is not None and not number.isdigit():
        raise invalid({**wrong_type("number", number, "version"), "message": _NO_NUMBER})
    if number is not None:
        version, wanted = project.prompts.find(name, int(number)), f"version {number}"
    else:
        label = label or "production"
        version, wanted = project.prompts.find(name, label=label), f"label '{label}'"
    if version is None:
        raise refused(f"Prompt not found: '{name}' with {wanted}", 404)
    resolve = call.first("resolve") != "false"
    shown = version.as_json(project.id) | {"isActive": "production" in version.labels}
    if resolve:
        shown["prompt"] = project.prompts.resolve(version.prompt)
    return Reply({**shown, "resolutionGraph": _graph(project, version) if resolve else None})


def _graph(project: Project, root: PromptVersion) -> dict[str, Any] | None:
    included = project.prompts.referenced(root.prompt)
    if not included:
        return None
    dependencies = [{"id": each.id, "name": each.name, "version": each.version} for _, _, each in included]
    return {
        "root": {"name": root.name, "version": root.version, "id": root.id},
        "dependencies": {root.id: dependencies},
    }


def _relabel(project: Project, call: Call) -> Reply:
    labels = require_object(call.body).get("newLabels", MISSING)
    if not isinstance(labels, list):
        raise invalid(wrong_type("array", labels, "newLabels"))
    if "latest" in labels:
        message = "Label 'latest' is always assigned to the latest prompt version"
        raise invalid(custom(message, "newLabels"))
    number = call.parameters["version"]
    version = project.prompts.find(call.parameters["name"], int(number)) if number.isdigit() else None
    if version is None:
        raise refused("Prompt not found", 404)
    project.prompts.label(version, labels)
    version.updated_at = project.clock.now()
    return Reply(version.as_json(project.id))


def _list(project: Project, call: Call) -> Reply:
    rows = [
        _summary(versions)
        for name, versions in project.prompts.versions.items()
        if call.first("name") in {None, name}
        and (call.first("tag") is None or call.first("tag") in versions[-1].tags)
        and (call.first("label") is None or any(call.first("label") in each.labels for each in versions))
    ]
    rows.sort(key=lambda row: str(row["lastUpdatedAt"]), reverse=True)
    data, meta = page(call, rows, default_limit=10)
    return Reply({"data": data, "meta": meta, "pagination": meta})


def _summary(versions: list[PromptVersion]) -> dict[str, Any]:
    return {
        "name": versions[-1].name,
        "tags": versions[-1].tags,
        "lastUpdatedAt": iso(max(each.updated_at for each in versions)),
        "versions": [each.version for each in versions],
        "labels": sorted({label for each in versions for label in each.labels}),
        "type": versions[-1].type,
        "lastConfig": versions[-1].config,
    }


def _delete(project: Project, call: Call) -> Reply:
    store, name = project.prompts, call.parameters["promptName"]
    number, label = call.first("version"), call.first("label")
    doomed = [
        each
        for each in store.versions.get(name, [])
        if number in {None, str(each.version)} and (label is None or label in each.labels)
    ]
    if not doomed:
        raise refused("Prompt not found", 404)
    _check_dependents(store, doomed)
    remaining = [each for each in store.versions[name] if each not in doomed]
    if not remaining:
        del store.versions[name]
        return Reply(None, 204)
    store.versions[name] = remaining
    store.label(remaining[-1], ["latest"])
    return Reply(None, 204)


def _check_dependents(store: PromptStore, doomed: list[PromptVersion]) -> None:
    lines = [
        f"{each.name} v{each.version} depends on {name} {key}"
        for each in store.all()
        if each not in doomed
        for name, key, version in store.referenced(each.prompt)
        if version in doomed
    ]
    if lines:
        intro = "Other prompts are depending on prompt versions you are trying to delete:"
        raise refused("\n\n".join([intro, "\n".join(lines), "Please delete the dependent prompts first."]))


ROUTES = [
    Route("POST", "/api/public/v2/prompts", _create),
    Route("GET", "/api/public/v2/prompts", _list),
    Route("GET", "/api/public/v2/prompts/{promptName}", _read),
    Route("DELETE", "/api/public/v2/prompts/{promptName}", _delete),
    Route("PATCH", "/api/public/v2/prompts/{name}/versions/{version}", _relabel),
]
