"""Judges that the server of a platform in memory would run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vlmops.errors import UsageError
from vlmops.platforms.judge_definitions import DeployedJudge

if TYPE_CHECKING:
    from vlmops.platforms.judge_definitions import JudgeDefinition


@dataclass
class MemoryJudges:
    """Versions by name, oldest first.

    Attributes:
        shows_pictures: Whether judges there see any.
        versions: What was deployed.
    """

    shows_pictures: bool = True
    versions: dict[str, list[JudgeDefinition]] = field(default_factory=dict)

    async def obstacle(self, definition: JudgeDefinition) -> str | None:
        """That judges see nothing, where they do not and this one must."""
        blind = definition.pictures and not self.shows_pictures
        return "judges of this server see no pictures" if blind else None

    async def deploy(self, definition: JudgeDefinition) -> DeployedJudge:
        """Keep it, unless the newest version is the same."""
        if why := await self.obstacle(definition):
            raise UsageError(why)
        versions = self.versions.setdefault(definition.name, [])
        written = not versions or versions[-1] != definition
        if written:
            versions.append(definition)
        url = f"memory:judges/{definition.name}"
        return DeployedJudge(definition.name, definition.name, str(len(versions)), url, written)
