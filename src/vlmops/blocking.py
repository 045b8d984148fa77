"""Calling coroutines from synchronous code: the one bridge that every blocking function uses."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

T = TypeVar("T")

_held_up: set[asyncio.AbstractEventLoop] = set()
_wait_for_this: ContextVar[frozenset[asyncio.AbstractEventLoop]] = ContextVar("loops", default=frozenset())


def blocking(start: Callable[[], Coroutine[Any, Any, T]], *resources: AbstractAsyncContextManager[Any]) -> T:
    """Run a coroutine to its end and give its result, also where an event loop runs already (notebooks).

    With a loop running, the coroutine gets a loop and a thread of its own, and the caller waits.

    Args:
        start: Makes the coroutine.
        resources: Entered before and left after it within the same loop: connections belong to a loop.

    Example:
        >>> async def answer() -> int:
        ...     return 42
        >>> blocking(answer)
        42
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return _run(resources, start)
    outcome: list[T] = []
    error: list[BaseException] = []
    waiting = _wait_for_this.get() | {loop}

    def work() -> None:
        _wait_for_this.set(waiting)
        try:
            outcome.append(_run(resources, start))
        except BaseException as raised:  # noqa: BLE001 - carried over to the waiting caller
            error.append(raised)

    thread = threading.Thread(target=work, name="vlmops-blocking")
    _held_up.add(loop)
    try:
        thread.start()
        thread.join()
    finally:
        _held_up.discard(loop)
    if error:
        raise error[0]
    return outcome[0]


def is_held_up(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether that loop waits for the call of :func:`blocking` in which this runs: who waits for it hangs.

    It is known in tasks and in ``asyncio.to_thread``, not in threads that the call starts by other means.

    Example:
        >>> async def look(outer: asyncio.AbstractEventLoop) -> bool:
        ...     return is_held_up(outer)
        >>> async def main() -> bool:
        ...     loop = asyncio.get_running_loop()
        ...     return blocking(lambda: look(loop))
        >>> asyncio.run(main())
        True
    """
    return loop in _held_up and loop in _wait_for_this.get()


def _run(
    resources: Sequence[AbstractAsyncContextManager[Any]], start: Callable[[], Coroutine[Any, Any, T]]
) -> T:
    outcome: list[T] = []

    async def within() -> None:
        async with AsyncExitStack() as stack:
            for resource in resources:
                await stack.enter_async_context(resource)
            # Not returned: asyncio prints the result of its main task when it restores the handler of
            # SIGINT, which for thousands of answers takes a second.
            outcome.append(await start())

    asyncio.run(within())
    return outcome[0]
