"""One audit under way: many verdicts at once, what they cost, and how many there are."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from vlmops.concurrency import for_each
from vlmops.errors import ImageError
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.score import Score
from vlmops.judges.audit.control import AuditReport
from vlmops.judges.spending import Spending

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from vlmops.judges.audit.control import AuditLimits, Control
    from vlmops.judges.model_judge import ModelJudge

T = TypeVar("T")
R = TypeVar("R")


@dataclass
class AuditRun:
    """What the controls of one audit share.

    Attributes:
        limits: From where on a control fails.
        concurrency: How many verdicts are asked for at once.
        progress: Told how many verdicts there are.
        judged: How many there are.
        spending: What they cost.
    """

    limits: AuditLimits
    concurrency: int
    progress: Callable[[int], None] | None = None
    judged: int = 0
    spending: Spending = field(default_factory=Spending)

    async def each(
        self,
        items: Sequence[T],
        judged: Callable[[T | Failure], Awaitable[R]],
        alter: Callable[[T], T] | None = None,
    ) -> list[R]:
        """What is said of each item, which is altered only when its turn comes: few pictures are held.

        Args:
            items: What is judged.
            judged: Has one judged; of an item that cannot be altered it is told why.
            alter: What is done to each before.
        """
        found: dict[int, R] = {}

        async def one(numbered: tuple[int, T]) -> None:
            number, item = numbered
            shown = item if alter is None else await asyncio.to_thread(_altered, alter, item)
            found[number] = await judged(shown)
            self.judged += 1
            if self.progress is not None:
                self.progress(self.judged)

        await for_each(enumerate(items), one, limit=self.concurrency)
        return [found[number] for number in range(len(items))]

    def report(self, judge: ModelJudge, controls: Sequence[Control], cases: int) -> AuditReport:
        """What was found, and what it cost."""
        spent = self.spending
        return AuditReport(
            judge.name,
            judge.models[0].name,
            judge.fingerprint,
            controls,
            cases,
            cost=spent.cost,
            unpriced=spent.unpriced,
        )


def _altered(alter: Callable[[T], T], item: T) -> T | Failure:
    """A picture that cannot be read cannot be altered, and the judge could not be shown it either."""
    try:
        return alter(item)
    except ImageError as error:
        return Failure(FailureKind.BAD_IMAGE, str(error))


def said(verdict: Score | Failure) -> bool:
    """Whether the judge said something; that it cannot tell is something.

    Example:
        >>> said(Failure(FailureKind.ABSTAINED, "too dark")), said(Failure(FailureKind.TIMEOUT, "slow"))
        (True, False)
    """
    return isinstance(verdict, Score) or verdict.kind is FailureKind.ABSTAINED


def failures_among(verdicts: Iterable[Score | Failure]) -> list[Failure]:
    """Those that are failures of the judge.

    Example:
        >>> failures_among([Failure(FailureKind.ABSTAINED, "too dark"), Score("j", True)])
        []
    """
    return [verdict for verdict in verdicts if isinstance(verdict, Failure) and not said(verdict)]
