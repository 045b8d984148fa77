"""One question on its way: from the loop of who asks, by a reader, to the engine's loop, and back."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from vlmops.engine.inbox import Inbox

T = TypeVar("T")


class Visit(Generic[T]):
    """Looks for an answer in a thread and, where there is none, has it found in another event loop.

    Made in the loop of who asks. Its ways lead through inboxes, which cost a third of chained futures.

    Args:
        home: The inbox of the loop in which this is made.
        away: The inbox of the loop in which answers are found.
        look: Gives the answer, or makes what finds it; runs in a reader's thread.
    """

    def __init__(
        self, home: Inbox, away: Inbox, look: Callable[[], T | Callable[[], Coroutine[Any, Any, T]]]
    ) -> None:
        self._home = home
        self._away = away
        self._look = look
        self._context = copy_context()
        self._outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._finding: asyncio.Task[T] | None = None
        self._left = False

    async def outcome(self) -> T:
        """The answer, or whatever looking or finding raised; cancelling this cancels what finds it."""
        try:
            return await self._outcome
        finally:
            if self._outcome.cancelled():
                self._leave()

    def look(self) -> None:
        """Look; to be called in a reader's thread."""
        if self._left:
            return
        try:
            found = self._look()
            if callable(found):
                self._away.put(partial(self._find, found))
            else:
                self._home_with(partial(self._outcome.set_result, found))
        except StopIteration as error:
            # No future takes one.
            problem = RuntimeError(f"{type(error).__name__} was raised while a reply was looked for")
            problem.__cause__ = error
            self._home_with(partial(self._outcome.set_exception, problem))
        except BaseException as error:  # noqa: BLE001 - carried over to who waits
            self._home_with(partial(self._outcome.set_exception, error))

    def _find(self, find: Callable[[], Coroutine[Any, Any, T]]) -> None:
        if self._left:
            return
        self._finding = asyncio.get_running_loop().create_task(find(), context=self._context)
        self._finding.add_done_callback(self._found)

    def _found(self, finding: asyncio.Task[T]) -> None:
        if finding.cancelled():
            self._home_with(self._outcome.cancel)
        elif (error := finding.exception()) is not None:
            self._home_with(partial(self._outcome.set_exception, error))
        else:
            self._home_with(partial(self._outcome.set_result, finding.result()))

    def _home_with(self, settle: Callable[[], object]) -> None:
        def settled() -> None:
            if not self._outcome.done():
                settle()

        try:
            self._home.put(settled)
        except RuntimeError:
            """The loop of who asked is closed: nobody waits."""

    def _leave(self) -> None:
        self._left = True
        try:
            self._away.put(self._cancel)
        except RuntimeError:
            """The engine is closed: nothing runs."""

    def _cancel(self) -> None:
        if self._finding is not None:
            self._finding.cancel()
