"""Judges on Langfuse's server: its LLM-as-a-judge evaluators."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError
from vlmops.platforms.judge_definitions import DeployedJudge, JudgeDefinition, JudgeModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from vlmops_langfuse.connection import LangfuseConnection

SEES_FROM = (4, 59)
"""The first version known to send the pictures of what is judged to the judge's model."""

_SOURCES = {"input": "input", "output": "output", "expected": "expected_output"}
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONNECTIONS = "/api/public/llm-connections"


class LangfuseJudges:
    """LLM-as-a-judge evaluators of one Langfuse project.

    Newer servers take them by ``/v2/evaluators`` as chat prompts, in whose user turns pictures are shown;
    older ones by ``/unstable/evaluators`` as one text, without pictures.
    """

    def __init__(self, connection: LangfuseConnection) -> None:
        self._connection = connection

    async def obstacle(self, definition: JudgeDefinition) -> str | None:
        """That the server shows judges no pictures, where this one must see."""
        version = await self._version()
        if not definition.pictures or _numbers(version) >= SEES_FROM:
            return None
        needed = ".".join(map(str, SEES_FROM))
        return (
            f"Langfuse {version} shows judges no pictures: it would judge blindly; from {needed} on they see"
        )

    async def deploy(self, definition: JudgeDefinition) -> DeployedJudge:
        """Keep it as an evaluator, unless the newest version of that name says the same.

        Raises:
            UsageError: The server would judge blindly, or the project has no connection to the model.
            PlatformError: Langfuse refused it.
        """
        if why := await self.obstacle(definition):
            raise UsageError(f"{definition.name}: {why}")
        if definition.model is not None:
            await self._require(definition.model)
        api: _Api = _CHAT if _numbers(await self._version()) >= SEES_FROM else _TEXT
        wanted = api.content(definition)
        named = [row async for row in self._kept(api) if row["name"] == definition.name]
        for row in named:
            if _same(wanted, row):
                return await self._deployed(row, written=False)
        body = {"name": definition.name, "type": "llm_as_judge", **wanted}
        if named and api.changes:
            row = await self._connection.patch(f"{api.path}/{named[0]['id']}", body)
        else:
            row = await self._connection.post(api.path, body)
        return await self._deployed(row, written=True)

    async def _version(self) -> str:
        return str((await self._connection.get("/api/public/health"))["version"])

    async def _require(self, model: JudgeModel) -> None:
        """Langfuse takes any name of a provider, and then cannot judge."""
        known = [
            str(row["provider"])
            async for page in self._connection.numbered_pages(_CONNECTIONS, {})
            for row in page
        ]
        if model.provider not in known:
            there = ", ".join(sorted(known)) or "none"
            raise UsageError(
                f"the Langfuse project has no LLM connection {model.provider!r} (there are: {there}): add it "
                "in the project's settings, name another (--provider), or let the project's own model judge "
                "(--platform-model)"
            )

    async def _kept(self, api: _Api) -> AsyncIterator[Mapping[str, Any]]:
        """The newest version of each."""
        pages = (
            self._connection.cursor_pages(api.path, {"limit": 100})
            if api.changes
            else self._connection.numbered_pages(api.path, {})
        )
        async for page in pages:
            for row in page:
                if row["type"] == "llm_as_judge":
                    yield row

    async def _deployed(self, row: Mapping[str, Any], *, written: bool) -> DeployedJudge:
        url = f"{await self._connection.project_url()}/evals/{row['id']}"
        paused = str(row.get("pausedMessage") or "") if row.get("status") == "paused" else ""
        return DeployedJudge(str(row["name"]), str(row["id"]), str(row["version"]), url, written, paused)


@dataclass(frozen=True, slots=True)
class _Api:
    """One of the two ways in which Langfuse takes evaluators.

    Attributes:
        path: Of its routes.
        changes: Whether an evaluator is changed by its id; where not, one of the same name is.
    """

    path: str
    changes: bool

    def content(self, definition: JudgeDefinition) -> dict[str, Any]:
        """All but name and type of the request's body."""
        model = definition.model
        config = None if model is None else {"provider": model.provider, "model": model.name}
        mapping = _mapping(definition)
        if self.changes:
            return {
                "prompt": [{"role": turn.role, "content": turn.text} for turn in definition.turns],
                "modelConfig": config,
                "variableMapping": mapping,
                "outputDefinition": _flat_output(definition),
            }
        content: dict[str, Any] = {
            "prompt": "\n\n".join(turn.text for turn in definition.turns),
            "modelConfig": config,
            "outputDefinition": _nested_output(definition),
        }
        if all(each["source"] != "expected_output" for each in mapping):
            # What is expected has no default there: it is mapped in a rule on experiments.
            content["mapping"] = mapping
        return {key: value for key, value in content.items() if value is not None}


_CHAT = _Api("/api/public/v2/evaluators", changes=True)
_TEXT = _Api("/api/public/unstable/evaluators", changes=False)


def _mapping(definition: JudgeDefinition) -> list[dict[str, str]]:
    return [
        {
            "variable": slot.name,
            "source": _SOURCES[slot.source],
            **({"jsonPath": _json_path(slot.key)} if slot.key is not None else {}),
        }
        for slot in definition.slots
    ]


def _json_path(key: str) -> str:
    """JSONPath of a dotted key.

    Example:
        >>> _json_path("answers.0.unit price")
        "$.answers[0]['unit price']"
    """
    path = "$"
    for part in key.split("."):
        plain = f".{part}" if _PLAIN_KEY.fullmatch(part) else f"['{part}']"
        path += f"[{part}]" if part.isdecimal() else plain
    return path


def _flat_output(definition: JudgeDefinition) -> dict[str, Any]:
    form = definition.verdict
    told = {"scoreReasoningInstructions": form.reason, "scoreValueInstructions": form.value}
    return {**_values(definition), **{key: text for key, text in told.items() if text}}


def _nested_output(definition: JudgeDefinition) -> dict[str, Any]:
    values = _values(definition)
    form = definition.verdict
    return {
        "dataType": values.pop("dataType"),
        "reasoning": {"description": form.reason or "Why."},
        "score": {"description": form.value or "The verdict.", **values},
    }


def _values(definition: JudgeDefinition) -> dict[str, Any]:
    form = definition.verdict
    if form.labels:
        return {
            "dataType": "CATEGORICAL",
            "categories": list(form.labels),
            "shouldAllowMultipleMatches": False,
        }
    if form.range is not None:
        return {"dataType": "NUMERIC", "minValue": form.range[0], "maxValue": form.range[1]}
    return {"dataType": "BOOLEAN"}


def _same(wanted: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return all(_bare(row.get(key)) == _bare(value) for key, value in wanted.items())


def _bare(value: Any) -> Any:
    """Without keys that say nothing."""
    if isinstance(value, dict):
        return {key: _bare(inner) for key, inner in value.items() if inner is not None}
    return [_bare(inner) for inner in value] if isinstance(value, list) else value


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
