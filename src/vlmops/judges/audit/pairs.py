"""The audit of a pairwise judge."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vlmops.blocking import blocking
from vlmops.errors import UsageError
from vlmops.evaluators.failure import FailureKind
from vlmops.judges.audit.alterations import padded_answer, perturbed_pictures, swapped_pictures
from vlmops.judges.audit.control import AuditLimits, AuditReport, Control
from vlmops.judges.judge import named_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.evaluators.case import Case
    from vlmops.evaluators.failure import Failure
    from vlmops.judges.pairwise import PairJudgment, PairwiseJudge

    Pair = tuple[Case, Case]

_FIRST, _SECOND = "first", "second"


def audit_pairwise(
    judge: PairwiseJudge,
    pairs: Sequence[tuple[Case, Case]],
    *,
    repeats: int = 2,
    limits: AuditLimits | None = None,
    concurrency: int = 8,
) -> AuditReport:
    """Audit a pairwise judge; blocking form of :func:`audit_pairwise_async`."""
    return blocking(
        lambda: audit_pairwise_async(judge, pairs, repeats=repeats, limits=limits, concurrency=concurrency)
    )


async def audit_pairwise_async(
    judge: PairwiseJudge,
    pairs: Sequence[tuple[Case, Case]],
    *,
    repeats: int = 2,
    limits: AuditLimits | None = None,
    concurrency: int = 8,
) -> AuditReport:
    """Find out whether a pairwise judge goes by the picture, and not by place or length.

    - ``position``: how much more often the answer shown as A wins than the one shown as B, over both orders.
    - ``consistency``: how often both orders name the same winner.
    - ``swapped_picture``: a preference that rests on the picture must not stand with another one.
    - ``perturbed_picture``, ``repeated``: the winner must stand.
    - ``padded_answer``: an answer against itself with padding must be a tie.

    Args:
        judge: The judge.
        pairs: Two cases of the same inputs each, with different answers; take pairs in which one is plainly
            better by what the picture shows.
        repeats: How often each pair is judged for ``repeated``, 2 at least.
        limits: From where on a control fails.
        concurrency: How many pairs are judged at once.

    Raises:
        UsageError: There are no pairs, or too few repeats.
    """
    if not pairs or repeats < 2:
        raise UsageError("an audit takes pairs of cases, and two repeats at least")
    run = _Audit(judge, pairs, limits or AuditLimits(), asyncio.Semaphore(concurrency))
    run.plain = await run.judged(judge, pairs)
    again = [replace(judge, repetition=number) for number in range(2, repeats + 1)]
    controls = [
        *place_controls(run.plain, run.limits),
        await run.swapped(),
        await run.flips("perturbed_picture", [judge], [_perturbed(pair) for pair in pairs]),
        await run.flips("repeated", again, pairs),
        await run.padded(),
    ]
    model = named_model(judge.model).name
    return AuditReport(judge.name, model, judge.fingerprint, controls, len(pairs), cost=run.cost)


def place_controls(judgments: Sequence[PairJudgment], limits: AuditLimits | None = None) -> list[Control]:
    """Whether a judge goes by the place in which an answer stands: ``position`` and ``consistency``.

    They need no calls beside those of the comparisons themselves.

    Args:
        judgments: Pairs in both orders; those without a verdict are left out.
        limits: From where on a control fails.
    """
    limits = limits or AuditLimits()
    decided = [told for told in judgments if not told.failures]
    leads = []
    for told in decided:
        straight = {"model_1": 1.0, "model_2": -1.0}.get(told.judgment.first, 0.0)
        swapped = {"model_1": -1.0, "model_2": 1.0}.get(told.judgment.second, 0.0)
        leads.append((straight + swapped) / 2)
    position = Control.difference(
        "position",
        leads,
        limits.position,
        "more wins than losses (-1 to 1) of the answer shown first",
        _failures(judgments),
        needed=limits.cases,
        both_ways=True,
    )
    consistency = Control.share(
        "consistency",
        [bool(told.consistent) for told in decided],
        limits.consistency,
        "of the pairs have the same winner in both orders",
        _failures(judgments),
        needed=limits.cases,
        at_least=True,
    )
    return [position, consistency]


@dataclass
class _Audit:
    judge: PairwiseJudge
    pairs: Sequence[Pair]
    limits: AuditLimits
    gate: asyncio.Semaphore
    plain: Sequence[PairJudgment] = ()
    spent: list[float] = field(default_factory=list)

    @property
    def cost(self) -> float | None:
        return sum(self.spent) if self.spent else None

    async def swapped(self) -> Control:
        """How many preferences stand although the picture they rested on is another one.

        What a judge prefers by chance stands half of the time.
        """
        firsts = swapped_pictures([first for first, _ in self.pairs])
        chosen = [
            ((altered, replace(second, inputs=altered.inputs)), plain)
            for altered, (_, second), plain in zip(firsts, self.pairs, self.plain, strict=True)
            if altered is not None and plain.judgment.winner in {"model_1", "model_2"}
        ]
        told = await self.judged(self.judge, [pair for pair, _ in chosen])
        stands = [
            after.judgment.winner == before.judgment.winner
            for after, (_, before) in zip(told, chosen, strict=True)
            if _decides(after)
        ]
        return Control.share(
            "swapped_picture",
            stands,
            0.5 + self.limits.unseeing / 2,
            "of the preferences stand although the picture is another one",
            _failures(told),
            needed=self.limits.cases,
        )

    async def flips(self, name: str, judges: Sequence[PairwiseJudge], pairs: Sequence[Pair]) -> Control:
        told = [await self.judged(judge, pairs) for judge in judges]
        changed = [
            any(after.judgment.winner != plain.judgment.winner for after in again)
            for plain, *again in zip(self.plain, *told, strict=True)
            if not plain.failures and not any(after.failures for after in again)
        ]
        return Control.share(
            name,
            changed,
            self.limits.flips,
            "of the winners change although nothing that matters did",
            _failures([after for round_ in told for after in round_]),
            needed=self.limits.cases,
        )

    async def padded(self) -> Control:
        """How often an answer beats itself for being longer."""
        longer = [(padded_answer(case, self.judge.key), case) for case, _ in self.pairs]
        pairs = [(padded, case) for padded, case in longer if padded is not None]
        told = await self.judged(self.judge, pairs)
        leads = [
            {"model_1": 1.0, "model_2": -1.0}.get(each.judgment.winner, 0.0) for each in self._decided(told)
        ]
        return Control.difference(
            "padded_answer",
            leads,
            self.limits.length,
            "more wins than losses (-1 to 1) of an answer against itself for being longer",
            _failures(told),
            needed=self.limits.cases,
        )

    async def judged(self, judge: PairwiseJudge, pairs: Sequence[Pair]) -> list[PairJudgment]:
        async def one(pair: Pair) -> PairJudgment:
            async with self.gate:
                told = await judge.compare(_FIRST, pair[0], _SECOND, pair[1])
            self.spent += [usage.cost for usage in told.usage if usage.cost is not None]
            return told

        return list(await asyncio.gather(*map(one, pairs)))

    @staticmethod
    def _decided(judgments: Sequence[PairJudgment]) -> list[PairJudgment]:
        return [told for told in judgments if not told.failures]


def _perturbed(pair: Pair) -> Pair:
    first = perturbed_pictures(pair[0])
    return first, replace(pair[1], inputs=first.inputs)


def _decides(told: PairJudgment) -> bool:
    """Whether the judge said something; that it cannot tell is something."""
    return all(failure.kind is FailureKind.ABSTAINED for failure in told.failures)


def _failures(judgments: Sequence[PairJudgment]) -> list[Failure]:
    return [
        failure
        for told in judgments
        for failure in told.failures
        if failure.kind is not FailureKind.ABSTAINED
    ]
