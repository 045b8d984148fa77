"""Metrics of two experiments on their pairs: means of single scores, and values of whole sets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.evaluators import Failure, SetEvaluator, applies
from vlmops.experiments.comparison.differences import difference
from vlmops.experiments.summary import over_set
from vlmops.statistics import paired_differences, recorded_resamples, resampled_difference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from vlmops.evaluators import Direction, Evaluator, SetScore
    from vlmops.experiments.comparison.pairing import Pairs
    from vlmops.experiments.comparison.result import Difference
    from vlmops.platforms.records import Run
    from vlmops.statistics import ResamplingRecord

    Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """The scores of an experiment's answers: numbers and passes, labels left out.

    Attributes:
        column: Where each name's scores stand.
        values: A row a run, a column a name; NaN where there is none.
        passes: Which of them are pass or fail.
    """

    column: Mapping[str, int]
    values: Array
    passes: Array

    @classmethod
    def of(cls, runs: Sequence[Run]) -> ScoreTable:
        """The scores of these runs; of several under one name the last."""
        import numpy as np

        column: dict[str, int] = {}
        rows: list[int] = []
        columns: list[int] = []
        found: list[float | bool] = []
        for row, run in enumerate(runs):
            for result in run.results:
                if not isinstance(result, Failure) and not isinstance(result.value, str):
                    rows.append(row)
                    columns.append(column.setdefault(result.name, len(column)))
                    found.append(result.value)
        values = np.full((len(runs), len(column)), math.nan)
        passes = np.zeros(values.shape, dtype=bool)
        values[rows, columns] = np.array(found, dtype=float)
        passes[rows, columns] = [isinstance(value, bool) for value in found]
        return cls(column, values, passes)

    def chosen(self, names: Sequence[str], rows: Array) -> Array:
        """The scores under some names of some runs; a name that nobody has is a column of NaN."""
        import numpy as np

        table = np.full((len(rows), len(names)), math.nan)
        for at, name in enumerate(names):
            if name in self.column:
                table[:, at] = self.values[rows, self.column[name]]
        return table

    def named_passes(self, rows: Array) -> set[str]:
        """The names under which some of these runs have a pass or fail."""
        return {name for name, at in self.column.items() if self.passes[rows, at].any()}


@dataclass(frozen=True, slots=True)
class MetricPairs:
    """The scores of both sides of some pairs.

    Attributes:
        pairs: The pairs.
        positions: Which of them are looked at (a slice).
        before: The baseline's scores of these, a column a name.
        after: The candidate's.
        directions: The metrics, by name.
    """

    pairs: Pairs
    positions: Array
    before: Array
    after: Array
    directions: Mapping[str, Direction]

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return list(self.directions)

    async def differences(self, evaluators: Sequence[Evaluator], confidence: float) -> dict[str, Difference]:
        """The difference of every metric; of the whole set's value where the metric has one."""
        found = self._of_means(confidence)
        for evaluator in evaluators:
            if isinstance(evaluator, SetEvaluator):
                found |= await self._of_sets(evaluator, confidence)
        return found

    def _of_means(self, confidence: float) -> dict[str, Difference]:
        clusters = self.pairs.clusters.chosen(self.positions)
        parts = paired_differences(self.before, self.after, clusters=clusters, confidence=confidence)
        return {
            name: difference(part, self.before[:, at], self.after[:, at], direction, confidence)
            for at, ((name, direction), part) in enumerate(zip(self.directions.items(), parts, strict=True))
        }

    async def _of_sets(self, evaluator: SetEvaluator, confidence: float) -> dict[str, Difference]:
        applicable = [at for at in self.positions.tolist() if self._applies(evaluator, at)]
        usable = [at for at in applicable if self._usable(evaluator, at)]
        if len(usable) == len(applicable):
            return await self._over(evaluator, usable, confidence)
        # To some metrics a failed answer is a value like any other; the rest is had without them.
        complete = await self._over(evaluator, applicable, confidence, complete=True)
        return {**await self._over(evaluator, usable, confidence), **complete}

    async def _over(
        self, evaluator: SetEvaluator, positions: Sequence[int], confidence: float, *, complete: bool = False
    ) -> dict[str, Difference]:
        """Differences over these pairs; with ``complete`` only those that no answer is left out of."""
        if not positions:
            return {}
        with recorded_resamples() as record:
            before = await over_set(evaluator, [self.pairs.baseline[at].case for at in positions])
            after = await over_set(evaluator, [self.pairs.candidate[at].case for at in positions])
        ours = {score.name: score for score in before}
        return {
            score.name: self._of_one(ours[score.name], score, record, len(positions), confidence)
            for score in after
            if score.name in ours
            and ours[score.name].n
            and score.n
            and not (complete and (score.failures or ours[score.name].failures))
            and not self._is_mean(ours, score)
        }

    def _of_one(
        self, before: SetScore, after: SetScore, record: ResamplingRecord, pairs: int, confidence: float
    ) -> Difference:
        first, second = record.behind(before.interval), record.behind(after.interval)
        behind = (first, second) if first is not None and second is not None else None
        paired = resampled_difference(before.value, after.value, behind, pairs, confidence)
        note = "" if paired.interval is not None else _why_not(behind is not None)
        values = self._columns(after.name)
        return difference(paired, *values, after.direction, confidence, note)

    def _columns(self, name: str) -> tuple[Array, Array]:
        import numpy as np

        if name not in self.directions:
            return np.empty(0), np.empty(0)
        at = self.names.index(name)
        return self.before[:, at], self.after[:, at]

    def _is_mean(self, before: Mapping[str, SetScore], after: SetScore) -> bool:
        """Whether the set's value is but the mean of its scores: single scores then allow an exact test."""
        import numpy as np

        columns = self._columns(after.name)
        both = np.isfinite(columns[0]) & np.isfinite(columns[1]) if len(columns[0]) else np.zeros(0, bool)
        return bool(both.any()) and all(
            math.isclose(float(column[both].mean()), score.value, rel_tol=1e-9, abs_tol=1e-12)
            for column, score in zip(columns, (before[after.name], after), strict=True)
        )

    def _applies(self, evaluator: SetEvaluator, at: int) -> bool:
        both = (self.pairs.baseline[at], self.pairs.candidate[at])
        return all(applies(evaluator, run.case) for run in both)

    def _usable(self, evaluator: SetEvaluator, at: int) -> bool:
        return all(
            not isinstance(run.case.output, Failure)
            and not any(isinstance(r, Failure) and r.evaluator == evaluator.name for r in run.results)
            for run in (self.pairs.baseline[at], self.pairs.candidate[at])
        )


def _why_not(resampled: bool) -> str:
    if resampled:
        return "the metric could be computed for other pictures in one than in the other"
    return "the metric offers no resampling"
