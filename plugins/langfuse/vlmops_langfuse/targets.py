"""Which spans and traces Langfuse knows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vlmops_langfuse.waiting import until

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from vlmops.platforms.records import ScoreTarget
    from vlmops_langfuse.connection import LangfuseConnection

_PAGE = 1000
_PATIENCE = 20.0
_REMEMBERED = 100_000


class LangfuseTargets:
    """Looks up what scores are to be written on; what was found once is not asked for again."""

    def __init__(self, connection: LangfuseConnection) -> None:
        self._connection = connection
        self._known: set[ScoreTarget] = set()

    def note(self, targets: Iterable[ScoreTarget]) -> None:
        """Take it that these are there."""
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        self._known.update(targets)

    async def missing(self, targets: Collection[ScoreTarget]) -> set[ScoreTarget]:
        """Those that Langfuse does not know, after the time a new trace takes to appear.

        Spans without a trace's id are left to be refused by name; sessions and runs cannot be looked up.
        """
        asked = {t for t in targets if t.id and (t.kind == "trace" or (t.kind == "span" and t.trace_id))}
        waiting = asked - self._known

        async def all_found() -> bool:
            if waiting:
                waiting.difference_update(await self._present(waiting))
            return not waiting

        await until(all_found, min(_PATIENCE, self._connection.settings.visible_within))
        self.note(asked - waiting)
        return waiting

    async def _present(self, targets: Collection[ScoreTarget]) -> set[ScoreTarget]:
        spans = {(t.trace_id, t.id): t for t in targets if t.kind == "span"}
        traces = {t.id: t for t in targets if t.kind == "trace"}
        found: set[ScoreTarget] = set()
        for row in await self._rows("id", [identity for _, identity in spans]):
            target = spans.get((row["traceId"], row["id"]))
            found |= {target} if target is not None else set()
        for trace_id, target in traces.items():
            if await self._rows("traceId", [trace_id], limit=1):
                found.add(target)
        return found

    async def _rows(self, column: str, values: list[str], limit: int = _PAGE) -> list[dict[str, Any]]:
        if not values:
            return []
        condition = {"type": "stringOptions", "column": column, "operator": "any of", "value": values}
        params = {"fields": "core", "limit": limit, "filter": json.dumps([condition])}
        rows: list[dict[str, Any]] = (await self._connection.get("/api/public/v2/observations", params))[
            "data"
        ]
        return rows
