"""The audit of a pairwise judge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from vlmops.blocking import blocking
from vlmops.errors import UsageError
from vlmops.evaluators.failure import Failure
from vlmops.judges.audit.alterations import padded_answer, perturbed_pictures, swapped_pictures
from vlmops.judges.audit.control import AuditLimits, AuditReport, Control
from vlmops.judges.audit.run import AuditRun, failures_among, said
from vlmops.judges.pairwise import PairJudgment, without_verdict
from vlmops.judges.spending import call_cost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from vlmops.evaluators.case import Case
    from vlmops.judges.pairwise import PairwiseJudge

    Pair = tuple[Case, Case]

_FIRST, _SECOND = "first", "second"
_LEAD: Mapping[str, float] = {"model_1": 1.0, "model_2": -1.0}
"""1 where the first wins, -1 where the second does; what is neither is 0."""


def audit_pairwise(
    judge: PairwiseJudge,
    pairs: Sequence[tuple[Case, Case]],
    *,
    preferred: Mapping[str, float] | None = None,
    own: Literal["first", "second"] | None = None,
    repeats: int = 2,
    limits: AuditLimits | None = None,
    concurrency: int = 8,
    progress: Callable[[int], None] | None = None,
) -> AuditReport:
    """Audit a pairwise judge; blocking form of :func:`audit_pairwise_async`."""
    return blocking(
        lambda: audit_pairwise_async(
            judge,
            pairs,
            preferred=preferred,
            own=own,
            repeats=repeats,
            limits=limits,
            concurrency=concurrency,
            progress=progress,
        )
    )


async def audit_pairwise_async(
    judge: PairwiseJudge,
    pairs: Sequence[tuple[Case, Case]],
    *,
    preferred: Mapping[str, float] | None = None,
    own: Literal["first", "second"] | None = None,
    repeats: int = 2,
    limits: AuditLimits | None = None,
    concurrency: int = 8,
    progress: Callable[[int], None] | None = None,
) -> AuditReport:
    """Find out whether a pairwise judge goes by the picture, and not by place or length.

    - ``position``: how much more often the answer shown as A wins than the one shown as B, over both orders.
    - ``consistency``: how often both orders name the same winner.
    - ``swapped_picture``: a preference that rests on the picture must not stand with another one.
    - ``perturbed_picture``, ``repeated``: the winner must stand.
    - ``padded_answer``: an answer against itself with padding must be a tie.
    - ``self_preference``: with people's preferences, answers of the judge's own family must not win more than
      people let them.

    Args:
        judge: The judge.
        pairs: Two cases of the same inputs each; take pairs in which one is plainly better by what the
            picture shows. Those with equal answers are left out: they are ties without asking.
        preferred: What people prefer, by id of the pair's cases: 1 the first answer, 0 the second, 0.5
            neither.
        own: Which of the two answers comes from the family of the judge's own model.
        repeats: How often each pair is judged for ``repeated``, 2 at least.
        limits: From where on a control fails.
        concurrency: How many pairs are judged at once.
        progress: Told how many pairs have been judged; :func:`audit_pairwise_calls` says of how many calls,
            two a pair.

    Raises:
        UsageError: There are no pairs with different answers, or too few repeats.
    """
    asked = [pair for pair in pairs if judge.output_of(pair[0]) != judge.output_of(pair[1])]
    if not asked or repeats < 2:
        raise UsageError("an audit takes pairs of cases with different answers, and two repeats at least")
    run = _PairAudit(limits or AuditLimits(), concurrency, progress, judge=judge, pairs=asked)
    run.plain = await run.compared(judge, asked)
    again = [replace(judge, repetition=number) for number in range(2, repeats + 1)]
    controls = [
        *place_controls(run.plain, run.limits),
        await run.swapped(),
        await run.flips("perturbed_picture", [judge], _perturbed),
        await run.flips("repeated", again),
        await run.padded(),
    ]
    if preferred and own:
        controls.append(run.self_preference(preferred, own))
    return run.report(judge, controls, len(asked))


def audit_pairwise_calls(pairs: int, *, repeats: int = 2) -> int:
    """How many calls of the judge's model an audit takes at most.

    Example:
        >>> audit_pairwise_calls(30)
        300
    """
    # As they are and again, perturbed, padded, and with another picture; each in both orders.
    return 2 * pairs * (repeats + 3)


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
        straight, swapped = (_LEAD.get(won, 0.0) for won in (told.judgment.first, told.judgment.second))
        leads.append((straight - swapped) / 2)
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


@dataclass(kw_only=True)
class _PairAudit(AuditRun):
    judge: PairwiseJudge
    pairs: Sequence[Pair]
    plain: Sequence[PairJudgment] = ()

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
        told = await self.compared(self.judge, [pair for pair, _ in chosen])
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

    async def flips(
        self, name: str, judges: Sequence[PairwiseJudge], alter: Callable[[Pair], Pair] | None = None
    ) -> Control:
        told = [await self.compared(judge, self.pairs, alter) for judge in judges]
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
        told = await self.compared(self.judge, pairs)
        leads = [_LEAD.get(each.judgment.winner, 0.0) for each in told if not each.failures]
        return Control.difference(
            "padded_answer",
            leads,
            self.limits.length,
            "more wins than losses (-1 to 1) of an answer against itself for being longer",
            _failures(told),
            needed=self.limits.cases,
        )

    def self_preference(self, preferred: Mapping[str, float], own: str) -> Control:
        """How much more the judge favours its own family than people do."""
        sign = 1.0 if own == _FIRST else -1.0
        labelled = [
            (told, preferred[case.id])
            for told, (case, _) in zip(self.plain, self.pairs, strict=True)
            if case.id in preferred and not told.failures
        ]
        favour = [
            sign * (_LEAD.get(told.judgment.winner, 0.0) - (2 * liked - 1)) / 2 for told, liked in labelled
        ]
        found = Control.difference(
            "self_preference",
            favour,
            0.0,
            "more wins (-1 to 1) of the judge's own family than people give it",
            _failures(self.plain),
            needed=self.limits.cases,
        )
        # A judge that is as fair as people are is as often above 0 as below.
        beyond = found.interval is not None and found.interval.low > 0
        return replace(found, passed=None if found.n < self.limits.cases else not beyond)

    async def compared(
        self, judge: PairwiseJudge, pairs: Sequence[Pair], alter: Callable[[Pair], Pair] | None = None
    ) -> list[PairJudgment]:
        async def one(pair: Pair | Failure) -> PairJudgment:
            if isinstance(pair, Failure):
                return without_verdict(_FIRST, _SECOND, (pair,))
            told = await judge.compare(_FIRST, pair[0], _SECOND, pair[1])
            costs = [usage.cost for usage in told.usage]
            silent = 0 if told.failures else 2 - len(costs)
            self.spending = sum(map(call_cost, [*costs, *[None] * silent]), self.spending)
            return told

        return await self.each(pairs, one, alter)


def _perturbed(pair: Pair) -> Pair:
    first = perturbed_pictures(pair[0])
    return first, replace(pair[1], inputs=first.inputs)


def _decides(told: PairJudgment) -> bool:
    """Whether the judge said something in both orders."""
    return all(said(failure) for failure in told.failures)


def _failures(judgments: Sequence[PairJudgment]) -> list[Failure]:
    return failures_among(failure for told in judgments for failure in told.failures)
