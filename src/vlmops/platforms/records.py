"""What passes through the port: plain records that the core and the adapters exchange."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from vlmops.characters import whole_record
from vlmops.platforms.score_condition import all_hold

if TYPE_CHECKING:
    from datetime import datetime

    from vlmops.datasets import Sample
    from vlmops.evaluators import Annotator, Case, Evaluator, Failure, Score
    from vlmops.models import ModelReply
    from vlmops.platforms.score_condition import ScoreCondition


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

    def _repr_html_(self) -> str:
        from vlmops.reports.notebook.experiments import run_html

        return run_html(self)

    def _repr_markdown_(self) -> str:
        from vlmops.reports.notebook.experiments import run_markdown

        return run_markdown(self)


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
        stopped: Why it ended before every sample was answered, e.g. at the end of a budget; empty otherwise.
            Run again, it is continued.
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
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class ExperimentHeader:
    """An experiment without its runs, as a search gives it.

    Attributes:
        id: The platform's id.
        name: Its name as the platform has it, which may hold more than the plan's.
        created_at: When it was begun; the newest comes first.
        metadata: What was recorded with it.
    """

    id: str
    name: str
    created_at: datetime
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def fits(self, name: str | None, metadata: Mapping[str, Any] | None) -> bool:
        """Whether it has this name and all of this metadata.

        Values are compared as text. What is recorded as a list, be it as JSON text, fits each of its values.

        Example:
            >>> from datetime import UTC, datetime
            >>> header = ExperimentHeader("1", "reader", datetime.now(UTC), {"git_branch": "main", "seed": 7})
            >>> header.fits("reader", {"seed": "7"}), header.fits(None, {"git_branch": "next"})
            (True, False)
        """
        return name in (None, self.name) and all(
            key in self.metadata and _says(self.metadata[key], str(value))
            for key, value in (metadata or {}).items()
        )


def _says(recorded: Any, value: str) -> bool:
    if isinstance(recorded, str) and recorded.startswith("["):
        with suppress(ValueError):
            recorded = json.loads(recorded)
    if isinstance(recorded, list | tuple):
        return any(str(one) == value for one in recorded)
    return str(recorded) == value


Progress = Callable[[int, int], None]
"""Told how many are done, of how many."""


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
        score: The score; U+FFFD stands for each half of a character in its words, which cannot be sent.
        annotator: Whether code, a model or a person gave it.
        timestamp: When the scored thing happened; a fixed one makes re-runs update where time is in the key.
    """

    target: ScoreTarget
    score: Score
    annotator: Annotator = "CODE"
    timestamp: datetime | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "score", whole_record(self.score))


@dataclass(frozen=True, slots=True)
class ExecutionQuery:
    """Which recorded executions to read.

    Attributes:
        project: Project on the platform; that of the traces, else its default, when ``None``.
        start: Not before.
        end: Not after.
        name: Span name.
        kind: Kind of span (``"LLM"``, ``"CHAIN"``, ...); any when ``None``.
        environment: Where it was recorded (``"production"``, ``"staging"``, ...), as the application says.
        trace_ids: Only these traces.
        limit: At most so many.
        scores: Conditions that must all hold for scores of the execution itself or of its whole trace.
        with_scores: Whether to read what was said of each execution; done for conditions anyway.
    """

    project: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    name: str | None = None
    kind: str | None = None
    trace_ids: Sequence[str] = ()
    limit: int | None = None
    scores: Sequence[ScoreCondition] = ()
    with_scores: bool = False
    environment: str | None = None

    @property
    def needs_scores(self) -> bool:
        """Whether scores must be read."""
        return self.with_scores or bool(self.scores)

    def admits(self, scores: Sequence[TargetedScore]) -> bool:
        """Whether an execution with these scores fits the conditions."""
        return all_hold(self.scores, [item.score for item in scores])


@dataclass(frozen=True, slots=True)
class Execution:
    """One recorded execution.

    Attributes:
        case: Inputs with pictures resolved, output, usage and latency.
        target: The span, for writing scores to it.
        session_id: Its session, if it is in one.
        started_at: When it began.
        name: Name of the span.
        kind: Kind of the span in the platform's own word.
        scores: What was said of it or of its whole trace, by anyone; empty unless the query asks.
        environment: Where it was recorded, as the application says.
    """

    case: Case
    target: ScoreTarget
    started_at: datetime
    session_id: str | None = None
    name: str = ""
    kind: str = ""
    scores: Sequence[TargetedScore] = ()
    environment: str = ""


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
