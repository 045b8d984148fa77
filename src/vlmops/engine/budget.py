"""A budget: what a run may spend, reserved before each call and corrected by what the call did spend."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vlmops.errors import BudgetSpent, UsageError

if TYPE_CHECKING:
    from vlmops.evaluators.case import Usage


@dataclass
class Budget:
    """What may be spent; shared by all models of an engine.

    Attributes:
        usd: US dollars; ``None`` for no limit.
        tokens: Tokens in and out; ``None`` for no limit.
        spent_usd: Dollars spent so far: measured, or the estimate where a reply did not say.
        spent_tokens: Tokens spent so far, likewise.

    Raises:
        UsageError: A limit is below 0.

    Example:
        >>> from vlmops.evaluators.case import Usage
        >>> budget = Budget(usd=0.05)
        >>> budget.reserve(Usage(cost=0.04))
        True
        >>> budget.reserve(Usage(cost=0.04))  # may fit, once the first has turned out cheaper
        False
        >>> budget.settle(Usage(cost=0.04), Usage(cost=0.01))
        >>> budget.reserve(Usage(cost=0.04)), budget.spent_usd
        (True, 0.01)
    """

    usd: float | None = None
    tokens: int | None = None
    spent_usd: float = field(default=0.0, init=False)
    spent_tokens: int = field(default=0, init=False)
    _reserved_usd: float = field(default=0.0, init=False, repr=False)
    _reserved_tokens: int = field(default=0, init=False, repr=False)
    _reservations: int = field(default=0, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        for name, limit in (("usd", self.usd), ("tokens", self.tokens)):
            if limit is not None and not limit >= 0:
                raise UsageError(f"Budget.{name} is {limit}: must be 0 or above")

    def reserve(self, expected: Usage) -> bool:
        """Keep so much for a call; ``False`` where that can be told only when calls under way have ended.

        Raises:
            BudgetSpent: It is more than what is left.
        """
        cost, tokens = expected.cost or 0.0, tokens_of(expected)
        with self._lock:
            if self._fits(self.spent_usd + self._reserved_usd + cost, self.usd) and self._fits(
                self.spent_tokens + self._reserved_tokens + tokens, self.tokens
            ):
                self._reserved_usd += cost
                self._reserved_tokens += tokens
                self._reservations += 1
                return True
            if self._reservations:
                return False
        raise BudgetSpent(self._reason(cost, tokens))

    def settle(self, expected: Usage, measured: Usage | None) -> None:
        """Give back what was kept for a call, and count what it spent; ``None`` if it spent nothing."""
        spent = measured
        with self._lock:
            self._reservations -= 1
            self._reserved_usd -= expected.cost or 0.0
            self._reserved_tokens -= tokens_of(expected)
            if spent is not None:
                cost = spent.cost if spent.cost is not None else expected.cost
                self.spent_usd += cost or 0.0
                self.spent_tokens += tokens_of(spent) or tokens_of(expected)

    @staticmethod
    def _fits(total: float, limit: float | None) -> bool:
        # Sums of floats: a budget that is met exactly is not passed.
        return limit is None or total <= limit * (1 + 1e-9)

    def _reason(self, cost: float, tokens: int) -> str:
        if not self._fits(self.spent_usd + cost, self.usd):
            return (
                f"the budget of ${self.usd:.2f} would be passed: ${self.spent_usd:.4f} are spent, "
                f"and the next answer may cost ${cost:.4f}"
            )
        return (
            f"the budget of {self.tokens:,} tokens would be passed: {self.spent_tokens:,} are spent, "
            f"and the next answer may take {tokens:,}"
        )


def tokens_of(usage: Usage) -> int:
    """Tokens in and out."""
    return (usage.input_tokens or 0) + (usage.output_tokens or 0)
