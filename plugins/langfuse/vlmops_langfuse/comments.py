"""Comments: of text, or of pictures, which Langfuse draws at full size beside a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmops.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.platforms.records import ScoreTarget
    from vlmops_langfuse.connection import LangfuseConnection
    from vlmops_langfuse.targets import LangfuseTargets

COMMENTED = {"span": "OBSERVATION", "trace": "TRACE", "session": "SESSION"}
"""Langfuse's name of each kind of target that takes comments."""


class LangfuseComments:
    """Adds comments; Langfuse has no way to change or remove one."""

    def __init__(self, connection: LangfuseConnection, targets: LangfuseTargets) -> None:
        self._connection = connection
        self._targets = targets

    async def show(self, target: ScoreTarget, references: Sequence[str]) -> None:
        """Add a comment that consists of these pictures, unless the target has it already.

        Raises:
            PlatformError: Langfuse does not know the target.
        """
        # A comment that is nothing but references is drawn as pictures.
        await self.add(target, "\n\n".join(references))

    async def add(self, target: ScoreTarget, content: str) -> None:
        """Add a comment, unless the target has the same one already.

        Raises:
            PlatformError: Langfuse does not know the target.
        """
        if await self._targets.missing([target]):
            raise PlatformError(f"Langfuse has no such {target.kind}: {target.id}")
        place = {"objectType": COMMENTED[target.kind], "objectId": target.id}
        async for rows in self._connection.numbered_pages("/api/public/comments", place):
            if any(row["content"] == content.strip() for row in rows):
                return
        project = await self._connection.project_id()
        await self._connection.post(
            "/api/public/comments", {"projectId": project, **place, "content": content}
        )
