"""Comparing experiments on the samples they share."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.blocking import blocking
from vlmops.errors import UsageError
from vlmops.evaluators import Failure, Score, slices_of
from vlmops.experiments.comparison.differences import corrected
from vlmops.experiments.comparison.metrics import MetricPairs, score_table
from vlmops.experiments.comparison.operations import QUANTITIES, operation_measure
from vlmops.experiments.comparison.pairing import Pairs, paired_runs
from vlmops.experiments.comparison.result import (
    Comparison,
    Difference,
    Measure,
    MeasureKind,
    Variant,
    VariantValue,
)
from vlmops.experiments.summary import ExperimentSummary, summarise
from vlmops.statistics import variance_components
from vlmops.statistics.resampling import CONFIDENCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from vlmops.evaluators import Direction, Evaluator, SetScore, SliceBy
    from vlmops.platforms.records import ExperimentRecord, Run

    Array = np.ndarray[Any, np.dtype[Any]]


def compare(
    records: Sequence[ExperimentRecord],
    evaluators: Sequence[Evaluator] = (),
    *,
    baseline: str | None = None,
    slices: Sequence[SliceBy] = (),
    confidence: float = CONFIDENCE,
) -> Comparison:
    """Compare experiments with a baseline; blocking form of :func:`compare_async`.

    Example:
        >>> from vlmops.evaluators import Case, Score
        >>> from vlmops.platforms import ExperimentRecord, Run
        >>> def ran(name, passed):
        ...     runs = [Run(Case("a", id=str(i)), 1, [Score("ok", p)]) for i, p in enumerate(passed)]
        ...     return ExperimentRecord(name, name, "", "d", "1", runs)
        >>> found = compare([ran("old", [True] * 9 + [False]), ran("new", [False] * 9 + [True])])
        >>> difference = found.measure("ok").values[1].difference
        >>> round(difference.value, 2), round(difference.p_value, 4), difference.verdict
        (-0.8, 0.0215, 'worse')
    """
    return blocking(
        lambda: compare_async(records, evaluators, baseline=baseline, slices=slices, confidence=confidence)
    )


async def compare_async(
    records: Sequence[ExperimentRecord],
    evaluators: Sequence[Evaluator] = (),
    *,
    baseline: str | None = None,
    slices: Sequence[SliceBy] = (),
    confidence: float = CONFIDENCE,
) -> Comparison:
    """Compare experiments with a baseline, sample by sample.

    Answers are paired by sample id and repetition; pictures, not answers, are what is drawn anew, so that
    several questions about one picture count as one. Failed answers are in no value and no pair. All
    verdicts among metrics, slices and variants are corrected together (Holm), and those among quantities of
    operation apart from them.

    Args:
        records: Of any platform; one alone has values, and nothing to differ from.
        evaluators: Those that scored them; they give corpus values (micro CER, mAP, F1). Without them every
            metric is the mean of its single scores.
        baseline: Id or name of the experiment that the others are compared with; the first when ``None``.
        slices: Metadata keys, or named predicates, to compare by separately as well.
        confidence: Level of intervals and verdicts, in (0, 1).

    Raises:
        UsageError: There are none, one is given twice, the baseline is not among them, or answers cannot be
            told apart by sample and repetition.
    """
    ordered = _baseline_first(records, baseline)
    sides = [await _Side.of(record, ordered[0], evaluators, slices) for record in ordered]
    names = dict.fromkeys(name for side in sides for name in side.summary.slices)
    metrics: list[Measure] = []
    operations: list[Measure] = []
    for part in ("", *names):
        metrics += await _metrics(sides, part, evaluators, confidence)
        operations += _operations(sides, part, confidence)
    return Comparison(
        [side.variant for side in sides],
        corrected(metrics, confidence),
        corrected(operations, confidence),
        list(names),
        confidence,
        _notes(sides),
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """One variant: its runs, its figures, and its pairs with the baseline."""

    record: ExperimentRecord
    summary: ExperimentSummary
    parts: Mapping[str, Sequence[int]]
    pairs: Pairs | None
    pair_parts: Mapping[str, Sequence[int]]

    @classmethod
    async def of(
        cls,
        record: ExperimentRecord,
        baseline: ExperimentRecord,
        evaluators: Sequence[Evaluator],
        slices: Sequence[SliceBy],
    ) -> _Side:
        pairs = None if record is baseline else paired_runs(baseline, record)
        parts = slices_of([run.case for run in record.runs], slices)
        return cls(
            record,
            await summarise(record, evaluators, slices),
            {"": range(len(record.runs)), **parts},
            pairs,
            {} if pairs is None else _pair_parts(pairs, slices),
        )

    @property
    def variant(self) -> Variant:
        record = self.record
        return Variant(
            record.id,
            record.name,
            record.url,
            len(record.runs),
            self.summary.failures,
            record.metadata,
            len(self.pairs.baseline) if self.pairs is not None else 0,
            len(self.pairs.only_baseline) if self.pairs is not None else 0,
        )

    def runs(self, part: str) -> list[Run]:
        return [self.record.runs[at] for at in self.parts.get(part, ())]

    def scores(self, part: str) -> dict[str, SetScore]:
        figures = self.summary if not part else self.summary.slices.get(part)
        return {score.name: score for score in figures.scores} if figures is not None else {}


def _pair_parts(pairs: Pairs, slices: Sequence[SliceBy]) -> dict[str, Sequence[int]]:
    """Pairs of each slice: a predicate that looks at answers must hold for both."""
    before = slices_of([run.case for run in pairs.baseline], slices)
    after = slices_of([run.case for run in pairs.candidate], slices)
    parts: dict[str, Sequence[int]] = {"": range(len(pairs.baseline))}
    for name, positions in before.items():
        there = set(after.get(name, ()))
        parts[name] = [at for at in positions if at in there]
    return parts


async def _metrics(
    sides: Sequence[_Side], part: str, evaluators: Sequence[Evaluator], confidence: float
) -> list[Measure]:
    """Every metric that any side has in this part."""
    directions = _directions(sides, part)
    names = list(directions)
    found = [await _differences(side, part, directions, evaluators, confidence) for side in sides]
    tables = [score_table(side.runs(part), names) for side in sides]
    kinds = _kinds(sides, part, names, tables)
    return [
        Measure(
            name,
            part,
            directions[name],
            kinds[name],
            "",
            [
                _variant_value(side, part, name, table[:, at], differences.get(name))
                for side, table, differences in zip(sides, tables, found, strict=True)
            ],
        )
        for at, name in enumerate(names)
    ]


def _directions(sides: Sequence[_Side], part: str) -> dict[str, Direction]:
    """The metrics of a part; a value that could not be had does not know its direction."""
    directions: dict[str, Direction] = {}
    for side in sides:
        for name, score in side.scores(part).items():
            if directions.get(name, "none") == "none":
                directions[name] = score.direction
    return directions


async def _differences(
    side: _Side,
    part: str,
    directions: Mapping[str, Direction],
    evaluators: Sequence[Evaluator],
    confidence: float,
) -> dict[str, Difference]:
    if side.pairs is None:
        return {}
    positions = side.pair_parts.get(part, ())
    before, after = (
        score_table([runs[at] for at in positions], list(directions))
        for runs in (side.pairs.baseline, side.pairs.candidate)
    )
    pairs = MetricPairs(side.pairs, positions, before, after, directions)
    return await pairs.differences(evaluators, confidence)


def _kinds(
    sides: Sequence[_Side], part: str, names: Sequence[str], tables: Sequence[Array]
) -> dict[str, MeasureKind]:
    """What each value is: a mean of what single answers were given, or more than that."""
    import math

    import numpy as np

    passes = {
        result.name
        for side in sides
        for run in side.runs(part)
        for result in run.results
        if isinstance(result, Score) and isinstance(result.value, bool)
    }
    kinds: dict[str, MeasureKind] = {}
    for at, name in enumerate(names):
        means = [
            (float(np.nanmean(table[:, at])), side.scores(part)[name].value)
            for side, table in zip(sides, tables, strict=True)
            if name in side.scores(part) and np.isfinite(table[:, at]).any()
        ]
        plain = bool(means) and all(math.isclose(mean, value, abs_tol=1e-12) for mean, value in means)
        kinds[name] = "corpus" if not plain else "rate" if name in passes else "mean"
    return kinds


def _variant_value(
    side: _Side, part: str, name: str, column: Array, difference: Difference | None
) -> VariantValue:
    import math

    import numpy as np

    score = side.scores(part).get(name)
    identity = side.record.id
    if score is None:
        return VariantValue(identity, math.nan, 0, 0, None, None, difference)
    known = np.isfinite(column)
    samples = [run.case.id for run, there in zip(side.runs(part), known, strict=True) if there]
    return VariantValue(
        identity,
        score.value,
        score.n,
        score.failures,
        score.interval,
        variance_components(column[known], samples),
        difference,
    )


def _operations(sides: Sequence[_Side], part: str, confidence: float) -> list[Measure]:
    variants = [(side.record.id, side.runs(part)) for side in sides]
    pairs = [side.pairs for side in sides]
    chosen = [side.pair_parts.get(part, ()) for side in sides]
    measures = (
        operation_measure(quantity, variants, pairs, chosen, part, confidence) for quantity in QUANTITIES
    )
    return [measure for measure in measures if measure is not None]


def _baseline_first(records: Sequence[ExperimentRecord], baseline: str | None) -> list[ExperimentRecord]:
    if not records:
        raise UsageError("there is no experiment to compare")
    repeated = [identity for identity, times in Counter(each.id for each in records).items() if times > 1]
    if repeated:
        raise UsageError(f"experiment {repeated[0]!r} is given twice: name each once")
    if baseline is None:
        return list(records)
    found = [each for each in records if each.id == baseline] or [
        each for each in records if each.name == baseline
    ]
    if len(found) != 1:
        named = ", ".join(f"{each.name} ({each.id})" for each in records)
        problem = "is not among" if not found else "names several of"
        raise UsageError(f"the baseline {baseline!r} {problem} the experiments: {named}")
    return [found[0], *(each for each in records if each is not found[0])]


def _notes(sides: Sequence[_Side]) -> list[str]:
    notes = []
    first = sides[0].record
    for side in sides[1:]:
        record, pairs = side.record, side.pairs
        if pairs is None:
            continue
        if (record.dataset_id, record.dataset_version) != (first.dataset_id, first.dataset_version):
            notes.append(
                f"{record.name} ran on dataset version {record.dataset_version}, the baseline on "
                f"{first.dataset_version}"
            )
        if not pairs.baseline:
            notes.append(f"{record.name} shares no sample with the baseline: nothing can be compared")
        elif pairs.only_baseline or pairs.only_candidate:
            notes.append(
                f"{record.name}: {len(pairs.baseline)} pairs; {len(pairs.only_candidate)} answers have no "
                f"partner in the baseline, {len(pairs.only_baseline)} of the baseline's have none here"
            )
        if pairs.changed:
            notes.append(f"{record.name}: {pairs.changed} samples have other pictures than in the baseline")
        lost = sum(
            isinstance(run.case.output, Failure) != isinstance(partner.case.output, Failure)
            for run, partner in zip(pairs.baseline, pairs.candidate, strict=True)
        )
        if lost:
            notes.append(
                f"{record.name}: {lost} pairs have an answer on one side only, and count in no metric"
            )
    return notes
