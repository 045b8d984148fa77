"""What an experiment says as a whole: each metric with its interval, its n and its failures."""

from __future__ import annotations

import inspect
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vlmops.evaluators import (
    Case,
    Evaluator,
    Failure,
    FailureKind,
    Score,
    SetEvaluator,
    SetScore,
    applies,
)
from vlmops.statistics import mean_interval

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from vlmops.platforms.port import ExperimentRecord, Run


@dataclass(frozen=True, slots=True)
class ExperimentSummary:
    """An experiment in figures.

    Attributes:
        name: The experiment's name.
        scores: One value a metric over the whole experiment: micro-averaged or corpus values where the metric
            has one, else means; a metric that counts answers leaves failed ones out and says how many.
        runs: How many answers were asked for.
        failures: How many of them failed, by kind; not in any score.
        latency: Median seconds an answer took; ``None`` when not known.
    """

    name: str
    scores: Sequence[SetScore]
    runs: int
    failures: Mapping[FailureKind, int]
    latency: float | None


async def summarise(record: ExperimentRecord, evaluators: Sequence[Evaluator]) -> ExperimentSummary:
    """The figures of an experiment, with intervals clustered by sample (its repetitions count as one)."""
    answered = [run for run in record.runs if not isinstance(run.case.output, Failure)]
    failed = Counter(run.case.output.kind for run in record.runs if isinstance(run.case.output, Failure))
    cases = [run.case for run in answered]
    corpus: dict[str, SetScore] = {}
    for evaluator in evaluators:
        applicable = [case for case in cases if applies(evaluator, case)]
        if isinstance(evaluator, SetEvaluator) and applicable:
            for score in await _over_set(evaluator, applicable):
                corpus[score.name] = score
    means = {score.name: score for score in _means(answered)}
    names = [*means, *(name for name in corpus if name not in means)]
    return ExperimentSummary(
        record.name,
        [corpus.get(name) or means[name] for name in names],
        len(record.runs),
        dict(failed),
        _median([case.latency for case in cases if case.latency is not None]),
    )


async def _over_set(evaluator: SetEvaluator, cases: Sequence[Case]) -> list[SetScore]:
    result = evaluator.evaluate_set(cases)
    if inspect.isawaitable(result):
        result = await result
    if isinstance(result, Failure):
        return []
    return result if isinstance(result, list) else [result]


def _means(runs: Sequence[Run]) -> list[SetScore]:
    """Mean of every metric that is a number or a pass/fail; labels have none."""
    values: dict[str, list[tuple[Hashable, Score]]] = {}
    failures: Counter[str] = Counter()
    for run in runs:
        for result in run.results:
            if isinstance(result, Failure):
                failures[result.evaluator] += 1
            elif not isinstance(result.value, str):
                values.setdefault(result.name, []).append((run.case.id, result))
    return [_mean(name, found, failures[name]) for name, found in values.items()]


def _mean(name: str, found: Sequence[tuple[Hashable, Score]], failures: int) -> SetScore:
    numbers = [float(score.value) for _, score in found]
    first = found[0][1]
    return SetScore(
        name,
        sum(numbers) / len(numbers),
        len(numbers),
        failures,
        mean_interval(numbers, clusters=[cluster for cluster, _ in found]),
        direction=first.direction,
        range=first.range,
    )


def _median(values: Sequence[float]) -> float | None:
    from statistics import median

    return median(values) if values else None
