"""The port: what an adapter fulfils so that vlmops can work with its platform.

Each protocol has one duty; an adapter drives the platform's native mechanism and holds no policy. What a
platform cannot do it leaves out of its :class:`Capabilities`, and the core says so to the user instead of
pretending. The contract that every adapter must pass is shipped as :mod:`vlmops.testing.contract`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime
    from pathlib import Path

    from vlmops.datasets import ImageDataset, ImageField, Sample
    from vlmops.evaluators import Case, Evaluator, Failure, Score, SetScore
    from vlmops.images import Image
    from vlmops.models import ModelReply
    from vlmops.platforms.outcome import BatchOutcome, ScoreReport


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a platform can do, beyond what every adapter must.

    Attributes:
        repetitions: Keeps several answers of one experiment to one sample apart.
        run_scores: Shows a score on a whole run in its screens.
        sessions: Groups traces into sessions that can be scored.
        versions: Keeps earlier versions of a dataset readable.
        local_server: Can be started on this machine by vlmops.
    """

    repetitions: bool = False
    run_scores: bool = False
    sessions: bool = False
    versions: bool = False
    local_server: bool = False


@dataclass(frozen=True, slots=True)
class DatasetHeader:
    """What is said of a dataset as a whole when it is pushed.

    Attributes:
        name: Its name on the platform.
        description: For people.
        metadata: JSON.
        provenance: Where the content comes from.
    """

    name: str
    description: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """One version a platform keeps of a dataset.

    Attributes:
        id: The platform's name for the version, accepted wherever a version is asked for.
        created_at: When it was made.
        description: What the platform says of it.
    """

    id: str
    created_at: datetime
    description: str = ""


@dataclass(frozen=True, slots=True)
class DatasetState:
    """What a finished push left on the platform.

    Attributes:
        version: Id of the newest version.
        url: Page of the dataset in the platform's own screens.
        deleted: How many samples a mirroring push removed.
    """

    version: str
    url: str
    deleted: int = 0


class DatasetWriter(Protocol):
    """One push to one dataset.

    The core calls :meth:`put_image` for every picture of a sample, many at once, before the sample is in a
    :meth:`write`; batches are written one after another in the dataset's order.
    """

    @property
    def batch_size(self) -> int:
        """How many samples a :meth:`write` takes at most."""
        ...

    @property
    def state_token(self) -> str | None:
        """Names the remote dataset in its present state; changes whenever anyone changes its content.

        What was acknowledged under a token need not be compared again while the token stands. ``None``
        where the platform offers nothing of the kind, or once others changed the dataset during this push.
        """
        ...

    async def put_image(self, sample_id: str, field: ImageField, image: Image) -> None:
        """Make sure the picture is stored; cheap when it is already."""
        ...

    async def write(self, samples: Sequence[Sample]) -> BatchOutcome:
        """Create or update these samples; must be safe to repeat.

        Raises:
            PlatformError: None of the batch was written.
        """
        ...

    async def finish(self, revision: str, keep: Callable[[str], bool] | None) -> DatasetState:
        """Record the revision; with ``keep``, remove the remote samples whose id it refuses (mirroring)."""
        ...


class Datasets(Protocol):
    """Datasets on the platform."""

    def writer(self, header: DatasetHeader) -> AbstractAsyncContextManager[DatasetWriter]:
        """Open a push; creates the dataset when there is none."""
        ...

    async def read(self, name: str, version: str | None = None) -> ImageDataset:
        """The dataset as it stands there, pictures resolved lazily.

        Raises:
            PlatformError: There is no such dataset or version.
        """
        ...

    async def versions(self, name: str) -> Sequence[DatasetVersion]:
        """All versions, newest first."""
        ...


Answer = "ModelReply | Failure"
Task = Callable[["Sample"], Awaitable["ModelReply | Failure"]]
"""Sample to answer: never raises for what a model or provider does wrong, but gives the failure."""


@dataclass(frozen=True, slots=True)
class ExperimentPlan:
    """An experiment to run on a platform.

    Attributes:
        dataset: Name of a dataset there.
        name: Name of the experiment, unique by ``key`` in its dataset.
        task: What answers each sample.
        evaluators: What scores each answer.
        key: Same key, same experiment: an interrupted run of this key is continued, not started again.
        version: Dataset version; the newest when ``None``.
        description: For people.
        metadata: JSON: model, prompt version, dataset revision, git commit, ...
        repetitions: How often each sample is answered.
        concurrency: How many samples are worked on at once.
        timeout: Seconds one answer may take.
    """

    dataset: str
    name: str
    task: Task
    evaluators: Sequence[Evaluator]
    key: str
    version: str | None = None
    description: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    repetitions: int = 1
    concurrency: int = 4
    timeout: float = 600.0


@dataclass(frozen=True, slots=True)
class Run:
    """One answer to one sample within an experiment, with what was said of it.

    Attributes:
        case: What evaluators saw; its output is a :class:`~vlmops.evaluators.Failure` when the task failed.
        repetition: Counted from 1.
        results: Scores and evaluators' failures.
        id: The platform's id of the run.
        trace_id: The trace of the answer, if there is one.
    """

    case: Case
    repetition: int
    results: Sequence[Score | Failure]
    id: str = ""
    trace_id: str | None = None


@dataclass(frozen=True, slots=True)
class ExperimentRecord:
    """An experiment as it stands on the platform.

    Attributes:
        id: The platform's id.
        name: Its name.
        url: Its page in the platform's own screens.
        dataset_id: The platform's id of its dataset.
        dataset_version: The version it ran on.
        runs: All runs.
        resumed: How many runs were there already when it was continued.
        trace_url: The page of one of its traces, if there is one.
        metadata: What was recorded with it.
    """

    id: str
    name: str
    url: str
    dataset_id: str
    dataset_version: str
    runs: Sequence[Run]
    resumed: int = 0
    trace_url: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


