"""Keeping replies: those that come in while others are written go to disk together."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import partial
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
        self._writing = False

    async def keep(self, cache: ResponseCache, key: bytes, model: str, reply: ModelReply) -> None:
        """Returns when it is on disk, or could not be kept."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((cache, (key, model, reply), done))
        if not self._writing:
            self._begin()
        await done

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    def _begin(self) -> None:
        """Not a task: in a loop that is not ours, anyone may cancel all there are."""
        batch, self._waiting = self._waiting, []
        put = [(cache, kept) for cache, kept, _ in batch]
        self._writing = True
        written = asyncio.get_running_loop().run_in_executor(self._thread, _put, put)
        written.add_done_callback(partial(self._go_on, [done for _, _, done in batch]))

    def _go_on(self, batch: list[asyncio.Future[None]], written: asyncio.Future[None]) -> None:
        problem = written.exception()
        for done in batch:
            if done.done():
                continue
            if problem is None:
                done.set_result(None)
            else:
                done.set_exception(problem)
        self._writing = False
        if self._waiting:
            self._begin()


def _put(batch: list[tuple[ResponseCache, Kept]]) -> None:
    by_cache: dict[ResponseCache, list[Kept]] = defaultdict(list)
    for cache, kept in batch:
        by_cache[cache].append(kept)
    for cache, replies in by_cache.items():
        cache.put_all(replies)
