"""An event loop in a thread of its own, which outlives the loops of those who ask."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for callers of any thread and loop; connections opened in it live as long as it does.

    Attributes:
        loop: The event loop.

    Example:
        >>> async def answer() -> int:
        ...     return 42
        >>> thread = LoopThread("answers")
        >>> asyncio.run(thread.run(answer()))
        42
        >>> thread.close()
    """

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        # A daemon: a program that ends without closing it must not hang.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Begin it in the caller's context and await it on the caller's loop; cancelling that cancels it."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))

    def close(self) -> None:
        """Cancel what runs, and end the thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            self._end()

    def _end(self) -> None:
        running = asyncio.all_tasks(self.loop)
        for task in running:
            task.cancel()
        if running:
            self.loop.run_until_complete(asyncio.gather(*running, return_exceptions=True))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
