"""One question under way, however many wait for its answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

    from vlmops.evaluators.failure import Failure
    from vlmops.models.model import ModelReply

T = TypeVar("T")


class Flight:
    """Asks once for all who want the same; belongs to one event loop.

    Who stops waiting does not stop the call: once it is out it is paid for, and its answer is kept. It is
    given up where nobody waits any more and nothing is out.

    Args:
        ask: Finds the answer; it uses :meth:`out` around what must not be broken off.
    """

    def __init__(self, ask: Callable[[Flight], Coroutine[Any, Any, ModelReply | Failure]]) -> None:
        self._waiting = 0
        self._out = False
        self.task = asyncio.get_running_loop().create_task(ask(self))
        self.task.add_done_callback(_look_at)

    async def join(self) -> ModelReply | Failure:
        """Wait for the answer."""
        self._waiting += 1
        try:
            return await asyncio.shield(self.task)
        finally:
            self._waiting -= 1
            self.give_up_if_idle()

    async def out(self, work: Awaitable[T]) -> T:
        """Do what is seen through even if nobody waits for it any more: a call, and keeping its answer."""
        self._out = True
        try:
            return await work
        finally:
            self._out = False

    @property
    def abandoned(self) -> bool:
        """Whether nobody waits for it."""
        return not self._waiting

    def give_up_if_idle(self) -> None:
        """End it, unless someone waits or a call is out."""
        if self.abandoned and not self._out and not self.task.done():
            self.task.cancel()


def _look_at(task: asyncio.Task[ModelReply | Failure]) -> None:
    """An error that nobody waits for any more is nobody's business."""
    if not task.cancelled():
        task.exception()
