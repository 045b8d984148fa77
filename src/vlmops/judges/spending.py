"""What judging cost, as the scores and failures of judges tell it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.evaluators.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vlmops.evaluators.score import Score


@dataclass(frozen=True, slots=True)
class Spending:
    """What judges' calls cost.

    Attributes:
        usd: US dollars of the calls whose cost is known.
        calls: How many those are.
        unpriced: Calls whose cost is not known: it comes on top.

    Example:
        >>> Spending(0.002, 1) + Spending(unpriced=1)
        Spending(usd=0.002, calls=1, unpriced=1)
    """

    usd: float = 0.0
    calls: int = 0
    unpriced: int = 0

    @property
    def cost(self) -> float | None:
        """US dollars; ``None`` where no call says what it cost."""
        return self.usd if self.calls else None

    def __add__(self, other: Spending) -> Spending:
        return Spending(self.usd + other.usd, self.calls + other.calls, self.unpriced + other.unpriced)


def call_cost(cost: float | None) -> Spending:
    """What one call cost, or that it does not say.

    Example:
        >>> call_cost(0.002).cost, call_cost(None).unpriced
        (0.002, 1)
    """
    return Spending(unpriced=1) if cost is None else Spending(float(cost), 1)


def judging_cost(results: Iterable[Score | Failure]) -> Spending:
    """What the judges' calls behind results on one answer cost.

    The several scores of one call count once. What was kept from an earlier call counts as what it had cost.
    A failure counts where it tells what was consumed: what failed before a model was asked cost nothing.

    Args:
        results: All that was said of one answer; other evaluators' scores count for nothing.

    Example:
        >>> from vlmops.evaluators import Score
        >>> call = {"judge": {"model": "m", "seconds": 1.2, "usage": {"cost": 0.002}}}
        >>> judging_cost([Score("j", True, metadata=call), Score("j.detail", 4.0, metadata=call)])
        Spending(usd=0.002, calls=1, unpriced=0)
    """
    calls = {key: cost for result in results for key, cost in _calls(result)}
    return sum(map(call_cost, calls.values()), Spending())


def _calls(result: Score | Failure) -> Iterator[tuple[str, float | None]]:
    """Each call that is told of: what tells it from others, and its cost."""
    if isinstance(result, Failure):
        if result.evaluator and result.usage is not None:
            yield f"failure {result.evaluator} {result.message}", result.usage.cost
        return
    told: list[Any] = [result.metadata.get("judge"), *(result.metadata.get("votes") or ())]
    for call in told:
        usage = call.get("usage") if isinstance(call, dict) else None
        if not isinstance(usage, dict):
            continue
        cost = usage.get("cost")
        known = {key: call[key] for key in ("judge", "model", "rubric", "seconds", "usage") if key in call}
        # Of two judges with one rubric and model, who say nothing of time, each is a call of its own.
        base = result.name.partition(".")[0]
        yield (
            f"{base} {json.dumps(known, sort_keys=True, default=str)}",
            float(cost) if isinstance(cost, int | float) else None,
        )
