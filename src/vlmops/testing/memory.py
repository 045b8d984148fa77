"""A platform in memory: the smallest complete adapter, for tests and as an example to authors of adapters."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vlmops.datasets import ImageDataset, Sample, digest
from vlmops.errors import PlatformError
from vlmops.evaluators import (
    Case,
    Evaluator,
    Failure,
    Score,
    SetScore,
    applies,
    evaluate_in_thread,
)
from vlmops.images import Image, map_images
from vlmops.platforms import answering
from vlmops.platforms.answering import answered, case_of
from vlmops.platforms.outcome import BatchOutcome, ItemFailure, ScoreReport
from vlmops.platforms.records import (
    Capabilities,
    Check,
    DatasetHeader,
    DatasetState,
    DatasetVersion,
    Execution,
    ExecutionQuery,
    ExperimentHeader,
    ExperimentPlan,
    ExperimentRecord,
    Progress,
    Run,
    ScoreTarget,
    TargetedScore,
)
from vlmops.testing.memory_judges import MemoryJudges
from vlmops.testing.memory_prompts import MemoryPrompts
from vlmops.testing.memory_reviews import MemoryReviews

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

    from vlmops.datasets import ImageField

BATCH = 3


@dataclass
class StoredDataset:
    """A dataset as the platform in memory keeps it.

    Attributes:
        versions: Samples by id, one mapping a version, oldest first.
        header: What was said of it last.
    """

    versions: list[dict[str, Sample]] = field(default_factory=list)
    header: DatasetHeader | None = None


@dataclass
class MemoryPlatform:
    """A platform that keeps everything in this object.

    Attributes:
        name: ``"memory"``.
        location: Tells several apart.
        pictures: Bytes of stored pictures by SHA-256.
        refused_ids: Samples and targets that are refused, as a real platform may refuse some.
        written: Scores by target and name.
        people: When people gave those of them that they gave.

    Example:
        >>> from vlmops.platforms import push
        >>> platform = MemoryPlatform()
        >>> push(ImageDataset.from_samples("d", [Sample("a", {"n": 1})]), platform).targets[0].created
        1
    """

    name: str = "memory"
    location: str = "here"
    pictures: dict[str, bytes] = field(default_factory=dict)
    refused_ids: set[str] = field(default_factory=set)
    stored: dict[str, StoredDataset] = field(default_factory=dict)
    recorded: list[Execution] = field(default_factory=list)
    written: dict[tuple[ScoreTarget, str], Score] = field(default_factory=dict)
    people: dict[tuple[ScoreTarget, str], datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.datasets = MemoryDatasets(self)
        self.experiments = MemoryExperiments(self)
        self.scores = MemoryScores(self)
        self.executions = MemoryExecutions(self)
        self.prompts = MemoryPrompts()
        self.reviews = MemoryReviews(self)
        self.judge_definitions = MemoryJudges()

    @property
    def capabilities(self) -> Capabilities:
        """Everything but a server."""
        return Capabilities(repetitions=True, run_scores=True, sessions=True, versions=True)

    def given(self) -> Iterator[TargetedScore]:
        """What was said of anything, and whether a person said it."""
        for (target, name), score in self.written.items():
            moment = self.people.get((target, name))
            yield TargetedScore(target, score, "CODE" if moment is None else "HUMAN", moment)

    async def doctor(self) -> AsyncIterator[Check]:
        """Always well."""
        yield Check("memory", "ok", "nothing can go wrong")

    async def __aenter__(self) -> MemoryPlatform:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None


@dataclass
class MemoryDatasets:
    """Datasets of a platform in memory."""

    platform: MemoryPlatform

    @asynccontextmanager
    async def writer(self, header: DatasetHeader) -> AsyncIterator[MemoryDatasetWriter]:
        """Open a push."""
        yield MemoryDatasetWriter(self.platform, header)

    async def read(self, name: str, version: str | None = None) -> ImageDataset:
        """The dataset as it stands."""
        stored = self._require(name)
        number = len(stored.versions) - 1 if version is None else int(version)
        if not 0 <= number < len(stored.versions):
            raise PlatformError(f"dataset {name!r} has no version {version!r}")
        header = stored.header
        samples = list(stored.versions[number].values())
        return ImageDataset.from_samples(name, samples, header.description if header else "")

    async def versions(self, name: str) -> Sequence[DatasetVersion]:
        """All versions, newest first."""
        count = len(self._require(name).versions)
        return [DatasetVersion(str(number), datetime.now(UTC)) for number in reversed(range(count))]

    def _require(self, name: str) -> StoredDataset:
        if name not in self.platform.stored:
            raise PlatformError(f"there is no dataset {name!r}: push it first")
        return self.platform.stored[name]


class MemoryDatasetWriter:
    """One push to a dataset in memory."""

    batch_size = BATCH

    def __init__(self, platform: MemoryPlatform, header: DatasetHeader) -> None:
        self._platform = platform
        self._header = header

    @property
    def state_token(self) -> str | None:
        """How many versions there are, within this platform's life."""
        stored = self._platform.stored.get(self._header.name)
        return f"{id(self._platform)} {len(stored.versions)}" if stored else None

    def has_image(self, sample_id: str, field: ImageField, image: Image) -> bool:  # noqa: ARG002
        """Whether the picture's bytes are kept."""
        return image.is_known and image.sha256 in self._platform.pictures

    async def put_image(self, sample_id: str, field: ImageField, image: Image) -> None:  # noqa: ARG002
        """Keep the picture's bytes."""
        if image.sha256 not in self._platform.pictures:
            self._platform.pictures[image.sha256] = image.read()

    async def write(self, samples: Sequence[Sample]) -> BatchOutcome:
        """Create or update; a new version only where something changed."""
        if any(sample.id in self._platform.refused_ids for sample in samples):
            raise PlatformError("refused: an id in this batch is not welcome")
        stored = self._platform.stored.setdefault(self._header.name, StoredDataset())
        stored.header = self._header
        current = dict(stored.versions[-1]) if stored.versions else {}
        created = updated = 0
        for sample in samples:
            known = current.get(sample.id)
            if known is None:
                created += 1
            elif digest(known) != digest(sample):
                updated += 1
            current[sample.id] = self._own(sample)
        if created or updated or not stored.versions:
            stored.versions.append(current)
        return BatchOutcome(created, updated, len(samples) - created - updated)

    async def finish(self, revision: str, keep: Callable[[str], bool] | None) -> DatasetState:  # noqa: ARG002
        """Remove what ``keep`` refuses."""
        stored = self._platform.stored.setdefault(self._header.name, StoredDataset([{}], self._header))
        current = stored.versions[-1]
        kept = {k: sample for k, sample in current.items() if keep is None or keep(k)}
        if len(kept) < len(current):
            stored.versions.append(kept)
        version = str(len(stored.versions) - 1)
        return DatasetState(version, f"memory:{self._header.name}", len(current) - len(kept))

    def _own(self, sample: Sample) -> Sample:
        def own(image: Image) -> Image:
            return Image.from_bytes(self._platform.pictures[image.sha256], f"stored {image.sha256[:12]}")

        return replace(
            sample,
            inputs=map_images(sample.inputs, own),
            expected=map_images(sample.expected, own),
            metadata=map_images(sample.metadata, own),
        )


