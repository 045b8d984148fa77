"""Threads that read pictures and look into the cache."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class ReaderPool:
    """Runs work in a few threads, without futures: the work itself says where its outcome goes.

    Args:
        threads: How many.

    Example:
        >>> seen: list[int] = []
        >>> pool = ReaderPool(2)
        >>> pool.submit(lambda: seen.append(1))
        >>> pool.close()
        >>> seen
        [1]
    """

    def __init__(self, threads: int) -> None:
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

    def submit(self, work: Callable[[], None]) -> None:
        """Have it done; it must not raise.

        Raises:
            RuntimeError: The pool is closed: nobody would do it.
        """
        with self._lock:
            if self._closed:
                raise RuntimeError("the engine was closed meanwhile")
            self._queue.put(work)

    def close(self) -> None:
        """Finish what was submitted, and end the threads."""
        with self._lock:
            self._closed = True
            for _ in self._threads:
                self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (work := self._queue.get()) is not None:
            work()
            # What it holds, such as pictures, must not live on while this waits.
            del work