Progress = Callable[[int, int], None]
"""Told how many are done, of how many."""


class Experiments(Protocol):
    """Experiments on the platform, through its native runner."""

    async def run(self, plan: ExperimentPlan, progress: Progress | None = None) -> ExperimentRecord:
        """Run or continue an experiment; failures are kept in it, never dropped."""
        ...

    async def evaluate(
        self, experiment_id: str, evaluators: Sequence[Evaluator], progress: Progress | None = None
    ) -> ExperimentRecord:
        """Score an experiment that has run; scoring again updates."""
        ...

    async def write_set_scores(self, experiment_id: str, scores: Sequence[SetScore]) -> None:
        """Record values of the whole run where the platform shows them."""
        ...

    def compare_url(self, experiments: Sequence[ExperimentRecord]) -> str:
        """The platform's own page that compares these experiments of one dataset."""
        ...


TargetKind = Literal["span", "trace", "session", "run"]


@dataclass(frozen=True, slots=True)
class ScoreTarget:
    """What a score is about.

    Attributes:
        kind: Span (Langfuse: observation), trace, session or experiment run.
        id: The platform's id of it.
        trace_id: The trace a span belongs to, where the platform wants both.
    """

    kind: TargetKind
    id: str
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class TargetedScore:
    """A score and what it is about.

    Attributes:
        target: What it is about.
        score: The score.
        annotator: Whether code, a model or a person gave it.
        timestamp: When the scored thing happened; a fixed one makes re-runs update where time is in the key.
    """

    target: ScoreTarget
    score: Score
    annotator: Literal["CODE", "LLM", "HUMAN"] = "CODE"
    timestamp: datetime | None = None


class Scores(Protocol):
    """Scores and annotations on what the platform has recorded."""

    async def write(self, scores: Sequence[TargetedScore]) -> ScoreReport:
        """Write with deterministic identifiers, so that scoring again updates; each refusal is reported."""
        ...


@dataclass(frozen=True, slots=True)
class ExecutionQuery:
    """Which recorded executions to read.

    Attributes:
        project: Project on the platform; its default when ``None``.
        start: Not before.
        end: Not after.
        name: Span name.
        kind: Kind of span (``"LLM"``, ``"CHAIN"``, ...); any when ``None``.
        trace_ids: Only these traces.
        limit: At most so many.
    """

    project: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    name: str | None = None
    kind: str | None = None
    trace_ids: Sequence[str] = ()
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Execution:
    """One recorded execution.

    Attributes:
        case: Inputs with pictures resolved, output, usage and latency.
        target: The span, for writing scores to it.
        session_id: Its session, if it is in one.
        started_at: When it began.
    """

    case: Case
    target: ScoreTarget
    started_at: datetime
    session_id: str | None = None


class Executions(Protocol):
    """What the platform has recorded."""

    def read(self, query: ExecutionQuery) -> AsyncIterator[Execution]:
        """Executions, newest first, streamed page by page."""
        ...


@dataclass(frozen=True, slots=True)
class Check:
    """One finding of ``doctor``.

    Attributes:
        name: What was looked at.
        status: ``"ok"``, ``"warning"`` (works, with a loss) or ``"error"``.
        message: What was found.
        fix: What to do, when something is to be done.
    """

    name: str
    status: Literal["ok", "warning", "error"]
    message: str
    fix: str = ""


class Platform(Protocol):
    """A platform that vlmops is connected to; an async context manager that closes its connections."""

    @property
    def name(self) -> str:
        """``"phoenix"``, ``"langfuse"``, ..."""
        ...

    @property
    def location(self) -> str:
        """Which one: its base URL, safe to print."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    @property
    def datasets(self) -> Datasets:
        """Datasets."""
        ...

    @property
    def experiments(self) -> Experiments:
        """Experiments."""
        ...

    @property
    def scores(self) -> Scores:
        """Scores."""
        ...

    @property
    def executions(self) -> Executions:
        """Executions."""
        ...

    def doctor(self) -> AsyncIterator[Check]:
        """Look at everything that commonly goes wrong between the user, vlmops and the platform."""
        ...

    async def __aenter__(self) -> Platform: ...

    async def __aexit__(self, *exc: object) -> None: ...


class LocalServer(Protocol):
    """A platform's server running on this machine as a child process."""

    @property
    def url(self) -> str:
        """Its base URL."""
        ...

    @property
    def data_dir(self) -> Path:
        """What it keeps is below this folder."""
        ...

    @property
    def media_store(self) -> Path:
        """The folder its pictures are in."""
        ...

    def stop(self) -> None:
        """End it cleanly."""
        ...


class PlatformPlugin(Protocol):
    """What the entry-point group ``vlmops.platforms`` gives; importing it must not import the SDK."""

    @property
    def name(self) -> str:
        """The name users ask for it by."""
        ...

    @property
    def requires(self) -> str:
        """The extra that installs what it needs, e.g. ``"phoenix"``."""
        ...

    @property
    def modules(self) -> Sequence[str]:
        """Top-level modules that must be importable for it to work."""
        ...

    def start_local(self, data_dir: Path, port: int | None = None) -> LocalServer:
        """Start the platform's server on this machine, on a free port near ``port``.

        Raises:
            PrerequisiteError: The server is not installed, or cannot be run locally.
        """
        ...

    def media_environment(self) -> Mapping[str, str]:
        """Environment in which the platform's own server shows stored pictures; empty if it keeps them."""
        ...

    def connect(self, **options: Any) -> Platform:
        """Connect; argument > environment > default.

        Raises:
            PrerequisiteError: The SDK is not installed.
        """
        ...
