"""Waiting for what Langfuse stores a little later than it accepts."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_FIRST = 0.05
_LONGEST = 2.0


async def until(condition: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Ask again and again, ever more rarely, until it holds or the time is up; whether it held.

    Example:
        >>> async def holds() -> bool:
        ...     return True
        >>> asyncio.run(until(holds, seconds=1.0))
        True
    """
    end = time.monotonic() + seconds
    wait = _FIRST
    while not await condition():
        left = end - time.monotonic()
        if left <= 0:
            return False
        await asyncio.sleep(min(wait, left))
        wait = min(wait * 1.5, _LONGEST)
    return True
