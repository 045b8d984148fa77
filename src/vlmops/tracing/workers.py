"""Threads for work of the exporter: as many as the machine has use for, and usable until the very end.

The executors of the standard library refuse work once the interpreter begins to end, which is just when the
last spans are exported; these do not.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from vlmops.tracing.lifecycle import after_fork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")
R = TypeVar("R")

_Task = tuple["Future[Any]", "Callable[[], Any]"]


class Workers:
    """A fixed number of daemon threads, started when they are first needed.

    Args:
        count: Threads at most.
        name: What they are called.

    Example:
        >>> workers = Workers(2, "doctest")
        >>> workers.map(str.upper, ["a", "b"])
        ['A', 'B']
        >>> workers.shutdown()
    """

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._name = name
        self._lock = threading.Lock()
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        after_fork(self._after_fork)

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Have work done; where no thread can be started any more, it is done here and now."""
        future: Future[T] = Future()
        if self._started():
            self._tasks.put((future, work))
        else:
            _do(future, work)
        return future

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """The results in order; a single item is worked on by the caller."""
        work = list(items)
        if len(work) == 1:
            return [function(work[0])]
        futures = [self.submit(lambda each=each: function(each)) for each in work]  # type: ignore[misc]
        return [future.result() for future in futures]

    def shutdown(self) -> None:
        """Let the threads end once they have done what is waiting."""
        with self._lock:
            threads, self._threads = self._threads, []
        for _ in threads:
            self._tasks.put(None)

    def _started(self) -> bool:
        with self._lock:
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            if len(self._threads) < self._count:
                thread = threading.Thread(target=self._run, args=(self._tasks,), name=self._name, daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    return bool(self._threads)
                self._threads.append(thread)
            return True

    @staticmethod
    def _run(tasks: SimpleQueue[_Task | None]) -> None:
        while (task := tasks.get()) is not None:
            _do(*task)
            # Else the last task's pictures stay in memory until the next one comes.
            del task

    def _after_fork(self) -> None:
        self._lock = threading.Lock()
        self._tasks = SimpleQueue()
        self._threads = []


def _do(future: Future[Any], work: Callable[[], Any]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - carried over to whoever asks for the result
        future.set_exception(error)
