"""Experiments on Langfuse: run by its own runner, and continued where they stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vlmops.errors import PlatformError, SampleError, UsageError
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
from vlmops_langfuse.executions import parsed
from vlmops_langfuse.media import LangfuseMedia, resolved
from vlmops_langfuse.native_runner import NativeRunner
from vlmops_langfuse.runs import VERSION_KEY, AnsweredItem, failed, from_row, plan_name, run_name
from vlmops_langfuse.score_bodies import set_score
from vlmops_langfuse.waiting import until

if TYPE_CHECKING:
    from vlmops.datasets import Sample
    from vlmops.evaluators import Evaluator, SetScore
    from vlmops_langfuse.connection import LangfuseConnection
    from vlmops_langfuse.datasets import LangfuseDatasets
    from vlmops_langfuse.scores import LangfuseScores

_SINCE = "2023-01-01T00:00:00.000Z"
_FIELDS = "core,dataset,io,experimentMetadata"
_PAGE = 100

Row = Mapping[str, Any]


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
        self._runner = NativeRunner(connection.settings, LangfuseMedia(connection))
        self._evaluation = LangfuseEvaluation(scores, self._runner)

    async def run(self, plan: ExperimentPlan, progress: Progress | None = None) -> ExperimentRecord:
        """Run or continue an experiment; its name in Langfuse is the plan's name with the key.

        Failed answers are kept as items marked with an error and a categorical score ``failure``; continuing
        answers those anew. Without a version, an experiment that is continued keeps the one it began with.

        Raises:
            UsageError: Repetitions are asked for, which Langfuse would show as one.
            PlatformError: The dataset is not there or empty, or Langfuse lost answers or scores.
        """
        if plan.repetitions > 1:
            raise UsageError(
                "Langfuse keeps one answer a sample in an experiment: instead of repetitions, run it several "
                "times under names of their own"
            )
        dataset = await self._datasets.require(plan.dataset)
        conditions = [_is("experimentName", run_name(plan)), _is("datasetId", dataset["id"])]
        before = await self._rows(conditions)
        version = plan.version or _recorded_version(before) or await self._datasets.present_version(dataset)
        items = await self._items(plan.dataset, version)
        answered = {key: row for key, row in before.items() if key in items and not failed(row)}
        missing = {key: found for key, found in items.items() if key not in answered}
        board = _Progress(len(answered), len(items), progress)
        fresh = await self._runner.answer(plan, version, missing, board.advance) if missing else []
        rows = await self._arrived(conditions, fresh)
        resumed = [from_row(row, items[key][1], self._resolve) for key, row in answered.items()]
        results = await self._evaluation.results([*resumed, *fresh], resumed, plan.evaluators)
        head = next(iter(rows.values()))
        return await self._record(
            head, plan.name, dataset["id"], version, [*resumed, *fresh], results, len(resumed)
        )

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
        return await self._record_of(found, results)

    async def read(self, experiment_id: str) -> ExperimentRecord:
        """An experiment that has run, anyone's. Why an evaluator failed, Langfuse does not keep.

        Raises:
            PlatformError: There is no such experiment.
        """
        found = await self._recorded(experiment_id)
        return await self._record_of(found, await self._evaluation.kept(found.answers))

    async def find(
        self, dataset: str, *, name: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> list[ExperimentHeader]:
        """Experiments on a dataset, newest first; ``name`` is the plan's, or the whole one with the key.

        Raises:
            PlatformError: There is no such dataset.
        """
        found = await self._datasets.require(dataset)
        params = {
            "fromStartTime": _SINCE,
            "fields": "core,metadata",
            "limit": _PAGE,
            "filter": json.dumps([_is("datasetId", found["id"])]),
        }
        headers = []
        async for rows in self._connection.cursor_pages("/api/public/experiments", params):
            headers += [_header(row) for row in rows]
        fitting = [
            header
            for header in headers
            if header.fits(None, metadata) and name in (None, header.name, plan_name(header.name))
        ]
        return sorted(fitting, key=lambda header: header.created_at, reverse=True)

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

    def _resolve(self, value: Any) -> Any:
        return resolved(self._connection.settings, value)

    async def _rows(self, conditions: Sequence[Mapping[str, Any]]) -> dict[str, Row]:
        """The newest row of each item, by item id."""
        params = {
            "fromStartTime": _SINCE,
            "fields": _FIELDS,
            "limit": _PAGE,
            "filter": json.dumps(list(conditions)),
        }
        newest: dict[str, Row] = {}
        async for rows in self._connection.cursor_pages("/api/public/experiment-items", params):
            for row in rows:
                newest.setdefault(row["experimentItemId"], row)
        return newest

    async def _arrived(
        self, conditions: Sequence[Mapping[str, Any]], fresh: Sequence[AnsweredItem]
    ) -> Mapping[str, Row]:
        """Wait until Langfuse shows every answer: the SDK drops what it cannot send, and says nothing.

        Raises:
            PlatformError: Some never arrived.
        """
        rows: dict[str, Row] = {}
        wanted = {answered.span.id for answered in fresh}

        async def all_there() -> bool:
            rows.clear()
            rows.update(await self._rows(conditions))
            return bool(rows) and wanted <= {row["id"] for row in rows.values()}

        if not await until(all_there, self._connection.settings.visible_within):
            lost = len(wanted - {row["id"] for row in rows.values()})
            raise PlatformError(
                f"{lost} of {len(wanted)} answers did not arrive at Langfuse: see the SDK's log, check "
                "LANGFUSE_TRACING_ENABLED and the size of the answers; run it again to continue"
            )
        return rows

    async def _items(self, name: str, version: str) -> dict[str, tuple[Mapping[str, Any], Sample]]:
        """Items and their samples by item id, oldest first.

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

    async def _items_by_id(
        self, dataset_id: str, version: str
    ) -> dict[str, tuple[Mapping[str, Any], Sample]]:
        name = await self._datasets.name_of(dataset_id) if dataset_id else None
        return await self._items(name, version) if name and version else {}

    async def _recorded(self, experiment_id: str) -> _Recorded:
        """What Langfuse has of an experiment.

        Raises:
            PlatformError: Nothing.
        """
        rows = await self._rows([_is("experimentId", experiment_id)])
        if not rows:
            raise PlatformError(
                f"Langfuse at {self._connection.settings.url} has no experiment {experiment_id!r}"
            )
        head = next(iter(rows.values()))
        dataset_id = head.get("experimentDatasetId") or ""
        version = _recorded_version(rows)
        items = await self._items_by_id(dataset_id, version)
        answers = [
            from_row(row, items[key][1] if key in items else None, self._resolve) for key, row in rows.items()
        ]
        return _Recorded(head, dataset_id, version, answers)

    async def _record_of(self, found: _Recorded, results: Sequence[Any]) -> ExperimentRecord:
        name = found.head["experimentName"]
        return await self._record(
            found.head, name, found.dataset_id, found.version, found.answers, results, 0
        )

    async def _record(
        self,
        head: Row,
        name: str,
        dataset_id: str,
        version: str,
        answers: Sequence[AnsweredItem],
        results: Sequence[Any],
        resumed: int,
    ) -> ExperimentRecord:
        project = await self._connection.project_url()
        runs = [
            Run(answered.case, 1, result, answered.span.id, answered.span.trace_id)
            for answered, result in zip(answers, results, strict=True)
        ]
        experiment_id = head["experimentId"]
        return ExperimentRecord(
            experiment_id,
            name,
            f"{project}/experiments/results?baseline={quote(experiment_id, safe='')}",
            dataset_id,
            version,
            runs,
            resumed,
            f"{project}/traces/{runs[0].trace_id}" if runs else None,
            _metadata(head),
        )


@dataclass(frozen=True, slots=True)
class _Recorded:
    """An experiment as Langfuse has it: one of its rows, and its answers."""

    head: Row
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


def _is(column: str, value: str) -> dict[str, str]:
    return {"type": "string", "column": column, "operator": "=", "value": value}


def _recorded_version(rows: Mapping[str, Row]) -> str:
    """The dataset version that the items of an experiment name; SDK 4 leaves it to the run's metadata."""
    noted = (row.get("experimentItemVersion") or _metadata(row).get(VERSION_KEY) for row in rows.values())
    return max((str(version) for version in noted if version), default="")


def _header(row: Row) -> ExperimentHeader:
    return ExperimentHeader(
        row["id"], row["name"], datetime.fromisoformat(row["startTime"]), _texts(row.get("metadata"))
    )


def _metadata(row: Row) -> dict[str, Any]:
    return _texts(row.get("experimentMetadata"))


def _texts(found: Any) -> dict[str, Any]:
    """The run's metadata; SDK 5 puts each text into JSON quotes."""
    return {key: parsed(value) for key, value in found.items()} if isinstance(found, Mapping) else {}
