"""Choosing which cases of an experiment people look at."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING

from vlmops.errors import UsageError
from vlmops.evaluators.failure import Failure
from vlmops.reviews.rules import drawn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vlmops.platforms.records import Run
    from vlmops.reviews.rules import Reason, ReviewRule


@dataclass(frozen=True, slots=True)
class ChosenCase:
    """An answer that people are to look at.

    Attributes:
        run: The answer, with what was said of it.
        reasons: Why, one for each rule that chose it.
    """

    run: Run
    reasons: Sequence[Reason]

    @property
    def why(self) -> str:
        """All reasons in one line."""
        return "; ".join(reason.text for reason in self.reasons)

    @property
    def rules(self) -> tuple[str, ...]:
        """Names of the rules that chose it."""
        return tuple(dict.fromkeys(reason.rule for reason in self.reasons))


@dataclass(frozen=True, slots=True, order=True)
class _Ranked:
    """A case as one rule ranks it; what weighs the same is ordered by lot, always the same one."""

    weight: float
    lot: float
    case: ChosenCase = field(compare=False)


def choose(runs: Iterable[Run], rules: Sequence[ReviewRule], *, limit: int | None = None) -> list[ChosenCase]:
    """The answers that any rule finds worth a look, each once, with all reasons.

    Of several answers to one sample the first is looked at, as :func:`~vlmops.judges.calibrate` does. With a
    limit, the rules take turns, each giving its weightiest first, so that none crowds out the others; the
    choice depends on the answers and rules alone and is the same when made again. The answers are read once,
    and with a limit no more of them are held than ``limit`` for each rule.

    Args:
        runs: The answers.
        rules: One at least.
        limit: At most so many.

    Raises:
        UsageError: There is no rule, or the limit is below 1.

    Example:
        >>> from vlmops.evaluators import Case
        >>> from vlmops.platforms import Run
        >>> from vlmops.reviews import Failed, RandomShare
        >>> runs = [Run(Case("a", id=str(n)), 1, []) for n in range(100)]
        >>> chosen = choose(runs, [RandomShare(0.5)], limit=3)
        >>> len(chosen), chosen[0].rules
        (3, ('random',))
    """
    if not rules:
        raise UsageError("say which cases to review: give a rule at least")
    if limit is not None and limit < 1:
        raise UsageError(f"a limit of {limit}: must be 1 at least")
    ranked: list[list[_Ranked]] = [[] for _ in rules]
    for run in runs:
        if run.repetition != 1:
            continue
        found = [rule.reason(run) for rule in rules]
        case = ChosenCase(run, [reason for reason in found if reason is not None])
        for heap, reason in zip(ranked, found, strict=True):
            if reason is not None:
                _keep(heap, _Ranked(reason.weight, drawn(0, run.case.id), case), limit)
    turns = zip_longest(*(sorted(heap, reverse=True) for heap in ranked))
    chosen = {each.case.run.case.id: each.case for turn in turns for each in turn if each is not None}
    return list(chosen.values())[:limit]


def require_scores(runs: Iterable[Run], rules: Sequence[ReviewRule]) -> None:
    """Make sure that what the rules look at is there, so that a misspelt name does not choose nothing.

    Raises:
        UsageError: A rule looks at a score that no answer has.
    """
    names: set[str] = set()
    for run in runs:
        for result in run.results:
            names.add(result.evaluator if isinstance(result, Failure) else result.name)
    for rule in rules:
        for wanted in rule.reads:
            if not any(name == wanted or name.startswith(f"{wanted}.") for name in names):
                there = ", ".join(sorted(names)) or "none at all"
                raise UsageError(f"rule {rule.name!r}: no answer has a score {wanted!r}; there are: {there}")


def _keep(heap: list[_Ranked], ranked: _Ranked, limit: int | None) -> None:
    if limit is None:
        heap.append(ranked)
    elif len(heap) < limit:
        heapq.heappush(heap, ranked)
    elif ranked > heap[0]:
        heapq.heapreplace(heap, ranked)
