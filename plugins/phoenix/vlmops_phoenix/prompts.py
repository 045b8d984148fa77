"""Prompts as Phoenix's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from vlmops.errors import PlatformError, UsageError
from vlmops.platforms.prompts import Prompt, PromptTurn, PromptVersion, require_one

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from vlmops_phoenix.connection import PhoenixConnection

_NAME = re.compile(r"[a-z0-9]([_a-z0-9-]*[a-z0-9])?")
_FORMAT_PIECE = re.compile(r"\{\{|\}\}|\{([A-Za-z_]\w*)\}")
_ROLES: Mapping[str, Literal["system", "user", "assistant"]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "model": "assistant",
}
_MODEL = {
    "model_provider": "OPENAI",
    "model_name": "any",
    "invocation_parameters": {"type": "openai", "openai": {}},
}
"""Phoenix wants a model for every prompt; which one is asked is said where it is asked."""


class PhoenixPrompts:
    """Prompts of one Phoenix; versions are ids, since Phoenix counts none."""

    def __init__(self, connection: PhoenixConnection) -> None:
        self._connection = connection

    async def publish(self, prompt: Prompt, labels: Collection[str] = ()) -> PromptVersion:
        """Keep a prompt, unless a version says the same; labels are Phoenix's tags.

        Raises:
            UsageError: Phoenix cannot have a prompt or a tag of that name.
            PlatformError: Phoenix did not keep it.
        """
        for name in (prompt.name, *labels):
            _check_name(name)
        kept = await self._stored(prompt.name)
        stored = next((each for each in kept if _content(each) == prompt.content), None)
        if stored is None:
            body = {"prompt": {"name": prompt.name}, "version": _body(prompt)}
            stored = (await self._connection.post("/v1/prompts", body))["data"]
        for label in labels:
            await self._connection.post(f"/v1/prompt_versions/{stored['id']}/tags", {"name": label})
        return await self._version(prompt.name, stored)

    async def fetch(
        self, name: str, *, version: str | None = None, label: str | None = None
    ) -> PromptVersion:
        """The version with this id or this tag, else the newest.

        Raises:
            UsageError: Both are said.
            PlatformError: There is none, or it holds more than text.
        """
        require_one(name, version, label)
        kept = await self._stored(name)
        for stored in kept:
            if version not in (None, stored["id"]):
                continue
            if label is None or label in await self._tags(stored["id"]):
                return await self._version(name, stored)
        which = f"version {version}" if version else f"tag {label!r}" if label else "version"
        raise PlatformError(f"Phoenix has no prompt {name!r} with {which}: publish it first")

    async def _stored(self, name: str) -> list[Mapping[str, Any]]:
        """Every version, newest first; none where there is no such prompt."""
        if not _NAME.fullmatch(name):
            return []
        return [each async for each in self._connection.pages(f"/v1/prompts/{name}/versions")]

    async def _tags(self, version: str) -> list[str]:
        path = f"/v1/prompt_versions/{version}/tags"
        return [str(tag["name"]) async for tag in self._connection.pages(path)]

    async def _version(self, name: str, stored: Mapping[str, Any]) -> PromptVersion:
        version = str(stored["id"])
        content = _content(stored)
        if content is None:
            raise PlatformError(f"prompt {name!r}, version {version}: holds more than text")
        turns = tuple(PromptTurn(turn["role"], turn["text"]) for turn in content["turns"])
        url = f"{self._connection.settings.url}/prompts/{await self._id_of(name)}/versions/{version}"
        labels = tuple(await self._tags(version))
        return PromptVersion(Prompt(name, turns, content["metadata"]), version, version, url, labels)

    async def _id_of(self, name: str) -> str:
        async for prompt in self._connection.pages("/v1/prompts"):
            if prompt["name"] == name:
                return str(prompt["id"])
        raise PlatformError(f"Phoenix has no prompt {name!r} any more: it was deleted just now")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r}: Phoenix names prompts and tags by lower-case letters, digits, '_' and '-', "
            "with a letter or digit at both ends"
        )


def _body(prompt: Prompt) -> dict[str, Any]:
    return {
        **_MODEL,
        "metadata": prompt.content["metadata"],
        "template": {
            "type": "chat",
            "messages": [{"role": turn.role, "content": turn.text} for turn in prompt.turns],
        },
        "template_type": "CHAT",
        "template_format": "MUSTACHE",
    }


def _content(stored: Mapping[str, Any]) -> dict[str, Any] | None:
    """Turns and metadata of a version as Phoenix has it; ``None`` where it holds more than text."""
    turns: list[dict[str, Any]] = [
        {"role": _ROLES.get(message["role"]), "text": _text(message["content"])}
        for message in stored["template"].get("messages", ())
    ]
    if stored.get("template_format") == "F_STRING":
        turns = [{**turn, "text": turn["text"] and _with_own_slots(turn["text"])} for turn in turns]
    if not turns or any(None in turn.values() for turn in turns):
        return None
    return {"turns": turns, "metadata": stored.get("metadata") or {}}


def _with_own_slots(text: str) -> str:
    """Of a format string: its slots in two braces, as on every platform, and its doubled braces as one."""
    return _FORMAT_PIECE.sub(lambda found: "{{" + found[1] + "}}" if found[1] else found[0][0], text)


def _text(content: Any) -> str | None:
    if isinstance(content, str):
        return content
    texts = [part.get("text") for part in content]
    return "".join(texts) if all(isinstance(text, str) for text in texts) else None
