"""Threads that read pictures and look into the cache."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from vlmops.engine.inbox import Inbox

T = TypeVar("T")


class ReaderPool:
    """Runs work for one event loop in a few threads; what comes back goes through an inbox.

    Args:
        threads: How many.
        inbox: Of the loop.

    Example:
        >>> from vlmops.engine.inbox import Inbox
        >>> async def main() -> int:
        ...     pool = ReaderPool(2, Inbox(asyncio.get_running_loop()))
        ...     total = await pool.run(lambda: 1 + 1)
        ...     await asyncio.to_thread(pool.close)
        ...     return total
        >>> asyncio.run(main())
        2
    """

    def __init__(self, threads: int, inbox: Inbox) -> None:
        self._inbox = inbox
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        # Daemons: a program that ends without closing them must not hang.
        self._threads = [
            threading.Thread(target=self._work, name=f"vlmops-engine-read-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, work: Callable[[], T]) -> T:
        """What it gives, or whatever it raises; work whose caller is cancelled before its turn is left out.

        Raises:
            RuntimeError: The pool is closed.
        """
        outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        with self._lock:
            # Behind the end of the queue it would never have its turn.
            if self._closed:
                raise RuntimeError("the engine was closed meanwhile")
            self._queue.put(partial(self._carry_out, work, outcome))
        return await outcome

    def close(self) -> None:
        """Do what was given, and end the threads."""
        with self._lock:
            self._closed = True
            for _ in self._threads:
                self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _carry_out(self, work: Callable[[], T], outcome: asyncio.Future[T]) -> None:
        if outcome.cancelled():
            return
        try:
            settle: Callable[[], None] = partial(outcome.set_result, work())
        except StopIteration as error:
            # No future takes one.
            problem = RuntimeError(f"{type(error).__name__} was raised while a reply was looked for")
            problem.__cause__ = error
            settle = partial(outcome.set_exception, problem)
        except BaseException as error:  # noqa: BLE001 - carried over to who waits
            settle = partial(outcome.set_exception, error)

        def settled() -> None:
            if not outcome.done():
                settle()

        try:
            self._inbox.put(settled)
        except RuntimeError:
            """The loop is closed: nobody waits."""

    def _work(self) -> None:
        while (work := self._queue.get()) is not None:
            work()
            # What it holds, such as pictures, must not live on while this waits.
            del work
