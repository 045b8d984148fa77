"""What judging cost, as the scores and failures of judges tell it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vlmops.evaluators.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vlmops.evaluators.score import Score


def judging_cost(results: Iterable[Score | Failure]) -> float | None:
    """US dollars that the judges' calls behind results on one answer cost.

    The several scores of one call count once. What was kept from an earlier call counts as what it had cost.

    Args:
        results: All that was said of one answer; other evaluators' scores count for nothing.

    Returns:
        The sum; ``None`` where no call says what it cost.

    Example:
        >>> from vlmops.evaluators import Score
        >>> call = {"judge": {"model": "m", "seconds": 1.2, "usage": {"cost": 0.002}}}
        >>> judging_cost([Score("j", True, metadata=call), Score("j.detail", 4.0, metadata=call)])
        0.002
    """
    calls = {key: cost for result in results for key, cost in _calls(result)}
    return sum(calls.values()) if calls else None


def _calls(result: Score | Failure) -> Iterator[tuple[str, float]]:
    """Each call that is told of: what tells it from others, and its cost."""
    if isinstance(result, Failure):
        if result.evaluator and result.usage is not None and result.usage.cost is not None:
            yield f"failure {result.evaluator} {result.message}", result.usage.cost
        return
    told: list[Any] = [result.metadata.get("judge"), *(result.metadata.get("votes") or ())]
    for call in told:
        usage = call.get("usage") if isinstance(call, dict) else None
        cost = usage.get("cost") if isinstance(usage, dict) else None
        if isinstance(cost, int | float):
            known = {
                key: call[key] for key in ("judge", "model", "rubric", "seconds", "usage") if key in call
            }
            yield json.dumps(known, sort_keys=True, default=str), float(cost)
