"""What an experiment says as a whole: each metric with its interval, its n and its failures."""

from __future__ import annotations

import inspect
import math
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vlmops.characters import whole_record
from vlmops.evaluators import (
    Case,
    Evaluator,
    Failure,
    FailureKind,
    Score,
    SetEvaluator,
    SetScore,
    SliceBy,
    applies,
    picture_clusters,
    slices_of,
)
from vlmops.statistics import mean_intervals
from vlmops.statistics.resampling import Clusters

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from vlmops.evaluators import Interval
    from vlmops.judges.spending import Spending
    from vlmops.platforms.records import ExperimentRecord, Run


@dataclass(frozen=True, slots=True)
class ExperimentSummary:
    """An experiment in figures.

    Attributes:
        name: The experiment's name.
        scores: One value a metric over the whole experiment: micro-averaged or corpus values where the metric
            has one, else means. Its ``failures`` are the answers that are not in the value: those that
            failed themselves and those that could not be scored. An evaluator that failed on every answer
            is there under its own name, with the value NaN.
        runs: How many answers were asked for.
        failures: How many of them failed, by kind; not in any score.
        latency: Median seconds an answer took; ``None`` when not known.
        slices: The same figures for each slice, by its name.
        not_applicable: For each evaluator that had nothing to say of some answers (nothing is expected of
            their samples, for one), of how many.
        judge_cost: US dollars that judging the answers cost, as far as judges' scores say; it is in no figure
            of what answering cost. ``None`` where none says.
        judge_unpriced: Verdicts whose cost is not known: what they cost comes on top.
    """

    name: str
    scores: Sequence[SetScore]
    runs: int
    failures: Mapping[FailureKind, int]
    latency: float | None
    not_applicable: Mapping[str, int] = field(default_factory=dict)
    slices: Mapping[str, ExperimentSummary] = field(default_factory=dict)
    judge_cost: float | None = None
    judge_unpriced: int = 0

    def _repr_html_(self) -> str:
        from vlmops.reports.notebook.experiments import summary_html

        return summary_html(self)

    def _repr_markdown_(self) -> str:
        from vlmops.reports.notebook.experiments import summary_markdown

        return summary_markdown(self)


async def summarise(
    record: ExperimentRecord, evaluators: Sequence[Evaluator], slices: Sequence[SliceBy] = ()
) -> ExperimentSummary:
    """The figures of an experiment, with intervals clustered by picture (all answers about one count as one).

    Args:
        record: The experiment.
        evaluators: Those that gave its scores.
        slices: Metadata keys, or named predicates, to give the figures for separately as well.
    """
    whole = await _figures(record, evaluators)
    parts = slices_of([run.case for run in record.runs], slices)
    figures = {
        name: await _figures(replace(record, runs=[record.runs[at] for at in positions]), evaluators)
        for name, positions in parts.items()
    }
    return replace(whole, slices=figures)


async def _figures(record: ExperimentRecord, evaluators: Sequence[Evaluator]) -> ExperimentSummary:
    failed = Counter(run.case.output.kind for run in record.runs if isinstance(run.case.output, Failure))
    cases = [run.case for run in record.runs]
    corpus: dict[str, SetScore] = {}
    not_applicable: dict[str, int] = {}
    for evaluator in evaluators:
        applicable = [case for case in cases if applies(evaluator, case)]
        if len(applicable) < len(cases):
            not_applicable[evaluator.name] = len(cases) - len(applicable)
        if isinstance(evaluator, SetEvaluator) and applicable:
            for score in await over_set(evaluator, applicable):
                corpus[score.name] = score
    means = {score.name: score for score in _means(record.runs)}
    # A corpus metric that cannot be had leaves the mean of the single answers.
    chosen = means | {name: score for name, score in corpus.items() if score.n or name not in means}
    spent = _judging(record.runs)
    return ExperimentSummary(
        record.name,
        list(chosen.values()),
        len(record.runs),
        dict(failed),
        _median([case.latency for case in cases if case.latency is not None]),
        not_applicable,
        judge_cost=spent.cost,
        judge_unpriced=spent.unpriced,
    )


def _judging(runs: Sequence[Run]) -> Spending:
    from vlmops.judges.spending import Spending, judging_cost

    return sum((judging_cost(run.results) for run in runs), Spending())


async def over_set(evaluator: SetEvaluator, cases: Sequence[Case]) -> list[SetScore]:
    """What an evaluator says of a whole set, in whole characters; a failure is a score without a value."""
    result = evaluator.evaluate_set(cases)
    if inspect.isawaitable(result):
        result = await result
    if isinstance(result, Failure):
        result = _without_value(evaluator.name, len(cases), result.message)
    return [whole_record(score) for score in (result if isinstance(result, list) else [result])]


def _means(runs: Sequence[Run]) -> list[SetScore]:
    """Mean of every metric that is a number or a pass/fail; labels have none."""
    found: dict[str, list[Score]] = {}
    rows: dict[str, list[int]] = {}
    named: set[str] = set()
    failures: Counter[str] = Counter()
    failed = sum(isinstance(run.case.output, Failure) for run in runs)
    for row, run in enumerate(runs):
        for result in run.results:
            if isinstance(result, Failure):
                failures[result.evaluator] += 1
                continue
            named.add(result.name)
            if not isinstance(result.value, str):
                found.setdefault(result.name, []).append(result)
                rows.setdefault(result.name, []).append(row)
    values = {name: [float(score.value) for score in scores] for name, scores in found.items()}
    intervals = _mean_intervals(values, rows, picture_clusters([run.case for run in runs]))
    means = [
        _mean(scores[0], values[name], failed + _failures_behind(name, failures), intervals[name])
        for name, scores in found.items()
    ]
    barren = [name for name in failures if not any(is_part(score, name) for score in named)]
    return [*means, *(_without_value(name, failed + failures[name]) for name in barren)]


def _failures_behind(score: str, failures: Mapping[str, int]) -> int:
    """How often the evaluator failed that gives this score, perhaps as one of several."""
    return sum(n for evaluator, n in failures.items() if is_part(score, evaluator))


def is_part(score: str, evaluator: str) -> bool:
    """Whether a score of that name is the evaluator's, perhaps one of several.

    Example:
        >>> is_part("caption.bleu", "caption"), is_part("captions", "caption")
        (True, False)
    """
    return score == evaluator or score.startswith(f"{evaluator}.")


def _without_value(name: str, failures: int, why: str = "no answer could be scored") -> SetScore:
    return SetScore(name, math.nan, 0, failures, explanation=why, direction="none")


def _mean(first: Score, values: Sequence[float], failures: int, interval: Interval | None) -> SetScore:
    return SetScore(
        first.name,
        sum(values) / len(values),
        len(values),
        failures,
        interval,
        direction=first.direction,
        range=first.range,
    )


def _mean_intervals(
    values: Mapping[str, Sequence[float]], rows: Mapping[str, Sequence[int]], pictures: Sequence[Hashable]
) -> dict[str, Interval | None]:
    """Of each name's mean; names with values in the same rows are resampled together."""
    import numpy as np

    clusters = Clusters.of(len(pictures), pictures)
    alike: dict[tuple[int, ...], list[str]] = {}
    for name, where in rows.items():
        alike.setdefault(tuple(where), []).append(name)
    intervals: dict[str, Interval | None] = {}
    for where, names in alike.items():
        columns = np.array([values[name] for name in names]).T
        found = mean_intervals(columns, clusters=clusters.chosen(where))
        intervals |= dict(zip(names, found, strict=True))
    return intervals


def _median(values: Sequence[float]) -> float | None:
    from statistics import median

    return median(values) if values else None
