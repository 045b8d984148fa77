"""The audit of a pointwise judge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vlmops.blocking import blocking
from vlmops.errors import UsageError
from vlmops.evaluators.clusters import picture_clusters
from vlmops.evaluators.evaluator import evaluate
from vlmops.evaluators.failure import Failure
from vlmops.evaluators.score import Score
from vlmops.judges.audit.alterations import (
    blank_pictures,
    injected_answer,
    injected_pictures,
    padded_answer,
    perturbed_pictures,
    swapped_pictures,
)
from vlmops.judges.audit.control import AuditLimits, AuditReport, Control
from vlmops.judges.audit.run import AuditRun, failures_among, said
from vlmops.judges.spending import judging_cost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from vlmops.evaluators.case import Case
    from vlmops.evaluators.score import Range
    from vlmops.judges.judge import Judge

    Verdicts = Sequence[Score | Failure]
    Alteration = Callable[[Case], Case]


def audit(
    judge: Judge,
    cases: Sequence[Case],
    *,
    labels: Mapping[str, float] | None = None,
    families: Mapping[str, str] | None = None,
    own_family: str = "",
    repeats: int = 3,
    limits: AuditLimits | None = None,
    concurrency: int = 8,
    progress: Callable[[int], None] | None = None,
) -> AuditReport:
    """Audit a judge; blocking form of :func:`audit_async`."""
    return blocking(
        lambda: audit_async(
            judge,
            cases,
            labels=labels,
            families=families,
            own_family=own_family,
            repeats=repeats,
            limits=limits,
            concurrency=concurrency,
            progress=progress,
        )
    )


async def audit_async(
    judge: Judge,
    cases: Sequence[Case],
    *,
    labels: Mapping[str, float] | None = None,
    families: Mapping[str, str] | None = None,
    own_family: str = "",
    repeats: int = 3,
    limits: AuditLimits | None = None,
    concurrency: int = 8,
    progress: Callable[[int], None] | None = None,
) -> AuditReport:
    """Find out whether a judge sees the picture and keeps to what it is asked.

    Controls, by what is altered:

    - ``blank_picture``, ``swapped_picture``: a favourable verdict must not stand. A judge that abstains has
      noticed.
    - ``perturbed_picture``, ``repeated``: the verdict must stand.
    - ``answer_only``: with labels, the verdicts must be righter with the picture than without.
    - ``padded_answer``: the answer must not come off better for being longer.
    - ``injected_answer``, ``injected_picture``: an unfavourable verdict must not yield to a demand.
    - ``self_preference``: with labels and families, the judge must not overrate answers of its own family
      more than others.

    Take cases of which some deserve a favourable verdict and some do not, with different pictures, 30 or
    more.

    Args:
        judge: The judge.
        cases: Answered cases with their pictures; ids tell them apart.
        labels: What people said of cases, by id, on a scale from 0 (bad) to 1 (good).
        families: The family of the model that answered, by id of the case.
        own_family: The family of the judge's own model.
        repeats: How often each case is judged for ``repeated``, 2 at least.
        limits: From where on a control fails.
        concurrency: How many cases are judged at once.
        progress: Told how many verdicts there are; :func:`audit_calls` says of how many at most.

    Raises:
        UsageError: There are no cases, two have one id, or too few repeats.
    """
    ids = [case.id for case in cases]
    if not cases or len(set(ids)) < len(ids) or repeats < 2:
        raise UsageError("an audit takes cases, each with an id of its own, and two repeats at least")
    run = _PointAudit(limits or AuditLimits(), concurrency, progress, judge=judge, cases=cases)
    await run.judge_as_they_are()
    controls = [
        await run.unseeing("blank_picture", cases, blank_pictures),
        await run.unseeing("swapped_picture", swapped_pictures(cases)),
        await run.flips("perturbed_picture", [judge], perturbed_pictures),
        await run.flips("repeated", [replace(judge, repetition=at) for at in range(2, repeats + 1)]),
        await run.padded(),
        await run.obeyed("injected_answer"),
        await run.obeyed("injected_picture"),
    ]
    if labels:
        controls.append(await run.answer_only(labels))
        if families and own_family:
            controls.append(run.self_preference(labels, families, own_family))
    return run.report(judge, controls, len(cases))


def audit_calls(cases: int, *, repeats: int = 3, labelled: bool = False) -> int:
    """How many calls of the judge's model an audit takes at most.

    Example:
        >>> audit_calls(30)
        210
    """
    # As they are and again, perturbed, padded, and two of each: blank and swapped for those that are found
    # good, injected twice for those that are not.
    return cases * (repeats + 4 + int(labelled))


@dataclass(kw_only=True)
class _PointAudit(AuditRun):
    judge: Judge
    cases: Sequence[Case]
    plain: Verdicts = ()

    async def judge_as_they_are(self) -> None:
        self.plain = await self._verdicts(self.judge, self.cases)

    async def unseeing(
        self, name: str, altered: Sequence[Case | None], alter: Alteration | None = None
    ) -> Control:
        """How many favourable verdicts stand where the picture no longer bears them out."""
        chosen = [
            (case, plain)
            for case, plain in zip(altered, self.plain, strict=True)
            if case is not None and favourable(plain)
        ]
        told = await self._verdicts(self.judge, [case for case, _ in chosen], alter)
        decided = [favourable(verdict) for verdict in told if said(verdict)]
        return self._share(
            name,
            [bool(hit) for hit in decided],
            self.limits.unseeing,
            "of the favourable verdicts stand although the picture no longer shows what they rest on",
            told,
        )

    async def flips(self, name: str, judges: Sequence[Judge], alter: Alteration | None = None) -> Control:
        """How many verdicts change although nothing that matters did."""
        told = [await self._verdicts(judge, self.cases, alter) for judge in judges]
        changed = [
            any(value_of(verdict) != value_of(plain) for verdict in verdicts if said(verdict))
            for plain, *verdicts in zip(self.plain, *told, strict=True)
            if isinstance(plain, Score) and any(said(verdict) for verdict in verdicts)
        ]
        return self._share(
            name,
            changed,
            self.limits.flips,
            "of the verdicts change although nothing that matters did",
            [verdict for verdicts in told for verdict in verdicts],
        )

    async def padded(self) -> Control:
        altered = [padded_answer(case, self.judge.key) for case in self.cases]
        before, after = await self._before_and_after(altered)
        rises = [
            now - then
            for then, now in zip(map(goodness, before), map(goodness, after), strict=True)
            if then is not None and now is not None
        ]
        return Control.difference(
            "padded_answer",
            rises,
            self.limits.length,
            "better (0 to 1) the answers come off for being longer",
            failures_among(after),
            needed=self.limits.cases,
        )

    async def obeyed(self, name: str) -> Control:
        best, key = best_verdict(self.judge), self.judge.key
        chosen = [
            case
            for case, plain in zip(self.cases, self.plain, strict=True)
            if favourable(plain) is False
            and (name == "injected_picture" or injected_answer(case, best, key) is not None)
        ]

        def alter(case: Case) -> Case:
            written = injected_answer(case, best, key) if name == "injected_answer" else None
            return written or injected_pictures(case, best)

        told = await self._verdicts(self.judge, chosen, alter)
        return self._share(
            name,
            [bool(favourable(verdict)) for verdict in told if said(verdict)],
            self.limits.obeyed,
            "of the unfavourable verdicts yield to a demand in what is judged",
            told,
        )

    async def answer_only(self, labels: Mapping[str, float]) -> Control:
        """How much less wrong the judge is for seeing the picture."""
        view = replace(self.judge.view, pictures=False, reference=None, regions=None)
        told = await self._verdicts(replace(self.judge, view=view), self.cases)
        gains, labelled = [], []
        for case, plain, blind in zip(self.cases, self.plain, told, strict=True):
            seen, unseen = goodness(plain), goodness(blind)
            if case.id in labels and seen is not None:
                # Who cannot tell without the picture stands in the middle.
                without = abs(labels[case.id] - (0.5 if unseen is None else unseen))
                gains.append(without - abs(labels[case.id] - seen))
                labelled.append(case)
        found = Control.difference(
            "answer_only",
            gains,
            0.0,
            "less wrong (0 to 1) with the picture than without",
            failures_among(told),
            needed=self.limits.cases,
            clusters=picture_clusters(labelled),
        )
        return replace(found, passed=None if found.passed is None else found.value > 0)

    def self_preference(self, labels: Mapping[str, float], families: Mapping[str, str], own: str) -> Control:
        """How much more the judge overrates its own family than others."""
        from vlmops.statistics import bootstrap_interval

        errors = [
            (found - labels[case.id], families[case.id] == own)
            for case, plain in zip(self.cases, self.plain, strict=True)
            if case.id in labels and case.id in families and (found := goodness(plain)) is not None
        ]

        def gap(rows: Sequence[int]) -> float:
            by_family: dict[bool, list[float]] = {True: [], False: []}
            for row in rows:
                by_family[errors[row][1]].append(errors[row][0])
            if not by_family[True] or not by_family[False]:
                return float("nan")
            return _mean(by_family[True]) - _mean(by_family[False])

        value = gap(range(len(errors)))
        interval = bootstrap_interval(gap, len(errors), resamples=1000) if errors else None
        fewest = min(sum(mine for _, mine in errors), sum(not mine for _, mine in errors))
        passed = None if fewest < self.limits.cases or interval is None else interval.low <= 0
        told = f"more (0 to 1) answers of {own} are overrated than those of others"
        return Control("self_preference", value, 0.0, passed, len(errors), {}, interval, told)

    async def _before_and_after(self, altered: Sequence[Case | None]) -> tuple[Verdicts, Verdicts]:
        chosen = [
            (case, plain)
            for case, plain in zip(altered, self.plain, strict=True)
            if case is not None and isinstance(plain, Score)
        ]
        return [plain for _, plain in chosen], await self._verdicts(self.judge, [case for case, _ in chosen])

    def _share(
        self, name: str, hits: Sequence[bool], limit: float, explanation: str, told: Verdicts
    ) -> Control:
        return Control.share(name, hits, limit, explanation, failures_among(told), needed=self.limits.cases)

    async def _verdicts(
        self, judge: Judge, cases: Sequence[Case], alter: Alteration | None = None
    ) -> Verdicts:
        async def one(case: Case | Failure) -> Score | Failure:
            result = case if isinstance(case, Failure) else await evaluate(judge, case)
            self.spending += judging_cost(result if isinstance(result, list) else [result])
            return result if isinstance(result, Score | Failure) else main_score(result)

        return await self.each(cases, one, alter)


def main_score(scores: Sequence[Score]) -> Score:
    """Of several scores of a judge the one that says most of the whole: the first that is no label."""
    return next((score for score in scores if not isinstance(score.value, str)), scores[0])


def main_range(judge: Judge) -> Range | None:
    """The range of the score that says most of the whole."""
    first, *more = judge.rubric.criteria
    return (0.0, 1.0) if more else first.range


def value_of(verdict: Score | Failure) -> Any:
    """What tells one verdict from another; an abstention is a verdict of its own."""
    return verdict.value if isinstance(verdict, Score) else verdict.kind


def goodness(verdict: Score | Failure) -> float | None:
    """How good the verdict says the answer is, 0 to 1; ``None`` where it does not say.

    Example:
        >>> goodness(Score("quality", 4.0, range=(1.0, 5.0)))
        0.75
    """
    if isinstance(verdict, Failure) or isinstance(verdict.value, str) or verdict.range is None:
        return None
    low, high = verdict.range
    share = (float(verdict.value) - low) / (high - low)
    return 1 - share if verdict.direction == "minimize" else share


def favourable(verdict: Score | Failure) -> bool | None:
    """Whether the verdict is in the upper half; ``None`` where that cannot be said."""
    good = goodness(verdict)
    return None if good is None else good > 0.5


def best_verdict(judge: Judge) -> str:
    """The verdict a manipulator would ask for."""
    criterion = judge.rubric.criteria[0]
    return next((v for v in criterion.verdicts() if criterion.passes(v)), criterion.verdicts()[-1])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
