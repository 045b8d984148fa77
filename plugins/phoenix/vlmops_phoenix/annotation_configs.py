"""Annotation configs on Phoenix, by which people annotate and scores are understood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vlmops.errors import PlatformError, PlatformUnavailable, UsageError
from vlmops_phoenix.connection import CONFLICT, PhoenixRefusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vlmops.platforms.reviews import Question
    from vlmops_phoenix.connection import PhoenixConnection

_CONFIGS = "/v1/annotation_configs"


class PhoenixAnnotationConfigs:
    """Annotation configs of one Phoenix."""

    def __init__(self, connection: PhoenixConnection) -> None:
        self._connection = connection

    async def present(self) -> dict[str, Mapping[str, Any]]:
        """All, by name."""
        pages = self._connection.pages(_CONFIGS, {"limit": 100})
        return {config["name"]: config async for config in pages}

    async def ensure(self, wanted: Sequence[Mapping[str, Any]]) -> None:
        """Make those that are not there.

        Raises:
            UsageError: One of the name is there and takes other answers.
        """
        present = await self.present()
        for config in wanted:
            known = present.get(config["name"])
            if known is None:
                await self.create(config)
            elif _asks(known) != _asks(config):
                raise UsageError(
                    f"the annotation config {config['name']!r} in Phoenix is {_told(known)}, not "
                    f"{_told(config)}: change it there (Settings, Annotations), or ask under another name"
                )

    async def create(self, config: Mapping[str, Any]) -> None:
        """Make one; that another process made it since we looked is no error."""
        try:
            await self._connection.post(_CONFIGS, config)
        except PhoenixRefusal as error:
            if error.status != CONFLICT:
                raise

    async def assign(self, project: str, names: Sequence[str]) -> None:
        """Have a project offer them to people; one that does not exist yet is passed over."""
        for name in names:
            place = f"/v1/projects/{quote(project, safe='')}/annotation_configs/{quote(name, safe='')}"
            try:
                await self._connection.put(place)
            except PlatformUnavailable:
                raise
            except PlatformError:
                # A project is born with its first span; annotations do not need the assignment.
                continue


def config_of(question: Question) -> dict[str, Any]:
    """The config by which people answer a question.

    Example:
        >>> from vlmops.platforms import Question
        >>> config_of(Question("grounded"))["values"]
        [{'label': 'pass', 'score': 1.0}, {'label': 'fail', 'score': 0.0}]
    """
    common = {
        "name": question.name,
        "description": question.text or None,
        "optimization_direction": "NONE" if question.kind == "label" else "MAXIMIZE",
    }
    if question.kind == "scale" and question.range is not None:
        low, high = question.range
        return {**common, "type": "CONTINUOUS", "lower_bound": low, "upper_bound": high}
    if question.kind == "label":
        values: list[dict[str, Any]] = [{"label": label, "score": None} for label in question.labels]
    else:
        values = [{"label": "pass", "score": 1.0}, {"label": "fail", "score": 0.0}]
    return {**common, "type": "CATEGORICAL", "values": values}


def _asks(config: Mapping[str, Any]) -> tuple[Any, ...]:
    """What of a config decides which answers it takes."""
    if config["type"] == "CATEGORICAL":
        values = config.get("values") or ()
        return ("CATEGORICAL", frozenset((value["label"], value.get("score")) for value in values))
    return (config["type"], config.get("lower_bound"), config.get("upper_bound"))


def _told(config: Mapping[str, Any]) -> str:
    kind, *parts = _asks(config)
    if kind == "CATEGORICAL":
        return f"CATEGORICAL of {', '.join(sorted(label for label, _ in parts[0]))}"
    low, high = ("open" if part is None else f"{part:g}" for part in parts)
    return f"{kind} from {low} to {high}"
