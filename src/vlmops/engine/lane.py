"""The way to one model: who may send when, and what all wait for once the provider says so."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from vlmops.engine.rate import TokenBucket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vlmops.engine.limits import Limits


class Lane:
    """Lets requests to one model pass, in the order in which they came; belongs to one event loop.

    A provider that says "too many requests" says so to all: the whole lane waits, and then goes on with half
    as many requests at once, one more after each round of answers.
    """

    def __init__(self, limits: Limits) -> None:
        now = time.monotonic()
        self._limits = limits
        self._window = float(limits.concurrency)
        self._under_way = self._waiting = 0
        self._open_at = now
        self._closed_at = float("-inf")
        self._storms = 0
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._requests = _bucket(limits.requests_per_minute, now)
        self._tokens = _bucket(limits.tokens_per_minute, now)

    @property
    def storms(self) -> int:
        """How often in a row the provider has asked everyone to wait."""
        return self._storms

    @property
    def has_room(self) -> bool:
        """Whether one who came now would not wait for others; readable from any thread."""
        return self._under_way + self._waiting < int(self._window)

    @asynccontextmanager
    async def place(self, tokens: int) -> AsyncIterator[None]:
        """Wait for a turn with that many tokens, and hold a place meanwhile."""
        self._waiting += 1
        try:
            async with self._turn:
                await self._until_allowed(tokens)
                self._under_way += 1
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._changed.set()

    def leave_loop(self) -> None:
        """Be as good for another event loop, where nobody waits any more."""
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()

    def correct(self, reserved: int, measured: int) -> None:
        """Say how many tokens a request had, for which ``reserved`` were counted."""
        if self._tokens is not None:
            self._tokens.take(measured - reserved)
            self._changed.set()

    def pause(self, seconds: float, began: float) -> bool:
        """Let nobody pass for so long; requests under way go on.

        Args:
            seconds: How long, from now on.
            began: When the request was sent that was told to wait. One sent before the lane was last closed
                says nothing new but for how long.

        Returns:
            Whether it was news.
        """
        now = time.monotonic()
        self._open_at = max(self._open_at, now + seconds)
        if began <= self._closed_at:
            return False
        self._closed_at = now
        self._storms += 1
        self._window = max(1.0, min(self._window, self._under_way + 1) / 2)
        return True

    def answered(self) -> None:
        """Note that the provider answers."""
        self._storms = 0
        self._window = min(float(self._limits.concurrency), self._window + 1 / self._window)

    async def _until_allowed(self, tokens: int) -> None:
        while True:
            if self._under_way >= int(self._window):
                self._changed.clear()
                await self._changed.wait()
                continue
            wait = self._wait(tokens, time.monotonic())
            if wait <= 0:
                break
            # Calls that took less than was counted for them give the rest back meanwhile.
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()
        if self._requests is not None:
            self._requests.take(1)
        if self._tokens is not None:
            self._tokens.take(tokens)

    def _wait(self, tokens: int, now: float) -> float:
        waits = [self._open_at - now]
        if self._requests is not None:
            waits.append(self._requests.wait(1, now))
        if self._tokens is not None:
            waits.append(self._tokens.wait(tokens, now))
        return max(waits)


def _bucket(per_minute: float | None, now: float) -> TokenBucket | None:
    return None if per_minute is None else TokenBucket(per_minute, now)
