"""The port: what an adapter fulfils so that vlmops can work with its platform.

Each protocol has one duty; an adapter drives the platform's native mechanism and holds no policy. What a
platform cannot do it leaves out of its :class:`~vlmops.platforms.records.Capabilities`, and the core says so
to the user instead of pretending. The contract that every adapter must pass is shipped as
:mod:`vlmops.testing.contract`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

    from vlmops.datasets import ImageDataset, ImageField, Sample
    from vlmops.evaluators import Evaluator, SetScore
    from vlmops.images import Image
    from vlmops.platforms.outcome import BatchOutcome, ScoreReport
    from vlmops.platforms.prompts import Prompt, PromptVersion
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
        ScoreTarget,
        TargetedScore,
    )
    from vlmops.platforms.reviews import Review, ReviewQueue, ReviewReport, ReviewRequest
    from vlmops.tracing.destination import TraceDestination


class DatasetWriter(Protocol):
    """One push to one dataset.

    Before a sample is in a :meth:`write`, the core calls :meth:`put_image` for each of its pictures, many at
    once, unless :meth:`has_image` knows them all; batches are written one after another in the dataset's
    order.
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

    def has_image(self, sample_id: str, field: ImageField, image: Image) -> bool:
        """Whether the picture is stored, as far as that can be told at once; ``False`` where it is not known.

        It is asked in the event loop for every picture of every push: it must neither wait for a network nor
        read the picture. What it raises, :meth:`put_image` is expected to raise as well, and to explain.
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

    async def read(self, experiment_id: str) -> ExperimentRecord:
        """An experiment that has run, anyone's, with all that was said of its answers.

        Raises:
            PlatformError: There is no such experiment.
        """
        ...

    async def find(
        self, dataset: str, *, name: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> Sequence[ExperimentHeader]:
        """Experiments on a dataset with this name and all of this metadata, newest first.

        Raises:
            PlatformError: There is no such dataset.
        """
        ...

    async def write_set_scores(self, experiment_id: str, scores: Sequence[SetScore]) -> None:
        """Record values of the whole run where the platform shows them."""
        ...

    def compare_url(self, experiments: Sequence[ExperimentRecord]) -> str:
        """The platform's own page that compares these experiments of one dataset."""
        ...


class Scores(Protocol):
    """Scores and annotations on what the platform has recorded."""

    async def write(self, scores: Sequence[TargetedScore]) -> ScoreReport:
        """Write with deterministic identifiers, so that scoring again updates; each refusal is reported."""
        ...


class Executions(Protocol):
    """What the platform has recorded."""

    def read(self, query: ExecutionQuery) -> AsyncIterator[Execution]:
        """Executions, newest first, streamed page by page."""
        ...


class Traces(Protocol):
    """Recorded spans as they are, and a way to add to them."""

    @property
    def picture_span(self) -> Mapping[str, str]:
        """Attributes that make a span one whose pictures the platform draws."""
        ...

    def spans(self, query: ExecutionQuery) -> AsyncIterator[ReadableSpan]:
        """Spans that fit, newest first, streamed in small pages, since what they hold may be large.

        Raises:
            PlatformError: The project is not there.
        """
        ...

    async def present(self, span_ids: Sequence[str], project: str | None) -> Collection[str]:
        """Those of these ids (16 hexadecimal digits) under which the project has a span."""
        ...

    def destination(self, project: str | None) -> TraceDestination:
        """Where spans and their pictures are sent."""
        ...


@runtime_checkable
class RecordsSpans(Protocol):
    """What a platform adds that keeps traces of applications."""

    @property
    def traces(self) -> Traces:
        """Recorded spans."""
        ...


class Prompts(Protocol):
    """Prompts on the platform, in versions that never change."""

    async def publish(self, prompt: Prompt, labels: Collection[str] = ()) -> PromptVersion:
        """Keep a prompt, and have these labels point to it.

        A version with the same turns and metadata stays the one it is: nothing is kept twice.

        Raises:
            UsageError: The platform cannot have a prompt or a label of that name.
            PlatformError: The platform did not keep it.
        """
        ...

    async def fetch(
        self, name: str, *, version: str | None = None, label: str | None = None
    ) -> PromptVersion:
        """The version of this name or with this label; the newest where neither is said.

        Raises:
            UsageError: Both are said.
            PlatformError: There is none, or it holds more than text.
        """
        ...


@runtime_checkable
class KeepsPrompts(Protocol):
    """What a platform adds that keeps prompts."""

    @property
    def prompts(self) -> Prompts:
        """Prompts."""
        ...


class Reviews(Protocol):
    """Reviews by people, in the platform's own screens."""

    async def request(
        self, queue: ReviewQueue, requests: Sequence[ReviewRequest], progress: Progress | None = None
    ) -> ReviewReport:
        """Put cases into a queue, which is made where there is none; one that is in it stays as it is.

        They may be very many: an adapter divides them as its platform needs it.

        Args:
            queue: Its name and questions.
            requests: What is to be reviewed.
            progress: Told how many requests are dealt with, of how many.

        Raises:
            UsageError: The platform cannot ask that, or its queue of this name asks something else.
        """
        ...

    def read(self, queue: str, targets: Sequence[ScoreTarget]) -> AsyncIterator[Review]:
        """Those of these targets that were put into the queue, in no order, with what people said.

        They may be very many: an adapter divides them as its platform needs it, and holds no review longer
        than until the next is asked for.
        """
        ...


@runtime_checkable
class KeepsReviews(Protocol):
    """What a platform adds in whose screens people review."""

    @property
    def reviews(self) -> Reviews:
        """Reviews."""
        ...


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
