"""Score configs on Langfuse by which people annotate."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from vlmops.platforms.reviews import Question
    from vlmops_langfuse.connection import LangfuseConnection

CONFIGS = "/api/public/score-configs"
LONGEST_CONFIG_NAME = 35

_NAME = re.compile(r"[\w .()-]+")


class LangfuseScoreConfigs:
    """Score configs of one project."""

    def __init__(self, connection: LangfuseConnection) -> None:
        self._connection = connection

    async def fitting(self, question: Question) -> str:
        """Id of the config that asks this; made where there is none of its name.

        Raises:
            UsageError: The name is none that a config can have, or the one of this name asks something else.
        """
        require_name(question.name)
        wanted = _body(question)
        of_name = [config for config in await self._all() if config["name"] == question.name]
        for config in of_name:
            if _asks(config) == _asks(wanted):
                return str(config["id"])
        if of_name:
            raise UsageError(
                f"the score config {question.name!r} in Langfuse is {_told(of_name[0])}, not "
                f"{_told(wanted)}: archive it there (Settings, Scores), or ask under another name"
            )
        return str((await self._connection.post(CONFIGS, wanted))["id"])

    async def names(self, ids: Sequence[str]) -> list[str]:
        """Names of the configs of these ids, in their order."""
        by_id = {config["id"]: config["name"] for config in await self._all(archived=True)}
        return [by_id[identity] for identity in ids if identity in by_id]

    async def lacking(self, ids: Collection[str], questions: Sequence[Question]) -> list[str]:
        """Names of the questions that none of these configs asks."""
        there = {
            (config["name"], _asks(config))
            for config in await self._all(archived=True)
            if config["id"] in ids
        }
        return [each.name for each in questions if (each.name, _asks(_body(each))) not in there]

    async def ids(self, names: Collection[str]) -> dict[str, str]:
        """Ids by name; of several configs of one name that of the newest."""
        return {
            config["name"]: config["id"] for config in reversed(await self._all()) if config["name"] in names
        }

    async def _all(self, *, archived: bool = False) -> list[Mapping[str, Any]]:
        """Newest first."""
        pages = self._connection.numbered_pages(CONFIGS, {})
        return [row async for rows in pages for row in rows if archived or not row["isArchived"]]


def require_name(name: str) -> None:
    """Make sure that a score config can have this name.

    Raises:
        UsageError: It is too long, or has other characters than letters, digits, ``_ .()-`` and spaces.

    Example:
        >>> require_name("grounded.totals")
    """
    if len(name) > LONGEST_CONFIG_NAME:
        raise UsageError(
            f"score config {name!r} has {len(name)} characters; the most is {LONGEST_CONFIG_NAME}: "
            "give it a shorter name"
        )
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"score config {name!r}: Langfuse takes letters, digits, spaces and _ . ( ) - in its name"
        )


def _body(question: Question) -> dict[str, Any]:
    common = {"name": question.name, "description": question.text or None}
    if question.kind == "pass/fail":
        return {**common, "dataType": "BOOLEAN"}
    if question.kind == "scale" and question.range is not None:
        low, high = question.range
        return {**common, "dataType": "NUMERIC", "minValue": low, "maxValue": high}
    categories = [{"label": label, "value": number} for number, label in enumerate(question.labels)]
    return {**common, "dataType": "CATEGORICAL", "categories": categories}


def _asks(config: Mapping[str, Any]) -> tuple[Any, ...]:
    """What of a config decides which answers it takes."""
    kind = config["dataType"]
    if kind == "NUMERIC":
        return (kind, config.get("minValue"), config.get("maxValue"))
    if kind == "CATEGORICAL":
        return (kind, frozenset(category["label"] for category in config.get("categories") or ()))
    return (kind,)


def _told(config: Mapping[str, Any]) -> str:
    kind, *parts = _asks(config)
    if kind == "NUMERIC":
        low, high = ("open" if part is None else f"{part:g}" for part in parts)
        return f"NUMERIC from {low} to {high}"
    return f"CATEGORICAL of {', '.join(sorted(parts[0]))}" if parts else str(kind)
