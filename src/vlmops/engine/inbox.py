"""Work that other threads leave for an event loop: it is woken once, however much has come in."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING
from weakref import ref

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class Inbox:
    """Runs in one event loop what any thread puts in, in that order.

    Waking a loop is dear where threads contend for the interpreter; one that is awake takes the rest along.

    Example:
        >>> import asyncio
        >>> async def main() -> list[str]:
        ...     seen: list[str] = []
        ...     inbox = Inbox(asyncio.get_running_loop())
        ...     await asyncio.to_thread(inbox.put, lambda: seen.append("done"))
        ...     await asyncio.sleep(0)
        ...     return seen
        >>> asyncio.run(main())
        ['done']
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        # Who keeps the inbox must not keep a loop that is over.
        self._loop = ref(loop)
        self._work: deque[Callable[[], None]] = deque()
        self._woken = False

    def put(self, *work: Callable[[], None]) -> None:
        """Leave something to do, or several things; none may raise.

        Raises:
            RuntimeError: The loop is closed.
        """
        if (loop := self._loop()) is None:
            raise RuntimeError("the loop is closed and gone")
        self._work.extend(work)
        # Where the flag is up already, what empties the box has not begun, and takes this along.
        if not self._woken:
            self._woken = True
            loop.call_soon_threadsafe(self._empty)

    def _empty(self) -> None:
        self._woken = False
        while self._work:
            self._work.popleft()()
