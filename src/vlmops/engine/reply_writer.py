"""Keeping replies: those that come in while others are written go to disk together."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vlmops.engine.cache import ResponseCache
    from vlmops.models.model import ModelReply

    Kept = tuple[bytes, str, ModelReply]


class ReplyWriter:
    """Writes from a thread of its own; belongs to one event loop."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "vlmops-engine-write")
        self._waiting: list[tuple[ResponseCache, Kept, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def keep(self, cache: ResponseCache, key: bytes, model: str, reply: ModelReply) -> None:
        """Returns when it is on disk, or could not be kept."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((cache, (key, model, reply), done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await done

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            problem = await self._written([(cache, kept) for cache, kept, _ in batch])
            for _, _, done in batch:
                if done.done():
                    continue
                if problem is None:
                    done.set_result(None)
                else:
                    done.set_exception(problem)
        self._writing = None

    async def _written(self, batch: list[tuple[ResponseCache, Kept]]) -> Exception | None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, _put, batch)
        except Exception as error:  # noqa: BLE001 - those who wait for it must hear of it
            return error
        return None


def _put(batch: list[tuple[ResponseCache, Kept]]) -> None:
    by_cache: dict[ResponseCache, list[Kept]] = defaultdict(list)
    for cache, kept in batch:
        by_cache[cache].append(kept)
    for cache, replies in by_cache.items():
        cache.put_all(replies)
