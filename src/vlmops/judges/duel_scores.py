"""The results of a tournament as scores of the runs that were compared."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.evaluators.bases import NamedEvaluator
from vlmops.evaluators.score import Score, SetScore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vlmops.evaluators.case import Case
    from vlmops.evaluators.evaluator import Annotator
    from vlmops.judges.tournament import JudgedPair, Tournament
    from vlmops.judges.verdicts import SwappedJudgment
    from vlmops.platforms.port import Platform

_WORDS = {1.0: "won", 0.5: "tied", 0.0: "lost"}


@dataclass(frozen=True, kw_only=True)
class DuelScores(NamedEvaluator):
    """Gives each answer of one variant what a tournament said of it: 1 won, 0.5 tied, 0 lost against another.

    Attributes:
        variant: Whose answers are scored.
        pairs: The comparisons with one other variant, by id of the sample. Answers that were not compared
            (other repetitions, failures) are none of its business.
        record: What a person needs to know of the judge to believe or doubt it: model, prompt, audit.

    Example:
        >>> DuelScores(name="better.vs.small", variant="large").name
        'better.vs.small'
    """

    default_name: ClassVar[str] = "duel"
    annotator: ClassVar[Annotator] = "LLM"

    variant: str
    pairs: Mapping[str, JudgedPair] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)

    def applies(self, case: Case) -> bool:
        """Whether this very answer was compared."""
        pair = self.pairs.get(case.id)
        return (
            pair is not None and pair.score_of(self.variant) is not None and self._answer(pair) == case.output
        )

    def evaluate(self, case: Case) -> Score:
        """The result as a score."""
        pair = self.pairs[case.id]
        value = pair.score_of(self.variant)
        result = 0.5 if value is None else value
        told: dict[str, Any] = {
            "label": _WORDS[result],
            "orders": [_told(pair.judgment.judgment, at) for at in ("first", "second")],
            "consistent": pair.judgment.consistent,
            "reasons": list(pair.judgment.reasons),
            **({"judge": dict(self.record)} if self.record else {}),
        }
        why = " ".join(pair.judgment.reasons[0].split())
        return Score(self.name, result, f"{_WORDS[result]}: {why}", metadata=told)

    def _answer(self, pair: JudgedPair) -> Any:
        return pair.case.output if self.variant == pair.first else pair.other.output


def _told(judgment: SwappedJudgment, order: str) -> str:
    winner = judgment.first if order == "first" else judgment.second
    return {"model_1": judgment.model_1, "model_2": judgment.model_2}.get(winner, winner)


async def record_tournament(platform: Platform, tournament: Tournament, ids: Mapping[str, str]) -> None:
    """Write a tournament's results to the experiments that were compared, where the platform shows them.

    Each answer gets ``<judge>.vs.<other>`` (1 won, 0.5 tied, 0 lost); each experiment gets its win rates, and
    its rating. Written again, they are updated.

    Args:
        platform: Where the experiments ran.
        tournament: What was found.
        ids: The experiments' ids, by variant.

    Raises:
        PlatformError: The platform broke down; do it again.
    """
    for variant, experiment in ids.items():
        rates: list[SetScore] = []
        for duel in tournament.duels:
            if variant not in (duel.first, duel.second):
                continue
            other = duel.second if variant == duel.first else duel.first
            name = f"{tournament.judge}.vs.{other}"
            pairs = {
                pair.case.id: pair
                for pair in tournament.pairs
                if {pair.first, pair.second} == {variant, other}
            }
            await platform.experiments.evaluate(
                experiment, [DuelScores(name=name, variant=variant, pairs=pairs, record=tournament.record)]
            )
            if duel.win_rate.n:
                rates.append(_win_rate(duel.win_rate, name, turned=variant == duel.second))
        rates += [
            SetScore(
                f"{tournament.judge}.rating",
                each.rating,
                each.n,
                interval=each.interval,
                explanation="Bradley-Terry rating, 1000 on average, 400 apart at odds of ten to one",
                range=(-inf, inf),
            )
            for each in tournament.ratings
            if each.variant == variant
        ]
        if rates:
            await platform.experiments.write_set_scores(experiment, rates)


def _win_rate(rate: SetScore, name: str, *, turned: bool) -> SetScore:
    if not turned:
        return replace(rate, name=f"{name}.win_rate")
    interval = rate.interval
    if interval is not None:
        interval = replace(interval, low=1 - interval.high, high=1 - interval.low)
    return replace(rate, name=f"{name}.win_rate", value=1 - rate.value, interval=interval)
