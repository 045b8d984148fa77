"""Calling coroutines from synchronous code: the one bridge that every blocking function uses."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

T = TypeVar("T")


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
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(_within(resources, start))
    outcome: list[T] = []
    error: list[BaseException] = []

    def work() -> None:
        try:
            outcome.append(asyncio.run(_within(resources, start)))
        except BaseException as raised:  # noqa: BLE001 - carried over to the waiting caller
            error.append(raised)

    thread = threading.Thread(target=work, name="vlmops-blocking")
    thread.start()
    thread.join()
    if error:
        raise error[0]
    return outcome[0]


async def _within(
    resources: Sequence[AbstractAsyncContextManager[Any]], start: Callable[[], Coroutine[Any, Any, T]]
) -> T:
    async with AsyncExitStack() as stack:
        for resource in resources:
            await stack.enter_async_context(resource)
        return await start()
