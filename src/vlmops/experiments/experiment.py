"""Running an experiment on a platform, and scoring one that has run."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from vlmops.blocking import blocking
from vlmops.evaluators import Failure
from vlmops.experiments.git_state import git_state
from vlmops.experiments.slots import prompt_title, require_filled, slots_of
from vlmops.experiments.summary import ExperimentSummary, is_part, summarise
from vlmops.experiments.tags import TAGS, checked_tags
from vlmops.experiments.task import ModelTask
from vlmops.platforms.records import ExperimentPlan, ExperimentRecord, Progress, Task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vlmops.evaluators import Evaluator, Score, SliceBy
    from vlmops.platforms.port import Platform


@dataclass(frozen=True, slots=True)
class ExperimentResult:
    """An experiment that has run: the platform's record and its figures.

    Attributes:
        record: Every run, and where to look at them.
        summary: Each metric with interval, n and failures.
    """

    record: ExperimentRecord
    summary: ExperimentSummary

    def _repr_html_(self) -> str:
        from vlmops.reports.notebook.experiments import result_html

        return result_html(self)

    def _repr_markdown_(self) -> str:
        from vlmops.reports.notebook.experiments import result_markdown

        return result_markdown(self)


@dataclass(frozen=True)
class Experiment:
    """One variant on one dataset.

    Attributes:
        dataset: Name of the dataset on the platform.
        name: Name of the experiment.
        task: What answers each sample; see :class:`~vlmops.experiments.ModelTask`.
        evaluators: What scores each answer.
        version: Dataset version; the newest when ``None``.
        key: Same key and tags, same experiment: run again, it continues what is missing, on the version of
            the dataset that it began with. Made from the name, dataset, version and metadata when empty, so
            that a dataset which has changed since makes another experiment.
        description: For people.
        metadata: JSON recorded with it: model, prompt version, parameters, ...; branch and commit of the git
            repository it runs in are added.
        tags: Words it can be found by later (``tag:release-1``), recorded with the metadata.
        repetitions: How often each sample is answered.
        concurrency: How many samples are worked on at once.
        timeout: Seconds one answer may take.
        slices: Metadata keys (``"difficulty"``), or :class:`~vlmops.evaluators.Slice` predicates, to give
            the figures for separately as well.
    """

    dataset: str
    name: str
    task: Task
    evaluators: Sequence[Evaluator] = ()
    version: str | None = None
    key: str = ""
    description: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    repetitions: int = 1
    concurrency: int = 4
    timeout: float = 600.0
    slices: Sequence[SliceBy] = ()
    tags: Sequence[str] = ()

    def run(self, platform: Platform, progress: Progress | None = None) -> ExperimentResult:
        """Run or continue it; blocking form of :meth:`run_async`."""
        return blocking(lambda: self.run_async(platform, progress), platform)

    async def run_async(self, platform: Platform, progress: Progress | None = None) -> ExperimentResult:
        """Run it on the platform, or continue it where it was interrupted.

        Failed answers are tried again when it is continued; answers that are there stand.

        Raises:
            UsageError: The prompt names an input that no sample has; nothing is asked then.
            PlatformError: The dataset is not there, or the platform broke down; run it again to continue.
        """
        if isinstance(self.task, ModelTask) and self.task.prompt is not None and slots_of(self.task.prompt):
            told = f"experiment {self.name!r}: {prompt_title(self.task.prompt)}"
            dataset = await platform.datasets.read(self.dataset, self.version)
            await asyncio.to_thread(require_filled, [(told, self.task.prompt)], dataset)
        return await self.carried_out(platform, progress)

    async def carried_out(self, platform: Platform, progress: Progress | None = None) -> ExperimentResult:
        """As :meth:`run_async`, for a prompt that is known to fit: the dataset is not looked at for it.

        Raises:
            PlatformError: The dataset is not there, or the platform broke down; run it again to continue.
        """
        key = self.key or self._made_key(self.version or await self._newest(platform))
        record = await platform.experiments.run(self._plan(key), progress)
        return await _concluded(platform, record, self.evaluators, self.slices)

    async def _newest(self, platform: Platform) -> str | None:
        """The dataset's version of now; without it in the key, one on the dataset as it was would go on.

        It is no more than that: what a platform runs on where no version is named may be newer still, with
        what people removed in its screens.
        """
        versions = await platform.datasets.versions(self.dataset)
        return versions[0].id if versions else None

    def _plan(self, key: str) -> ExperimentPlan:
        tags = checked_tags(self.tags)
        tagged = {TAGS: list(tags)} if tags else {}
        return ExperimentPlan(
            dataset=self.dataset,
            name=self.name,
            task=self.task,
            evaluators=self.evaluators,
            key=_tagged(key, tags),
            version=self.version,
            description=self.description,
            metadata={**git_state(), **self.metadata, **tagged},
            repetitions=self.repetitions,
            concurrency=self.concurrency,
            timeout=self.timeout,
        )

    def _made_key(self, version: str | None) -> str:
        content = [self.dataset, self.name, version, dict(self.metadata), self.repetitions]
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _tagged(key: str, tags: Sequence[str]) -> str:
    """Platforms record metadata when an experiment begins: with a new tag it is another one."""
    return f"{key}+{hashlib.sha256(json.dumps(tags).encode()).hexdigest()[:8]}" if tags else key


def score_experiment(
    platform: Platform,
    experiment_id: str,
    evaluators: Sequence[Evaluator],
    progress: Progress | None = None,
    slices: Sequence[SliceBy] = (),
) -> ExperimentResult:
    """Score an experiment that has run; blocking form of :func:`score_experiment_async`."""
    return blocking(
        lambda: score_experiment_async(platform, experiment_id, evaluators, progress, slices), platform
    )


async def score_experiment_async(
    platform: Platform,
    experiment_id: str,
    evaluators: Sequence[Evaluator],
    progress: Progress | None = None,
    slices: Sequence[SliceBy] = (),
) -> ExperimentResult:
    """Score an experiment that has run; scores of the same name are replaced.

    Raises:
        PlatformError: There is no such experiment.
    """
    record = await platform.experiments.evaluate(experiment_id, evaluators, progress)
    # What other evaluators said of the run may be more than the mean of their scores, which is all that could
    # be had of them here.
    own = [
        replace(run, results=[each for each in run.results if _given_by(each, evaluators)])
        for run in record.runs
    ]
    return await _concluded(platform, replace(record, runs=own), evaluators, slices)


def _given_by(result: Score | Failure, evaluators: Sequence[Evaluator]) -> bool:
    name = result.evaluator if isinstance(result, Failure) else result.name
    return any(is_part(name, evaluator.name) for evaluator in evaluators)


async def _concluded(
    platform: Platform,
    record: ExperimentRecord,
    evaluators: Sequence[Evaluator],
    slices: Sequence[SliceBy],
) -> ExperimentResult:
    summary = await summarise(record, evaluators, slices)
    sliced = [
        replace(score, name=f"{score.name} [{name}]")
        for name, part in summary.slices.items()
        for score in part.scores
    ]
    # A metric that no answer stands behind has nothing to say of the run.
    shown = [score for score in (*summary.scores, *sliced) if score.n]
    await platform.experiments.write_set_scores(record.id, shown)
    return ExperimentResult(record, summary)
