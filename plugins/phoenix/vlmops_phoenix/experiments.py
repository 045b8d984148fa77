"""Experiments on Phoenix: its own experiments, runs and evaluations, so that its compare grid shows them.

Runs and evaluations are written one by one as they come, so an interrupted experiment is continued by asking
Phoenix which runs are missing. Answers and evaluations happen on our side, many at once; the client's
ready-made runner sends every span from the event loop, which stalls concurrent answers.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vlmops.concurrency import for_each, map_each
from vlmops.datasets import Sample
from vlmops.errors import SampleError
from vlmops.evaluators import (
    Evaluator,
    Failure,
    FailureKind,
    Score,
    SetScore,
    annotator_of,
    applies,
    evaluate_in_thread,
)
from vlmops.evaluators.settings import settings_of
from vlmops.images import images_in
from vlmops.models import ModelCall, ModelReply, recorded_calls
from vlmops.platforms.answering import answer_each, answered
from vlmops.platforms.records import (
    ExperimentHeader,
    ExperimentPlan,
    ExperimentRecord,
    Progress,
    Run,
)
from vlmops_phoenix.connection import CONFLICT, PhoenixRefusal
from vlmops_phoenix.examples import from_example
from vlmops_phoenix.run_traces import EvaluationTrace, RunTraces
from vlmops_phoenix.runs import (
    as_run,
    evaluated_by,
    spent,
    to_error,
    to_evaluation,
    to_failed_output,
    to_output,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from vlmops_phoenix.connection import PhoenixConnection
    from vlmops_phoenix.datasets import PhoenixDatasets
    from vlmops_phoenix.pictures import PhoenixPictures

_KEY = "vlmops_key"
_EVALUATION_CONCURRENCY = 8


class PhoenixExperiments:
    """Experiments of one Phoenix."""

    def __init__(
        self, connection: PhoenixConnection, pictures: PhoenixPictures, datasets: PhoenixDatasets
    ) -> None:
        self._connection = connection
        self._pictures = pictures
        self._datasets = datasets

    async def run(self, plan: ExperimentPlan, progress: Progress | None = None) -> ExperimentRecord:
        """Run or continue an experiment."""
        dataset = await self._datasets.require(plan.dataset)
        experiment = await self._find(dataset["id"], plan.key) or await self._create(dataset["id"], plan)
        present = experiment["successful_run_count"]
        total = experiment["example_count"] * experiment["repetitions"]
        board = _Board(done=present, total=total, progress=progress)
        traces = self._traces(experiment)
        try:
            stopped = await self._answer_missing(experiment, plan, traces, board)
            await self._evaluate_missing(experiment, plan.evaluators, traces)
        finally:
            await asyncio.to_thread(traces.close)
        return replace(await self._record(experiment["id"], resumed=present), stopped=stopped)

    async def evaluate(
        self, experiment_id: str, evaluators: Sequence[Evaluator], progress: Progress | None = None
    ) -> ExperimentRecord:
        """Score every run of an experiment anew; scores of the same name are replaced."""
        experiment = await self._experiment(experiment_id)
        traces = self._traces(experiment)
        try:
            await self._evaluate_missing(experiment, evaluators, traces, again=True, progress=progress)
        finally:
            await asyncio.to_thread(traces.close)
        return await self._record(experiment_id)

    async def write_set_scores(self, experiment_id: str, scores: Sequence[SetScore]) -> None:
        """Phoenix has no scores of a whole experiment: they are kept in its metadata, shown in its table."""
        experiment = await self._experiment(experiment_id)
        metadata = dict(experiment["metadata"] or {})
        metadata["scores"] = {**metadata.get("scores", {}), **{s.name: _set_score(s) for s in scores}}
        await self._connection.patch(f"/v1/experiments/{experiment_id}", {"metadata": metadata})

    async def read(self, experiment_id: str) -> ExperimentRecord:
        """An experiment that has run, anyone's.

        Raises:
            PlatformError: There is no such experiment.
        """
        return await self._record(experiment_id)

    async def find(
        self, dataset: str, *, name: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> list[ExperimentHeader]:
        """Experiments on a dataset, newest first.

        Raises:
            PlatformError: There is no such dataset.
        """
        found = await self._datasets.require(dataset)
        headers = [
            ExperimentHeader(
                each["id"],
                each["name"],
                datetime.fromisoformat(each["created_at"]),
                each["metadata"] or {},
            )
            async for each in self._connection.pages(f"/v1/datasets/{found['id']}/experiments")
        ]
        fitting = [header for header in headers if header.fits(name, metadata)]
        return sorted(fitting, key=lambda header: header.created_at, reverse=True)

    async def _record(self, experiment_id: str, resumed: int = 0) -> ExperimentRecord:
        experiment = await self._experiment(experiment_id)
        runs = [run async for _, run in self._runs(experiment)]
        trace = next((run.trace_id for run in runs if run.trace_id), None)
        return ExperimentRecord(
            experiment_id,
            experiment["name"],
            self._url(experiment["dataset_id"], [experiment_id]),
            experiment["dataset_id"],
            experiment["dataset_version_id"],
            runs,
            resumed,
            f"{self._connection.settings.url}/redirects/traces/{trace}" if trace else None,
            experiment["metadata"] or {},
        )

    def compare_url(self, experiments: Sequence[ExperimentRecord]) -> str:
        """The compare grid; the first experiment is the one the others are compared with."""
        return self._url(experiments[0].dataset_id, [experiment.id for experiment in experiments])

    def _url(self, dataset_id: str, experiment_ids: Sequence[str]) -> str:
        chosen = "&".join(f"experimentId={quote(experiment, safe='')}" for experiment in experiment_ids)
        return f"{self._connection.settings.url}/datasets/{quote(dataset_id, safe='')}/compare?{chosen}"

    def _traces(self, experiment: Mapping[str, Any]) -> RunTraces:
        project = experiment["project_name"] or self._connection.settings.project
        return RunTraces(self._connection.settings, project, self._pictures.url_of)

    async def _find(self, dataset_id: str, key: str) -> dict[str, Any] | None:
        """The experiment of that key; of several (two processes began at once) the oldest."""
        found: dict[str, Any] | None = None
        async for experiment in self._connection.pages(f"/v1/datasets/{dataset_id}/experiments"):
            if (experiment["metadata"] or {}).get(_KEY) == key:
                found = experiment
        return found

    async def _create(self, dataset_id: str, plan: ExperimentPlan) -> dict[str, Any]:
        body = {
            "name": plan.name,
            "description": plan.description or None,
            "metadata": {**plan.metadata, _KEY: plan.key},
            "version_id": plan.version,
            "repetitions": plan.repetitions,
        }
        answer = await self._connection.post(f"/v1/datasets/{dataset_id}/experiments", body)
        experiment: dict[str, Any] = answer["data"]
        return experiment

    async def _experiment(self, experiment_id: str) -> dict[str, Any]:
        answer = await self._connection.get(f"/v1/experiments/{experiment_id}")
        experiment: dict[str, Any] = answer["data"]
        return experiment

    async def _answer_missing(
        self, experiment: Mapping[str, Any], plan: ExperimentPlan, traces: RunTraces, board: _Board
    ) -> str:
        """Answer what has no successful answer yet; gives why it was stopped early, if it was."""

        async def one(missing: tuple[Mapping[str, Any], int]) -> None:
            await self._answer(experiment["id"], plan, traces, *missing)
            board.advance()

        return await answer_each(self._incomplete(experiment["id"]), one, limit=plan.concurrency)

    async def _incomplete(self, experiment_id: str) -> AsyncIterator[tuple[Mapping[str, Any], int]]:
        path = f"/v1/experiments/{experiment_id}/incomplete-runs"
        async for entry in self._connection.pages(path, {"limit": 100}):
            for repetition in entry["repetition_numbers"]:
                yield entry["dataset_example"], repetition

    async def _answer(
        self,
        experiment_id: str,
        plan: ExperimentPlan,
        traces: RunTraces,
        example: Mapping[str, Any],
        repetition: int,
    ) -> None:
        sample, damage = self._sample(example)
        started = datetime.now(UTC)
        with traces.answer(plan.name, sample) as trace:
            with recorded_calls() as calls:
                answer = damage or await answered(plan, sample, repetition)
            ended = datetime.now(UTC)
            await self._keep_asked(calls, sample)
            if isinstance(answer, ModelReply):
                started = _asked_at(answer, started, ended)
                await map_each(images_in(answer.output), self._pictures.keep)
            trace.close(answer, calls)
        failed = isinstance(answer, Failure)
        body = {
            "dataset_example_id": example.get("node_id") or example["id"],
            "output": to_failed_output(answer)
            if isinstance(answer, Failure)
            else to_output(answer, sample.inputs, self._pictures.url_of),
            "repetition_number": repetition,
            "start_time": started.isoformat(),
            "end_time": ended.isoformat(),
            "trace_id": trace.trace_id,
            **({"error": to_error(answer)} if isinstance(answer, Failure) else {}),
        }
        try:
            await self._connection.post(f"/v1/experiments/{experiment_id}/runs", body)
        except PhoenixRefusal as error:
            # Another process that continues the same experiment was faster: its answer stands.
            if failed or error.status != CONFLICT:
                raise

    async def _evaluate_missing(
        self,
        experiment: Mapping[str, Any],
        evaluators: Sequence[Evaluator],
        traces: RunTraces,
        *,
        again: bool = False,
        progress: Progress | None = None,
    ) -> None:
        pending = [
            (run, evaluator)
            async for record, run in self._runs(experiment)
            for evaluator in evaluators
            if not isinstance(run.case.output, Failure)
            and applies(evaluator, run.case)
            and (again or not evaluated_by(record["annotations"], evaluator.name, settings_of(evaluator)))
        ]
        board = _Board(0, len(pending), progress)

        async def one(pair: tuple[Run, Evaluator]) -> None:
            await self._evaluate(*pair, traces)
            board.advance()

        await for_each(pending, one, limit=_EVALUATION_CONCURRENCY)

    async def _evaluate(self, run: Run, evaluator: Evaluator, traces: RunTraces) -> None:
        started = datetime.now(UTC)
        with traces.evaluation(evaluator.name, run.case) as trace:
            with recorded_calls() as calls:
                result = await evaluate_in_thread(evaluator, run.case)
            await self._record_calls(calls, trace)
            failed = to_error(result) if isinstance(result, Failure) else None
            scores = [] if isinstance(result, Failure) else result if isinstance(result, list) else [result]
            trace.close(
                [{"name": s.name, "value": s.value, "explanation": s.explanation} for s in scores], failed
            )
        common = {
            "experiment_run_id": run.id,
            "annotator_kind": annotator_of(evaluator),
            "start_time": started.isoformat(),
            "end_time": datetime.now(UTC).isoformat(),
            "trace_id": trace.trace_id,
        }
        for score in scores:
            await self._write_score(score, evaluator, len(scores), common)
        if isinstance(result, Failure):
            # An answer that could not be used is paid for, too.
            note = {"vlmops": {"evaluator": evaluator.name, "parts": 1, **spent(result.usage)}}
            body = {**common, "name": evaluator.name, "result": None, "error": failed, "metadata": note}
            await self._connection.post("/v1/experiment_evaluations", body)

    async def _keep_asked(self, calls: Sequence[ModelCall], sample: Sample) -> None:
        """Store pictures of calls that are none of the sample's: those are stored."""
        stored = {id(image) for image in images_in(sample.inputs)}
        new = [image for call in calls for image in call.request.pictures if id(image) not in stored]
        await map_each(new, self._pictures.keep)

    async def _record_calls(self, calls: Sequence[ModelCall], trace: EvaluationTrace) -> None:
        """Show what judges were asked; their pictures (scaled, cut out) may be none of the dataset's."""
        for call in calls:
            await map_each(call.request.pictures, self._pictures.keep)
            trace.call(call)

    async def _write_score(
        self, score: Score, evaluator: Evaluator, parts: int, common: Mapping[str, Any]
    ) -> None:
        body = {**common, **to_evaluation(score, evaluator.name, parts, settings_of(evaluator))}
        if score.evidence is not None:
            await self._pictures.keep(score.evidence)
            body["metadata"]["evidence"] = self._pictures.url_of(score.evidence)
        await self._connection.post("/v1/experiment_evaluations", body)

    async def _runs(self, experiment: Mapping[str, Any]) -> AsyncIterator[tuple[Mapping[str, Any], Run]]:
        """Every run as Phoenix has it, and as it means to us."""
        samples = await self._samples(experiment)
        records = await self._connection.get(f"/v1/experiments/{experiment['id']}/json")
        ids = {
            (run["dataset_example_id"], run["repetition_number"]): run["id"]
            async for run in self._connection.pages(
                f"/v1/experiments/{experiment['id']}/runs", {"limit": 500}
            )
        }
        for record in records or []:
            sample = samples.get(record["example_id"])
            if sample is None:
                continue
            run = as_run(record, sample, self._pictures.restore)
            key = (record["example_id"], record["repetition_number"])
            yield record, Run(run.case, run.repetition, run.results, ids.get(key, ""), run.trace_id)

    async def _samples(self, experiment: Mapping[str, Any]) -> dict[str, Sample]:
        examples = await self._datasets.examples(experiment["dataset_id"], experiment["dataset_version_id"])
        return {example.get("node_id") or example["id"]: self._sample(example)[0] for example in examples}

    def _sample(self, example: Mapping[str, Any]) -> tuple[Sample, Failure | None]:
        """The example's sample; one that cannot be read costs its own runs, and has nothing but its id."""
        try:
            return from_example(example, self._pictures.restore), None
        except SampleError as error:
            return Sample(str(example["id"]), {}), Failure(FailureKind.TASK_ERROR, str(error))


@dataclass
class _Board:
    """How far the work is."""

    done: int
    total: int
    progress: Progress | None
    _told: int = field(default=-1, init=False)

    def advance(self) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.total)


def _asked_at(reply: ModelReply, started: datetime, ended: datetime) -> datetime:
    """When the model was asked: time spent waiting for a free local worker is not the model's latency."""
    return started if reply.latency is None else max(started, ended - timedelta(seconds=reply.latency))


def _set_score(score: SetScore) -> dict[str, Any]:
    value = score.value if math.isfinite(score.value) else None
    shown: dict[str, Any] = {"value": value, "n": score.n, "failures": score.failures}
    if score.interval is not None:
        shown |= {
            "low": score.interval.low,
            "high": score.interval.high,
            "confidence": score.interval.confidence,
        }
    return shown
