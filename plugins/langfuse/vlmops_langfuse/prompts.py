"""Prompts as Langfuse's own: chat prompts, whose config holds the metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vlmops.errors import PlatformError
from vlmops.platforms.prompts import Prompt, PromptTurn, PromptVersion, require_one
from vlmops_langfuse.connection import LangfuseRefusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping

    from vlmops_langfuse.connection import LangfuseConnection

_PATH = "/api/public/v2/prompts"
_NEWEST = "latest"
"""The label that Langfuse itself keeps on the newest version."""

_ROLES = ("system", "user", "assistant")
_NOT_FOUND = 404


class LangfusePrompts:
    """Prompts of one Langfuse project."""

    def __init__(self, connection: LangfuseConnection) -> None:
        self._connection = connection

    async def publish(self, prompt: Prompt, labels: Collection[str] = ()) -> PromptVersion:
        """Keep a prompt as a chat prompt, unless a version says the same; ``/`` in its name makes folders.

        Without the label ``production`` Langfuse's SDK does not give it by name alone.

        Raises:
            PlatformError: Langfuse refused the name, a label or a text prompt's becoming a chat prompt.
        """
        messages = [{"role": turn.role, "content": turn.text} for turn in prompt.turns]
        config = prompt.content["metadata"]
        async for stored in self._stored(prompt.name):
            if stored["prompt"] == messages and (stored["config"] or {}) == config:
                break
        else:
            body = {"name": prompt.name, "type": "chat", "prompt": messages, "config": config}
            stored = await self._connection.post(_PATH, {**body, "labels": sorted(labels)})
        if missing := set(labels) - set(stored["labels"]):
            path = f"{_PATH}/{quote(prompt.name, safe='')}/versions/{stored['version']}"
            stored = await self._connection.patch(path, {"newLabels": sorted(missing)})
        return await self._version(stored)

    async def fetch(
        self, name: str, *, version: str | None = None, label: str | None = None
    ) -> PromptVersion:
        """The version of this number or with this label, else the newest, with the prompts that it includes.

        Raises:
            UsageError: Both are said.
            PlatformError: There is none, or it holds more than text.
        """
        require_one(name, version, label)
        asked = {"version": version} if version is not None else {"label": label or _NEWEST}
        return await self._version(await self._get(name, {**asked, "resolve": "true"}))

    async def _stored(self, name: str) -> AsyncIterator[Mapping[str, Any]]:
        """Every version, newest first."""
        listed = await self._connection.get(_PATH, {"name": name})
        numbers = [number for row in listed["data"] if row["name"] == name for number in row["versions"]]
        for number in sorted(numbers, reverse=True):
            yield await self._get(name, {"version": str(number), "resolve": "false"})

    async def _get(self, name: str, asked: Mapping[str, str]) -> Mapping[str, Any]:
        try:
            found: Mapping[str, Any] = await self._connection.get(f"{_PATH}/{quote(name, safe='')}", asked)
        except LangfuseRefusal as error:
            if error.status != _NOT_FOUND:
                raise
            which = ", ".join(f"{key} {value}" for key, value in asked.items() if key != "resolve")
            raise PlatformError(f"Langfuse has no prompt {name!r} ({which}): publish it first") from error
        return found

    async def _version(self, stored: Mapping[str, Any]) -> PromptVersion:
        name, number = str(stored["name"]), str(stored["version"])
        url = f"{await self._connection.project_url()}/prompts/{quote(name, safe='')}?version={number}"
        labels = tuple(label for label in stored["labels"] if label != _NEWEST)
        metadata = stored["config"] if isinstance(stored["config"], dict) else {}
        return PromptVersion(Prompt(name, _turns(stored), metadata), number, str(stored["id"]), url, labels)


def _turns(stored: Mapping[str, Any]) -> tuple[PromptTurn, ...]:
    said = stored["prompt"]
    if isinstance(said, str):
        return (PromptTurn("user", said),)
    if strange := [each for each in said if each.get("role") not in _ROLES]:
        what = strange[0].get("type") or f"a turn of {strange[0].get('role')!r}"
        raise PlatformError(
            f"prompt {stored['name']!r}, version {stored['version']}: holds {what}, which vlmops cannot read"
        )
    return tuple(PromptTurn(each["role"], each["content"]) for each in said)
