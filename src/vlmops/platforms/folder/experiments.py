"""Experiments in a results folder: answers and scores as JSON lines, written as they come."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from vlmops.errors import ImageError, MediaError, PlatformError
from vlmops.evaluators import Evaluator, Failure, FailureKind, SetScore, applies, evaluate_each
from vlmops.evaluators.settings import settings_of
from vlmops.platforms.answering import answer_each, answered
from vlmops.platforms.folder.json_lines import LineWriter, write_whole
from vlmops.platforms.folder.lock import exclusively
from vlmops.platforms.folder.run_lines import answer_line, result_line
from vlmops.platforms.folder.run_log import ANSWERS, SCORES, RunLog, Spot
from vlmops.platforms.records import ExperimentHeader, ExperimentPlan, ExperimentRecord, Progress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vlmops.datasets import Sample
    from vlmops.evaluators.evaluator import Result
    from vlmops.models import ModelReply
    from vlmops.platforms.folder.datasets import FolderDatasets
    from vlmops.platforms.folder.pictures import FolderPictures
    from vlmops.platforms.folder.run_lines import Plain

_HEADER = "experiment.json"
_KEPT_NAME = 60
_EVALUATION_CONCURRENCY = 8


class FolderExperiments:
    """Experiments below ``experiments/`` of a results folder.

    Args:
        root: The results folder.
        datasets: Its datasets.
        pictures: Its pictures.
    """

    def __init__(self, root: Path, datasets: FolderDatasets, pictures: FolderPictures) -> None:
        self._root = root / "experiments"
        self._datasets = datasets
        self._pictures = pictures

    async def run(self, plan: ExperimentPlan, progress: Progress | None = None) -> ExperimentRecord:
        """Run or continue an experiment.

        Raises:
            PlatformError: The dataset is not there, or another process runs the same experiment.
        """
        folder = await self._begun(plan)
        with exclusively(folder, f"experiment {plan.name!r}"):
            header = _header(folder)
            samples = await self._samples(header)
            log = RunLog(folder, samples, self._pictures)
            wanted = [Spot(sample_id, r) for sample_id in samples for r in range(1, plan.repetitions + 1)]
            missing = [spot for spot in wanted if not log.succeeded(spot)]
            board = _Board(len(wanted) - len(missing), len(wanted), progress)
            stopped = await self._answer(plan, folder, log, missing, board)
            await self._evaluate(folder, log, plan.evaluators)
            return self._record(folder, header, log, len(wanted) - len(missing), stopped)

    async def evaluate(
        self, experiment_id: str, evaluators: Sequence[Evaluator], progress: Progress | None = None
    ) -> ExperimentRecord:
        """Score every answer anew.

        Raises:
            PlatformError: There is no such experiment.
        """
        folder = self._require(experiment_id)
        with exclusively(folder, f"experiment {experiment_id!r}"):
            log = await self._log(folder)
            await self._evaluate(folder, log, evaluators, again=True, progress=progress)
            return self._record(folder, _header(folder), log)

    async def read(self, experiment_id: str) -> ExperimentRecord:
        """The experiment as it stands.

        Raises:
            PlatformError: There is no such experiment.
        """
        folder = self._require(experiment_id)
        return self._record(folder, _header(folder), await self._log(folder))

    async def find(
        self, dataset: str, *, name: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> Sequence[ExperimentHeader]:
        """Experiments of a dataset, newest first.

        Raises:
            PlatformError: There is no such dataset.
        """
        await self._datasets.newest(dataset)
        found = [_header(file.parent) for file in self._root.glob(f"*/{_HEADER}")]
        headers = [
            ExperimentHeader(
                each["id"], each["name"], datetime.fromisoformat(each["created"]), each["metadata"]
            )
            for each in found
            if each["dataset"] == dataset
        ]
        headers.sort(key=lambda header: header.created_at, reverse=True)
        return [header for header in headers if header.fits(name, metadata)]

    async def write_set_scores(self, experiment_id: str, scores: Sequence[SetScore]) -> None:
        """Keep values of the whole run in the experiment's header."""
        folder = self._require(experiment_id)
        header = _header(folder)
        shown = {score.name: _set_score(score) for score in scores}
        _write_header(folder, {**header, "scores": {**header.get("scores", {}), **shown}})

    def compare_url(self, experiments: Sequence[ExperimentRecord]) -> str:
        """The folder that holds them: there is no page."""
        return str(self._root if len(experiments) > 1 else self._root / experiments[0].id)

    async def _begun(self, plan: ExperimentPlan) -> Path:
        """The experiment's folder, with its header."""
        version = plan.version or await self._datasets.newest(plan.dataset)
        digest = hashlib.sha256(json.dumps([plan.dataset, plan.key]).encode()).hexdigest()[:12]
        known = next(iter(self._root.glob(f"*-{digest}/{_HEADER}")), None)
        if known is not None:
            return known.parent
        experiment_id = f"{_spoken(plan.name)}-{digest}"
        folder = self._root / experiment_id
        folder.mkdir(parents=True, exist_ok=True)
        header = {
            "id": experiment_id,
            "name": plan.name,
            "key": plan.key,
            "dataset": plan.dataset,
            "version": version,
            "created": datetime.now(UTC).isoformat(),
            "description": plan.description,
            "repetitions": plan.repetitions,
            "metadata": dict(plan.metadata),
        }
        _write_header(folder, header)
        return folder

    async def _answer(
        self, plan: ExperimentPlan, folder: Path, log: RunLog, missing: Sequence[Spot], board: _Board
    ) -> str:
        kept = partial(self._pictures.kept_plain, base=folder)
        with LineWriter(folder / ANSWERS) as out:

            async def one(spot: Spot) -> None:
                started = datetime.now(UTC)
                answer = await answered(plan, log.samples[spot.sample], spot.repetition)
                line = _answer_line(spot, answer, started, kept)
                out.write([line])
                log.add_answer(line)
                board.advance()

            return await answer_each(missing, one, limit=plan.concurrency)

    async def _evaluate(
        self,
        folder: Path,
        log: RunLog,
        evaluators: Sequence[Evaluator],
        *,
        again: bool = False,
        progress: Progress | None = None,
    ) -> None:
        settings = {evaluator.name: settings_of(evaluator) for evaluator in evaluators}
        pending = [
            ((spot, evaluator.name), evaluator, case)
            for spot, case in log.cases()
            if not isinstance(case.output, Failure)
            for evaluator in evaluators
            if applies(evaluator, case)
            and (again or not log.evaluated(spot, evaluator.name, settings[evaluator.name]))
        ]
        board = _Board(0, len(pending), progress)
        kept = partial(self._pictures.kept_plain, base=folder)
        with LineWriter(folder / SCORES) as out:

            def done(found: Sequence[tuple[tuple[Spot, str], Result]]) -> None:
                lines = []
                for (spot, name), result in found:
                    results = result if isinstance(result, list) else [result]
                    lines.append(result_line(*spot, name, settings[name], results, kept))
                    log.add_results(lines[-1])
                    board.advance()
                out.write(lines)

            await evaluate_each(pending, done, limit=_EVALUATION_CONCURRENCY)

    async def _log(self, folder: Path) -> RunLog:
        return RunLog(folder, await self._samples(_header(folder)), self._pictures)

    async def _samples(self, header: Mapping[str, Any]) -> dict[str, Sample]:
        dataset = await self._datasets.read(header["dataset"], header["version"])
        return await asyncio.to_thread(lambda: {sample.id: sample for sample in dataset})

    def _require(self, experiment_id: str) -> Path:
        folder = self._root / experiment_id
        if folder.parent != self._root or not (folder / _HEADER).is_file():
            raise PlatformError(f"there is no experiment {experiment_id!r} in {self._root.parent}")
        return folder

    def _record(
        self, folder: Path, header: Mapping[str, Any], log: RunLog, resumed: int = 0, stopped: str = ""
    ) -> ExperimentRecord:
        return ExperimentRecord(
            header["id"],
            header["name"],
            str(folder),
            header["dataset"],
            header["version"],
            log.runs(),
            resumed,
            metadata=header["metadata"],
            stopped=stopped,
        )


