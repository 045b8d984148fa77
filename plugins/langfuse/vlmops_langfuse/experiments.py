"""Experiments on Langfuse: run by its own runner, and continued where they stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vlmops.concurrency import map_each
from vlmops.errors import PlatformError, SampleError
from vlmops.platforms.records import (
    ExperimentHeader,
    ExperimentPlan,
    ExperimentRecord,
    Progress,
    Run,
    ScoreTarget,
    TargetedScore,
)
from vlmops_langfuse.evaluation import LangfuseEvaluation
from vlmops_langfuse.evaluation_traces import EvaluationTraces
from vlmops_langfuse.experiment_rows import ExperimentRows, Row, head_of, recorded_version, run_metadata_of
from vlmops_langfuse.media import LangfuseMedia, resolved
from vlmops_langfuse.native_runner import NativeRunner
from vlmops_langfuse.runs import AnsweredItem, answered, failed, from_row, kept_name, plan_name, run_name
from vlmops_langfuse.score_bodies import set_score

if TYPE_CHECKING:
    from vlmops.datasets import Sample
    from vlmops.evaluators import Evaluator, SetScore
    from vlmops_langfuse.connection import LangfuseConnection
    from vlmops_langfuse.datasets import LangfuseDatasets
    from vlmops_langfuse.scores import LangfuseScores

Items = Mapping[str, tuple[Mapping[str, Any], "Sample"]]
"""Items and their samples by item id."""


class LangfuseExperiments:
    """Experiments of one Langfuse project."""

    def __init__(
        self,
        connection: LangfuseConnection,
        datasets: LangfuseDatasets,
        scores: LangfuseScores,
    ) -> None:
        self._connection = connection
        self._datasets = datasets
        self._scores = scores
        self._rows = ExperimentRows(connection)
        media = LangfuseMedia(connection)
        self._runner = NativeRunner(connection.settings, media)
        self._evaluation = LangfuseEvaluation(scores, self._runner, EvaluationTraces(self._runner, media))

    async def run(self, plan: ExperimentPlan, progress: Progress | None = None) -> ExperimentRecord:
        """Run or continue an experiment; its name in Langfuse is the plan's name with the key.

        Failed answers are kept as items marked with an error and a categorical score ``failure``; continuing
        answers those anew. Without a version, an experiment that is continued keeps the one it began with.
        Each repetition is a run of its own in Langfuse, and all are one record here, under the first's id.

        Raises:
            PlatformError: The dataset is not there or empty, or Langfuse lost answers or scores.
        """
        dataset = await self._datasets.require(plan.dataset)
        dataset_id = dataset["id"]
        names = [run_name(plan, repetition) for repetition in range(1, plan.repetitions + 1)]
        before = await map_each(names, lambda name: self._rows.of_run(name, dataset_id))
        known = max(map(recorded_version, before))
        version = plan.version or known or await self._datasets.present_version(dataset)
        items = await self._items(plan.dataset, version)
        done = [
            {k: row for k, row in rows.items() if k in items and answered(row) and not failed(row)}
            for rows in before
        ]
        board = _Progress(sum(map(len, done)), len(items) * len(names), progress)
        resumed = [
            answer
            for repetition, rows in enumerate(done, start=1)
            for answer in self._answers(rows, items, repetition)
        ]
        fresh: list[AnsweredItem] = []
        heads: list[Row] = []
        stopped = ""
        for repetition, (name, rows) in enumerate(zip(names, done, strict=True), start=1):
            missing = {key: found for key, found in items.items() if key not in rows}
            new, stopped = await self._runner.answer(plan, repetition, version, missing, board.advance)
            heads.append(head_of(await self._rows.arrived(name, dataset_id, new)))
            fresh += new
            if stopped:
                break
        answers = [*resumed, *fresh]
        results = await self._evaluation.results(answers, resumed, plan.evaluators)
        found = _Recorded(heads, plan.name, dataset_id, version, answers)
        return replace(await self._record(found, results, len(resumed)), stopped=stopped)

    async def evaluate(
        self, experiment_id: str, evaluators: Sequence[Evaluator], progress: Progress | None = None
    ) -> ExperimentRecord:
        """Score an experiment that has run, anyone's; scores of the same evaluator are replaced.

        Raises:
            PlatformError: There is no such experiment, or Langfuse did not keep every score.
        """
        found = await self._recorded(experiment_id)
        results = await self._evaluation.results(
            found.answers, found.answers, evaluators, again=True, progress=progress
        )
        return await self._record(found, results)

    async def read(self, experiment_id: str) -> ExperimentRecord:
        """An experiment that has run, anyone's. Why an evaluator failed, Langfuse does not keep.

        Raises:
            PlatformError: There is no such experiment.
        """
        found = await self._recorded(experiment_id)
        return await self._record(found, await self._evaluation.kept(found.answers))

    async def find(
        self, dataset: str, *, name: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> list[ExperimentHeader]:
        """Experiments on a dataset, newest first; ``name`` is the plan's, or the whole one with the key.

        Raises:
            PlatformError: There is no such dataset.
        """
        found = await self._datasets.require(dataset)
        planned = [
            (header, plan_name(header.name, header.metadata))
            for header in await self._rows.headers(found["id"])
            if header.fits(None, metadata)
        ]
        wanted = None if name is None else {name, kept_name(name)}
        return [
            replace(header, name=own)
            for header, own in planned
            if wanted is None or wanted & {header.name, own}
        ]

    async def write_set_scores(self, experiment_id: str, scores: Sequence[SetScore]) -> None:
        """Attach values of the whole run to the experiment, where Langfuse's table of experiments shows them.

        Raises:
            PlatformError: Langfuse did not keep every one.
        """
        target = ScoreTarget("run", experiment_id)
        report = await self._scores.write([TargetedScore(target, set_score(score)) for score in scores])
        if report.failures:
            raise PlatformError("; ".join(failure.message for failure in report.failures))

    def compare_url(self, experiments: Sequence[ExperimentRecord]) -> str:
        """Langfuse's comparison; the first experiment is the one the others are compared with."""
        first, *others = experiments
        return first.url + "".join(f"&c={quote(each.id, safe='')}" for each in others)

    async def flush(self) -> None:
        """Send what the SDK still holds."""
        await self._runner.flush()

    def _answers(self, rows: Mapping[str, Row], items: Items, repetition: int) -> list[AnsweredItem]:
        settings = self._connection.settings
        return [
            from_row(
                row,
                items[key][1] if key in items else None,
                lambda value: resolved(settings, value),
                repetition,
            )
            for key, row in rows.items()
            if answered(row)
        ]

    async def _items(self, name: str, version: str) -> Items:
        """Oldest first.

        Raises:
            PlatformError: There is none, or one cannot be read.
        """
        found = await self._datasets.items(name, version)
        if not found:
            raise PlatformError(f"dataset {name!r} has no active items at {version}: push some first")
        try:
            return {item["id"]: (item, self._datasets.sample(item)) for item in reversed(found)}
        except SampleError as error:
            raise PlatformError(str(error)) from error

    async def _items_by_id(self, dataset_id: str, version: str) -> Items:
        name = await self._datasets.name_of(dataset_id) if dataset_id else None
        return await self._items(name, version) if name and version else {}

    async def _recorded(self, experiment_id: str) -> _Recorded:
        """What Langfuse has of an experiment.

        Raises:
            PlatformError: Nothing.
        """
        repetitions = await self._rows.of_experiment(experiment_id)
        heads = [head_of(rows) for rows in repetitions]
        dataset_id = heads[0].get("experimentDatasetId") or ""
        version = max(map(recorded_version, repetitions))
        items = await self._items_by_id(dataset_id, version)
        answers = [
            answer
            for number, rows in enumerate(repetitions, start=1)
            for answer in self._answers(rows, items, number)
        ]
        name = plan_name(heads[0]["experimentName"], run_metadata_of(heads[0]))
        return _Recorded(heads, name, dataset_id, version, answers)

    async def _record(self, found: _Recorded, results: Sequence[Any], resumed: int = 0) -> ExperimentRecord:
        project = await self._connection.project_url()
        runs = [
            Run(answer.case, answer.repetition, result, answer.span.id, answer.span.trace_id)
            for answer, result in zip(found.answers, results, strict=True)
        ]
        first, *others = (quote(head["experimentId"], safe="") for head in found.heads)
        return ExperimentRecord(
            found.heads[0]["experimentId"],
            found.name,
            f"{project}/experiments/results?baseline={first}" + "".join(f"&c={other}" for other in others),
            found.dataset_id,
            found.version,
            runs,
            resumed,
            f"{project}/traces/{runs[0].trace_id}" if runs else None,
            run_metadata_of(found.heads[0]),
        )


@dataclass(frozen=True, slots=True)
class _Recorded:
    """An experiment as Langfuse has it: a row of each repetition's run, and all answers."""

    heads: Sequence[Row]
    name: str
    dataset_id: str
    version: str
    answers: Sequence[AnsweredItem]


class _Progress:
    """How far the answering is."""

    def __init__(self, done: int, total: int, progress: Progress | None) -> None:
        self._done = done
        self._total = total
        self._progress = progress

    def advance(self) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._total)
