"""Judges on Phoenix's server, of which none can be set up from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmops.errors import UsageError

if TYPE_CHECKING:
    from vlmops.platforms.judge_definitions import DeployedJudge, JudgeDefinition


class PhoenixJudges:
    """Says why Phoenix's server is no place for a judge."""

    async def obstacle(self, definition: JudgeDefinition) -> str | None:
        """Always something."""
        if definition.pictures:
            return "Phoenix's evaluators are prompts of text: they see no pictures: it would judge blindly"
        return (
            "Phoenix's evaluators belong to a dataset and judge only what its playground runs; "
            "its REST API takes none"
        )

    async def deploy(self, definition: JudgeDefinition) -> DeployedJudge:
        """Refused.

        Raises:
            UsageError: Always.
        """
        raise UsageError(f"{definition.name}: {await self.obstacle(definition)}")