def _answer_line(spot: Spot, answer: ModelReply | Failure, started: datetime, kept: Plain) -> dict[str, Any]:
    try:
        return answer_line(spot.sample, spot.repetition, answer, started, kept)
    except (ImageError, MediaError) as error:
        failure = Failure(FailureKind.TASK_ERROR, f"a picture of the answer cannot be kept: {error}")
        return answer_line(spot.sample, spot.repetition, failure, started, kept)


def _spoken(name: str) -> str:
    """As much of a name as a shell takes without quotes; the digest beside it keeps names apart."""
    kept = re.sub(r"[^\w.]+", "-", name[:_KEPT_NAME], flags=re.ASCII).strip("-.")
    return kept or "experiment"


class _Board:
    """How far the work is."""

    def __init__(self, done: int, total: int, progress: Progress | None) -> None:
        self._done, self._total, self._progress = done, total, progress

    def advance(self) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._total)


def _header(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / _HEADER).read_text("utf-8"))
    return content


def _write_header(folder: Path, header: Mapping[str, Any]) -> None:
    text = json.dumps(header, ensure_ascii=False, indent=2, default=str)
    write_whole(folder / _HEADER, text + "\n")


def _set_score(score: SetScore) -> dict[str, Any]:
    value = score.value if abs(score.value) < float("inf") else None
    interval = None if score.interval is None else asdict(score.interval)
    return {
        "value": value,
        "n": score.n,
        "failures": score.failures,
        "direction": score.direction,
        "interval": interval,
    }
