"""A tournament: every variant against every other on the same samples, and the ranking that follows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

from vlmops.blocking import blocking
from vlmops.concurrency import for_each
from vlmops.errors import UsageError
from vlmops.evaluators.clusters import picture_clusters
from vlmops.evaluators.score import SetScore
from vlmops.statistics import Battle, bradley_terry, bradley_terry_intervals, mean_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from vlmops.evaluators.case import Case
    from vlmops.evaluators.failure import FailureKind
    from vlmops.evaluators.score import Interval
    from vlmops.judges.pairwise import PairJudgment, PairwiseJudge

_PRIOR_GAMES = 0.1
"""Ties added between every two variants, so that one that never loses has a finite rating."""


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """One sample on which two variants were compared.

    Attributes:
        first: One variant; its answer stood as A in the first order.
        second: The other.
        case: The sample, with the first variant's answer.
        other: The sample, with the second variant's answer.
        judgment: What the judge said.
    """

    first: str
    second: str
    case: Case
    other: Case
    judgment: PairJudgment

    def score_of(self, variant: str) -> float | None:
        """1 where the variant won, 0.5 for a tie, 0 where it lost; ``None`` without a verdict."""
        winner = self.judgment.judgment.winner
        if winner == "error":
            return None
        if winner == "tie":
            return 0.5
        return float((winner == "model_1") == (variant == self.first))


@dataclass(frozen=True, slots=True)
class Duel:
    """Two variants over all samples that both answered.

    Attributes:
        first: One variant.
        second: The other.
        wins: Samples that the first won from both places.
        losses: Samples that the second won from both places.
        ties: Ties, and samples on which the orders named different winners.
        win_rate: Of the first, 0 to 1, a tie counting half; 0.5 where they are level.
        consistency: Share of judged samples on which both orders named the same winner; higher is better,
            and what is much below 1 says that the judge goes by place.
        failures: Samples without a verdict, by kind; in no figure.
    """

    first: str
    second: str
    wins: int
    losses: int
    ties: int
    win_rate: SetScore
    consistency: SetScore
    failures: Mapping[FailureKind, int]


@dataclass(frozen=True, slots=True)
class Rating:
    """A variant's place.

    Attributes:
        variant: Its name.
        rating: Bradley-Terry rating on the scale of Elo: 1000 on average, 400 apart at odds of ten to one.
        interval: Bootstrap interval, samples with the same pictures drawn together.
        n: How many comparisons stand behind it.
    """

    variant: str
    rating: float
    interval: Interval | None
    n: int


@dataclass(frozen=True, slots=True)
class Tournament:
    """What a tournament says.

    Attributes:
        judge: Name of the judge.
        pairs: Every comparison.
        duels: Two variants each.
        ratings: All variants, best first.
        unpaired: For each two variants, samples that only one of them answered.
        record: What a person needs to know of the judge: model, fingerprint, prompt, audit.
    """

    judge: str
    pairs: Sequence[JudgedPair]
    duels: Sequence[Duel]
    ratings: Sequence[Rating]
    unpaired: Mapping[tuple[str, str], int] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)


def compare_answers(
    judge: PairwiseJudge,
    answers: Mapping[str, Sequence[Case]],
    *,
    concurrency: int = 8,
    progress: Callable[[int], None] | None = None,
) -> Tournament:
    """Compare variants; blocking form of :func:`compare_answers_async`."""
    return blocking(lambda: compare_answers_async(judge, answers, concurrency=concurrency, progress=progress))


async def compare_answers_async(
    judge: PairwiseJudge,
    answers: Mapping[str, Sequence[Case]],
    *,
    concurrency: int = 8,
    progress: Callable[[int], None] | None = None,
) -> Tournament:
    """Compare every two variants on every sample that both answered, each pair in both orders.

    Args:
        judge: Who compares.
        answers: Cases by name of the variant; the ``id`` of a case tells which sample it is, and its first
            case of a sample is taken.
        concurrency: How many pairs are judged at once.
        progress: Told how many pairs have been judged.

    Raises:
        UsageError: There are fewer than two variants, or no two share a sample.
    """
    if len(answers) < 2:
        raise UsageError("a tournament takes two variants at least")
    by_id = {variant: _by_id(cases) for variant, cases in answers.items()}
    meetings = list(_meetings(by_id))
    if not meetings:
        raise UsageError("no two variants answered the same sample: their cases share no id")
    judged: dict[int, JudgedPair] = {}

    async def one(meeting: tuple[int, tuple[str, str, str]]) -> None:
        position, (first, second, sample) = meeting
        case = by_id[first][sample]
        other = by_id[second][sample]
        judged[position] = JudgedPair(
            first, second, case, other, await judge.compare(first, case, second, other)
        )
        if progress is not None:
            progress(len(judged))

    await for_each(enumerate(meetings), one, limit=concurrency)
    pairs = [judged[position] for position in range(len(meetings))]
    unpaired = {
        (first, second): len(by_id[first].keys() ^ by_id[second].keys())
        for first, second in combinations(answers, 2)
    }
    duels = [
        _duel(judge.name, first, second, [p for p in pairs if (p.first, p.second) == (first, second)])
        for first, second in combinations(answers, 2)
    ]
    return Tournament(judge.name, pairs, duels, _ratings(list(answers), pairs), unpaired, judge.record)


def _by_id(cases: Sequence[Case]) -> dict[str, Case]:
    first: dict[str, Case] = {}
    for case in cases:
        first.setdefault(case.id, case)
    return first


def _meetings(by_id: Mapping[str, Mapping[str, Case]]) -> Iterator[tuple[str, str, str]]:
    """Who meets on which sample."""
    for first, second in combinations(by_id, 2):
        yield from ((first, second, sample) for sample in by_id[first] if sample in by_id[second])


def _duel(judge: str, first: str, second: str, pairs: Sequence[JudgedPair]) -> Duel:
    judged = [pair for pair in pairs if not pair.judgment.failures]
    failed = Counter(pair.judgment.failures[0].kind for pair in pairs if pair.judgment.failures)
    outcome = Counter(pair.judgment.judgment.winner for pair in judged)
    clusters = picture_clusters([pair.case for pair in judged])
    rate = [score for pair in judged if (score := pair.score_of(first)) is not None]
    agreed = [float(bool(pair.judgment.consistent)) for pair in judged]
    return Duel(
        first,
        second,
        outcome["model_1"],
        outcome["model_2"],
        outcome["tie"],
        _mean(f"{judge}.win_rate", rate, clusters, failed.total(), f"of {first} against {second}"),
        _mean(f"{judge}.consistency", agreed, clusters, failed.total(), "both orders name the same winner"),
        dict(failed),
    )


def _mean(name: str, values: list[float], clusters: Sequence[Hashable], failures: int, why: str) -> SetScore:
    value = sum(values) / len(values) if values else float("nan")
    interval = mean_interval(values, clusters=clusters) if values else None
    return SetScore(name, value, len(values), failures, interval, why)


def _ratings(variants: Sequence[str], pairs: Sequence[JudgedPair]) -> list[Rating]:
    judged = [pair for pair in pairs if not pair.judgment.failures]
    if not judged:
        return []
    winners = {"model_1": "model_a", "model_2": "model_b"}
    battles = [
        Battle(pair.first, pair.second, winners.get(pair.judgment.judgment.winner, "tie")) for pair in judged
    ]
    clusters = picture_clusters([pair.case for pair in judged])
    values = bradley_terry(battles, prior_games=_PRIOR_GAMES)
    intervals = bradley_terry_intervals(battles, clusters=clusters, prior_games=_PRIOR_GAMES)
    counts = Counter(name for battle in battles for name in (battle.model_a, battle.model_b))
    ratings = [
        Rating(name, values[name], intervals[name], counts[name]) for name in variants if name in values
    ]
    return sorted(ratings, key=lambda rating: rating.rating, reverse=True)
