"""The event loop in which an engine works: that of who entered it, or one in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from vlmops.blocking import is_held_up
from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


class HomeLoop:
    """Runs coroutines for callers of any thread and loop; connections opened in it live as long as it does.

    Attributes:
        loop: The event loop.

    Args:
        loop: One that runs already, whose owner sees to its end; ``None`` for one in a thread of its own.

    Example:
        >>> async def answer() -> int:
        ...     return 42
        >>> home = HomeLoop()
        >>> asyncio.run(home.run(answer()))
        42
        >>> home.close()
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.loop = loop or asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        if loop is None:
            # A daemon: a program that ends without closing it must not hang.
            self._thread = threading.Thread(target=self._run, name="vlmops-engine", daemon=True)
            self._thread.start()

    @property
    def is_here(self) -> bool:
        """Whether it is the loop that runs in this thread."""
        return asyncio._get_running_loop() is self.loop

    @property
    def is_over(self) -> bool:
        """Whether nothing can run in it any more."""
        return self.loop.is_closed()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Begin it in the caller's context and await it on the caller's loop; cancelling that cancels it.

        Raises:
            UsageError: The loop is over, or waits itself for the thread that asks.
            RuntimeError: It was closed meanwhile.
        """
        if self.is_here:
            return await work
        try:
            self.require_awake()
            running = asyncio.run_coroutine_threadsafe(work, self.loop)
        except BaseException:
            work.close()
            raise
        try:
            return await asyncio.wrap_future(running)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # A task that nobody has cancelled must not pass for one: groups of tasks would not notice.
            raise RuntimeError("the engine was closed meanwhile") from None

    def require_awake(self) -> None:
        """See to it that nobody waits for a loop which waits for them.

        Raises:
            UsageError: As :meth:`run`.
        """
        if self.is_over:
            raise UsageError(
                "the event loop in which the engine was entered is over: leave the engine before it ends"
            )
        if is_held_up(self.loop):
            raise UsageError(
                "the engine works in an event loop that waits for this very call: await the asynchronous "
                "method instead, or enter the engine with 'with' in place of 'async with'"
            )

    def close(self) -> None:
        """End the thread, if it has one, and cancel what runs there."""
        if self._thread is None:
            return
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