@dataclass
class StoredExperiment:
    """An experiment as the platform in memory keeps it; runs by sample and repetition."""

    id: str
    plan: ExperimentPlan
    version: str
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    runs: dict[tuple[str, int], Run] = field(default_factory=dict)
    set_scores: dict[str, SetScore] = field(default_factory=dict)


@dataclass
class MemoryExperiments:
    """Experiments of a platform in memory."""

    platform: MemoryPlatform
    stored: dict[str, StoredExperiment] = field(default_factory=dict)

    async def run(self, plan: ExperimentPlan, progress: Progress | None = None) -> ExperimentRecord:
        """Run or continue."""
        await self.platform.datasets.read(plan.dataset, plan.version)
        version = plan.version or str(len(self.platform.stored[plan.dataset].versions) - 1)
        identity = f"{plan.dataset}/{plan.key}"
        experiment = self.stored.setdefault(identity, StoredExperiment(identity, plan, version))
        dataset = await self.platform.datasets.read(plan.dataset, experiment.version)
        wanted = [(s, r) for s in dataset for r in range(1, plan.repetitions + 1)]
        missing = [(s, r) for s, r in wanted if not _succeeded(experiment.runs.get((s.id, r)))]
        done = len(wanted) - len(missing)

        async def one(sample_and_repetition: tuple[Sample, int]) -> None:
            nonlocal done
            await self._run_one(experiment, plan, *sample_and_repetition)
            done += 1
            if progress is not None:
                progress(done, len(wanted))

        stopped = await answering.answer_each(missing, one, limit=plan.concurrency)
        return self._record(experiment, len(wanted) - len(missing), stopped)

    async def evaluate(
        self, experiment_id: str, evaluators: Sequence[Evaluator], progress: Progress | None = None
    ) -> ExperimentRecord:
        """Score again."""
        experiment = self._require(experiment_id)
        for number, (key, run) in enumerate(experiment.runs.items(), start=1):
            fresh = await _results(run.case, evaluators)
            names = {_name(result) for result in fresh}
            kept = [result for result in run.results if _name(result) not in names]
            experiment.runs[key] = replace(run, results=[*kept, *fresh])
            if progress is not None:
                progress(number, len(experiment.runs))
        return self._record(experiment)

    async def read(self, experiment_id: str) -> ExperimentRecord:
        """The experiment as it stands."""
        return self._record(self._require(experiment_id))

    async def find(
        self, dataset: str, *, name: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> Sequence[ExperimentHeader]:
        """Experiments of a dataset, newest first."""
        await self.platform.datasets.read(dataset)
        headers = [
            ExperimentHeader(each.id, each.plan.name, each.created_at, each.plan.metadata)
            for each in reversed(self.stored.values())
            if each.plan.dataset == dataset
        ]
        return [header for header in headers if header.fits(name, metadata)]

    async def write_set_scores(self, experiment_id: str, scores: Sequence[SetScore]) -> None:
        """Keep them."""
        self.stored[experiment_id].set_scores |= {score.name: score for score in scores}

    def compare_url(self, experiments: Sequence[ExperimentRecord]) -> str:
        """Not a page, but a name."""
        return "memory:" + ",".join(experiment.id for experiment in experiments)

    def _require(self, experiment_id: str) -> StoredExperiment:
        if experiment_id not in self.stored:
            raise PlatformError(f"there is no experiment {experiment_id!r}")
        return self.stored[experiment_id]

    async def _run_one(
        self, experiment: StoredExperiment, plan: ExperimentPlan, sample: Sample, repetition: int
    ) -> None:
        answer = await answered(plan, sample, repetition)
        case = case_of(sample, answer)
        results = [] if isinstance(answer, Failure) else await _results(case, plan.evaluators)
        identity = f"{experiment.id}/{sample.id}/{repetition}"
        experiment.runs[(sample.id, repetition)] = Run(case, repetition, results, identity)

    def _record(self, experiment: StoredExperiment, resumed: int = 0, stopped: str = "") -> ExperimentRecord:
        return ExperimentRecord(
            experiment.id,
            experiment.plan.name,
            f"memory:{experiment.id}",
            experiment.plan.dataset,
            experiment.version,
            list(experiment.runs.values()),
            resumed,
            metadata=experiment.plan.metadata,
            stopped=stopped,
        )


@dataclass
class MemoryScores:
    """Scores of a platform in memory."""

    platform: MemoryPlatform

    async def write(self, scores: Sequence[TargetedScore]) -> ScoreReport:
        """Keep one score a target and name."""
        failures = []
        for item in scores:
            if item.target.id in self.platform.refused_ids:
                failures.append(ItemFailure(item.target.id, f"{item.score.name}: refused"))
            else:
                key = (item.target, item.score.name)
                self.platform.written[key] = item.score
                self.platform.people.pop(key, None)
                if item.annotator == "HUMAN":
                    self.platform.people[key] = item.timestamp or datetime.now(UTC)
        return ScoreReport(len(scores) - len(failures), failures)


@dataclass
class MemoryExecutions:
    """What a platform in memory has recorded."""

    platform: MemoryPlatform

    async def read(self, query: ExecutionQuery) -> AsyncIterator[Execution]:
        """Executions that fit, newest first."""
        chosen = sorted(self.platform.recorded, key=lambda e: e.started_at, reverse=True)
        count = 0
        for execution in chosen:
            if query.limit is not None and count >= query.limit:
                return
            if query.trace_ids and execution.target.trace_id not in query.trace_ids:
                continue
            if query.start is not None and execution.started_at < query.start:
                continue
            if query.end is not None and execution.started_at >= query.end:
                continue
            if query.name not in (None, execution.name):
                continue
            if query.environment not in (None, execution.environment):
                continue
            if execution.kind and query.kind not in (None, execution.kind):
                continue
            scores = self._said_of(execution) if query.needs_scores else ()
            if not query.admits(scores):
                continue
            count += 1
            yield replace(execution, scores=scores)

    def _said_of(self, execution: Execution) -> list[TargetedScore]:
        own = (execution.target, ScoreTarget("trace", execution.target.trace_id))
        return [item for item in self.platform.given() if item.target in own]


def _succeeded(run: Run | None) -> bool:
    return run is not None and not isinstance(run.case.output, Failure)


async def _results(case: Case, evaluators: Sequence[Evaluator]) -> list[Score | Failure]:
    found: list[Score | Failure] = []
    for evaluator in evaluators:
        if applies(evaluator, case):
            result = await evaluate_in_thread(evaluator, case)
            found.extend(result if isinstance(result, list) else [result])
    return found


def _name(result: Score | Failure) -> str:
    return result.evaluator if isinstance(result, Failure) else result.name
