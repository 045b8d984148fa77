"""Threads that read pictures and look into the cache."""

from __future__ import annotations

import asyncio
import threading
import time
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from vlmops.engine.inbox import Inbox

T = TypeVar("T")

_TOGETHER_SECONDS = 0.002
"""What is done within so long comes back together: to wake a loop is dear while others are at work."""


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
        self._queue: SimpleQueue[Callable[[], Callable[[], None]] | None] = SimpleQueue()
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
            self.require_open()
            self._queue.put(partial(_carried_out, work, outcome))
        return await outcome

    def require_open(self) -> None:
        """See to it that nothing is begun any more once it is closed.

        Raises:
            RuntimeError: It is.
        """
        if self._closed:
            raise RuntimeError("the engine was closed meanwhile")

    def close(self) -> None:
        """Do what was given, and end the threads."""
        with self._lock:
            self._closed = True
            for _ in self._threads:
                self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        done: list[Callable[[], None]] = []
        began = 0.0
        while (work := self._next(done)) is not None:
            began = began if done else time.monotonic()
            done.append(work())
            # What it holds, such as pictures, must not live on while this waits.
            del work
            if time.monotonic() - began > _TOGETHER_SECONDS:
                self._deliver(done)
        # The end may come right behind the last work, for which somebody waits all the same.
        self._deliver(done)

    def _next(self, done: list[Callable[[], None]]) -> Callable[[], Callable[[], None]] | None:
        if done:
            try:
                return self._queue.get_nowait()
            except Empty:
                self._deliver(done)
        return self._queue.get()

    def _deliver(self, done: list[Callable[[], None]]) -> None:
        try:
            self._inbox.put(*done)
        except RuntimeError:
            """The loop is closed: nobody waits."""
        done.clear()


def _carried_out(work: Callable[[], T], outcome: asyncio.Future[T]) -> Callable[[], None]:
    """What settles the outcome, in the loop to which it belongs."""
    if outcome.cancelled():
        return lambda: None
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

    return settled
