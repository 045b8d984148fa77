"""Comparing experiments on the samples they share."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.blocking import blocking
from vlmops.errors import UsageError
from vlmops.evaluators import Failure, picture_clusters, slices_of
from vlmops.experiments.comparison.differences import corrected
from vlmops.experiments.comparison.metrics import MetricPairs, ScoreTable
from vlmops.experiments.comparison.operations import (
    Operated,
    PairedReadings,
    of_operation,
    operation_measures,
    operation_readings,
)
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
from vlmops.statistics.resampling import CONFIDENCE, Clusters, check_confidence

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import numpy as np

    from vlmops.evaluators import Direction, Evaluator, SetScore, SliceBy
    from vlmops.platforms.records import ExperimentRecord

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
        UsageError: There are none, one is given twice, the baseline is not among them, answers cannot be
            told apart by sample and repetition, or ``confidence`` is no level.
    """
    check_confidence(confidence)
    ordered = _baseline_first(records, baseline)
    pictures = {record.id: picture_clusters([run.case for run in record.runs]) for record in ordered}
    sides = [await _Side.of(record, ordered[0], evaluators, slices, pictures) for record in ordered]
    names = dict.fromkeys(name for side in sides for name in side.summary.slices)
    metrics: list[Measure] = []
    operations: list[Measure] = []
    for part in ("", *names):
        metrics += await _metrics(sides, part, evaluators, confidence)
        operations += _operations(sides, part, confidence)
    return Comparison(
        [side.variant for side in sides],
        _in_families(metrics, confidence),
        corrected(operations, confidence),
        list(names),
        confidence,
        _notes(sides),
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """One variant: its runs, its figures, and its pairs with the baseline.

    ``parts`` and ``pair_parts`` give the rows of each slice among runs and pairs; ``""`` is the whole.
    """

    record: ExperimentRecord
    summary: ExperimentSummary
    parts: Mapping[str, Array]
    pairs: Pairs | None
    pair_parts: Mapping[str, Array]
    scores: ScoreTable
    readings: Array
    pictures: Clusters
    samples: Clusters

    @classmethod
    async def of(
        cls,
        record: ExperimentRecord,
        baseline: ExperimentRecord,
        evaluators: Sequence[Evaluator],
        slices: Sequence[SliceBy],
        pictures: Mapping[str, Sequence[Hashable]],
    ) -> _Side:
        own, n = pictures[record.id], len(record.runs)
        pairs = None if record is baseline else paired_runs(baseline, record, (pictures[baseline.id], own))
        return cls(
            record,
            await summarise(record, evaluators, slices),
            _rows(n, slices_of([run.case for run in record.runs], slices)),
            pairs,
            {} if pairs is None else _pair_parts(pairs, slices),
            ScoreTable.of(record.runs),
            operation_readings(record.runs),
            Clusters.of(n, own),
            Clusters.of(n, [run.case.id for run in record.runs]),
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

    def rows(self, part: str) -> Array:
        import numpy as np

        return self.parts.get(part, np.empty(0, dtype=np.intp))

    def pair_rows(self, part: str) -> Array:
        import numpy as np

        return self.pair_parts.get(part, np.empty(0, dtype=np.intp))

    def figures(self, part: str) -> dict[str, SetScore]:
        found = self.summary if not part else self.summary.slices.get(part)
        return {score.name: score for score in found.scores} if found is not None else {}


def _rows(n: int, parts: Mapping[str, Sequence[int]]) -> dict[str, Array]:
    import numpy as np

    chosen = {name: np.array(positions, dtype=np.intp) for name, positions in parts.items()}
    return {"": np.arange(n), **chosen}


def _pair_parts(pairs: Pairs, slices: Sequence[SliceBy]) -> dict[str, Array]:
    """Pairs of each slice: a predicate that looks at answers must hold for both."""
    before = slices_of([run.case for run in pairs.baseline], slices)
    after = slices_of([run.case for run in pairs.candidate], slices)
    parts: dict[str, Sequence[int]] = {}
    for name, positions in before.items():
        there = set(after.get(name, ()))
        parts[name] = [at for at in positions if at in there]
    return _rows(len(pairs.baseline), parts)


def _in_families(metrics: Sequence[Measure], confidence: float) -> list[Measure]:
    """Corrected, what evaluators say of operations apart from how good answers are: it is told twice."""
    families = {
        apart: iter(corrected([each for each in metrics if of_operation(each.name) == apart], confidence))
        for apart in (False, True)
    }
    return [next(families[of_operation(each.name)]) for each in metrics]


async def _metrics(
    sides: Sequence[_Side], part: str, evaluators: Sequence[Evaluator], confidence: float
) -> list[Measure]:
    """Every metric that any side has in this part."""
    directions = _directions(sides, part)
    names = list(directions)
    first = sides[0].scores
    found = [await _differences(side, first, part, directions, evaluators, confidence) for side in sides]
    tables = [side.scores.chosen(names, side.rows(part)) for side in sides]
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
        for name, score in side.figures(part).items():
            if directions.get(name, "none") == "none":
                directions[name] = score.direction
    return directions


async def _differences(
    side: _Side,
    baseline: ScoreTable,
    part: str,
    directions: Mapping[str, Direction],
    evaluators: Sequence[Evaluator],
    confidence: float,
) -> dict[str, Difference]:
    if side.pairs is None:
        return {}
    positions = side.pair_rows(part)
    before, after = (
        table.chosen(list(directions), rows[positions])
        for table, rows in zip((baseline, side.scores), side.pairs.rows, strict=True)
    )
    pairs = MetricPairs(side.pairs, positions, before, after, directions)
    return await pairs.differences(evaluators, confidence)


def _kinds(
    sides: Sequence[_Side], part: str, names: Sequence[str], tables: Sequence[Array]
) -> dict[str, MeasureKind]:
    """What each value is: a mean of what single answers were given, or more than that."""
    import math

    import numpy as np

    passes = {name for side in sides for name in side.scores.named_passes(side.rows(part))}
    kinds: dict[str, MeasureKind] = {}
    for at, name in enumerate(names):
        means = [
            (float(np.nanmean(table[:, at])), side.figures(part)[name].value)
            for side, table in zip(sides, tables, strict=True)
            if name in side.figures(part) and np.isfinite(table[:, at]).any()
        ]
        plain = bool(means) and all(math.isclose(mean, value, abs_tol=1e-12) for mean, value in means)
        kinds[name] = "corpus" if not plain else "rate" if name in passes else "mean"
    return kinds


def _variant_value(
    side: _Side, part: str, name: str, column: Array, difference: Difference | None
) -> VariantValue:
    import math

    import numpy as np

    score = side.figures(part).get(name)
    identity = side.record.id
    if score is None:
        return VariantValue(identity, math.nan, 0, 0, None, None, difference)
    known = np.isfinite(column)
    samples = None if side.samples.single else side.samples.chosen(side.rows(part)[known])
    return VariantValue(
        identity,
        score.value,
        score.n,
        score.failures,
        score.interval,
        None if samples is None else variance_components(column[known], samples),
        difference,
    )


def _operations(sides: Sequence[_Side], part: str, confidence: float) -> list[Measure]:
    first = sides[0].readings
    return operation_measures([_operated(side, first, part) for side in sides], part, confidence)


def _operated(side: _Side, baseline: Array, part: str) -> Operated:
    rows, pairs, positions = side.rows(part), side.pairs, side.pair_rows(part)
    return Operated(
        side.record.id,
        side.readings[rows],
        side.pictures.chosen(rows),
        side.samples.chosen(rows),
        None
        if pairs is None
        else PairedReadings(
            baseline[pairs.rows[0][positions]],
            side.readings[pairs.rows[1][positions]],
            pairs.clusters.chosen(positions),
        ),
    )


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
