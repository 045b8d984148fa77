"""The budget as calls under way see it: what may fit later is waited for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vlmops.engine.budget import Budget
    from vlmops.evaluators.case import Usage


class Purse:
    """Reserves and settles; belongs to one event loop.

    Args:
        budget: What may be spent; ``None`` for as much as it takes.
    """

    def __init__(self, budget: Budget | None) -> None:
        self._budget = budget
        self._settled = asyncio.Event()

    def leave_loop(self) -> None:
        """Be as good for another event loop, where nobody waits any more."""
        self._settled = asyncio.Event()

    async def reserve(self, expected: Usage) -> None:
        """Keep so much for a call, once calls under way have shown that it is there.

        Raises:
            BudgetSpent: It is more than what is left.
        """
        if self._budget is None:
            return
        while not self._budget.reserve(expected):
            self._settled.clear()
            await self._settled.wait()

    def settle(self, expected: Usage, spent: Usage | None) -> None:
        """Count what a call did spend; ``None`` if it spent nothing."""
        if self._budget is not None:
            self._budget.settle(expected, spent)
            self._settled.set()
