"""From traces to datasets: what a platform has recorded becomes samples, each linked to its span."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vlmops.blocking import blocking
from vlmops.datasets import Entry, ImageDataset, Sample
from vlmops.errors import SampleError, UsageError
from vlmops.evaluators import Failure
from vlmops.platforms.conversation import as_inputs
from vlmops.platforms.push import push_async
from vlmops.platforms.score_condition import LABEL_KEY

if TYPE_CHECKING:
    from vlmops.images import Preparation
    from vlmops.platforms.outcome import PushReport
    from vlmops.platforms.port import Platform
    from vlmops.platforms.records import Execution, ExecutionQuery, TargetedScore

EXECUTION_KEY = "execution"
"""Where a sample's metadata names the execution it was made of."""

Expected = Callable[["Execution"], Any]
"""Gives what the model should have answered; ``None`` when that is not known."""


@dataclass(frozen=True, slots=True)
class ExecutionLink:
    """The recorded span a sample was made of.

    Attributes:
        trace_id: Its trace.
        span_id: The span (Langfuse: observation).
    """

    trace_id: str
    span_id: str


def samples_from_executions(
    platform: Platform, query: ExecutionQuery, *, expected: Expected | None = None
) -> list[Sample]:
    """What a platform has recorded, as samples; see :func:`sample_of` for their form.

    All are in memory at once, their pictures are not: those are read when they are looked at.

    Raises:
        SampleError: An execution holds what no sample can (its source names the span).
        PlatformError: The project is not there, or the platform broke down.
    """

    async def gathered() -> list[Sample]:
        return [
            sample_of(execution, platform, expected=expected)
            async for execution in platform.executions.read(query)
        ]

    return blocking(gathered, platform)


def sample_of(execution: Execution, platform: Platform, *, expected: Expected | None = None) -> Sample:
    """The sample an execution becomes: the same execution, the same sample.

    What the model answered is not what it should have answered: it stands in the metadata, and ``expected``
    stays empty unless the caller says where it comes from.

    Args:
        execution: What was recorded.
        platform: Where it was recorded.
        expected: Gives the expected value; see :func:`answered` and :func:`scored`.

    Returns:
        A sample with the span's id. Inputs are ``image`` (or ``images``), ``question`` and ``system`` of a
        chat; a longer conversation is also kept whole as ``messages``. Metadata: ``output``, ``model``,
        ``scores`` and ``execution``, which links it to the span.

    Raises:
        SampleError: It holds what no sample can.

    Example:
        >>> from datetime import UTC, datetime
        >>> from vlmops.evaluators import Case
        >>> from vlmops.platforms import Execution, ScoreTarget
        >>> from vlmops.testing import MemoryPlatform
        >>> case = Case("12.50", inputs=[{"role": "user", "content": "Total?"}], id="0a")
        >>> execution = Execution(case, ScoreTarget("span", "0a", "0b"), datetime(2026, 1, 1, tzinfo=UTC))
        >>> sample = sample_of(execution, MemoryPlatform(), expected=answered)
        >>> sample.id, dict(sample.inputs), sample.expected
        ('0a', {'question': 'Total?'}, '12.50')
    """
    case = execution.case
    metadata = {key: case.metadata[key] for key in ("model",) if key in case.metadata}
    if isinstance(case.output, Failure):
        metadata["failure"] = f"{case.output.kind.value}: {case.output.message}"
    else:
        metadata["output"] = case.output
    if execution.scores:
        metadata["scores"] = {item.score.name: item.score.value for item in reversed(execution.scores)}
    metadata[EXECUTION_KEY] = {
        "platform": platform.name,
        "location": platform.location,
        "trace_id": execution.target.trace_id,
        "span_id": execution.target.id,
        "name": execution.name,
        "started_at": execution.started_at.isoformat(),
    }
    return Sample(
        id=execution.target.id,
        inputs=as_inputs(case.inputs),
        expected=expected(execution) if expected is not None else None,
        metadata=metadata,
        source=f"{platform.name} span {execution.target.id}",
    )


def answered(execution: Execution) -> Any:
    """What the model answered, for executions that people found right; ``None`` for a failure."""
    output = execution.case.output
    return None if isinstance(output, Failure) else output


def scored(name: str) -> Expected:
    """What a score of this name says: its label or number; of several the newest.

    So people correct answers where they look at them: with a label in Phoenix, a text or correction in
    Langfuse. The query must ask for scores.

    Example:
        >>> from vlmops.evaluators import Case, Score
        >>> from vlmops.platforms import Execution, ScoreTarget, TargetedScore
        >>> target = ScoreTarget("span", "0a", "0b")
        >>> said = [TargetedScore(target, Score("correct_total", "12.50"), "HUMAN")]
        >>> scored("correct_total")(Execution(Case("12.60"), target, None, scores=said))
        '12.50'
    """

    def value(execution: Execution) -> Any:
        found: TargetedScore | None = next((s for s in execution.scores if s.score.name == name), None)
        return None if found is None else found.score.metadata.get(LABEL_KEY, found.score.value)

    return value


def execution_link(sample: Sample, platform: str) -> ExecutionLink | None:
    """The span of the named platform that a sample was made of, if it was made of one."""
    found = sample.metadata.get(EXECUTION_KEY)
    if not isinstance(found, Mapping) or found.get("platform") != platform:
        return None
    trace_id, span_id = found.get("trace_id"), found.get("span_id")
    is_link = isinstance(trace_id, str) and isinstance(span_id, str) and span_id != ""
    return ExecutionLink(str(trace_id), str(span_id)) if is_link else None


def collect(
    platform: Platform,
    query: ExecutionQuery,
    dataset: str,
    *,
    to: Platform | Sequence[Platform] | None = None,
    expected: Expected | None = None,
    description: str = "",
    preparation: Preparation | None = None,
    progress: Callable[[int], None] | None = None,
) -> PushReport:
    """Bring recorded executions into a dataset; blocking form of :func:`collect_async`."""
    targets = _targets(platform, to)
    others = [target for target in targets if target is not platform]
    return blocking(
        lambda: collect_async(
            platform,
            query,
            dataset,
            to=targets,
            expected=expected,
            description=description,
            preparation=preparation,
            progress=progress,
        ),
        platform,
        *others,
    )


async def collect_async(
    platform: Platform,
    query: ExecutionQuery,
    dataset: str,
    *,
    to: Platform | Sequence[Platform] | None = None,
    expected: Expected | None = None,
    description: str = "",
    preparation: Preparation | None = None,
    progress: Callable[[int], None] | None = None,
) -> PushReport:
    """Make samples of recorded executions and push them, pictures and all, with a link to each span.

    The same execution is the same sample: collecting again adds what is new and updates what was said since.
    Nothing is deleted. Executions are streamed; an execution or a picture that cannot be used is reported and
    costs no other.

    Args:
        platform: Where the executions were recorded.
        query: Which of them.
        dataset: Name of the dataset to add to; made when there is none.
        to: Where the dataset is; by default on the same platform.
        expected: Gives the expected value; see :func:`answered` and :func:`scored`. Empty by default.
        description: For people.
        preparation: What is done to pictures before they leave; as for ``push``.
        progress: Told how many executions have been dealt with.

    Raises:
        PlatformError: The project is not there, or the platform broke down; run it again.
    """
    loop = asyncio.get_running_loop()
    async with aclosing(_read(platform, query)) as executions:
        source = _ExecutionSource(platform, query, executions, loop, expected)
        chosen = ImageDataset(dataset, source, description)
        return await push_async(chosen, _targets(platform, to), preparation=preparation, progress=progress)


@dataclass(frozen=True)
class _ExecutionSource:
    """Executions as entries: the event loop reads them, the thread that reads sources asks for them."""

    platform: Platform
    query: ExecutionQuery
    executions: AsyncIterator[Execution]
    loop: asyncio.AbstractEventLoop
    expected: Expected | None = field(default=None)

    def entries(self) -> Iterator[Entry]:
        """A sample for each execution, an error in the place of each that cannot be one."""
        while True:
            execution = asyncio.run_coroutine_threadsafe(self._next(), self.loop).result()
            if execution is None:
                return
            try:
                yield sample_of(execution, self.platform, expected=self.expected)
            except SampleError as error:
                yield error

    def provenance(self) -> Mapping[str, Any]:
        """The platform, and what was asked for."""
        asked = {
            "project": self.query.project,
            "name": self.query.name,
            "kind": self.query.kind,
            "start": self.query.start.isoformat() if self.query.start else None,
            "end": self.query.end.isoformat() if self.query.end else None,
            "scores": [str(condition) for condition in self.query.scores] or None,
        }
        said = {key: value for key, value in asked.items() if value is not None}
        return {"url": self.platform.location, "platform": self.platform.name, "executions": said}

    async def _next(self) -> Execution | None:
        return await anext(self.executions, None)


async def _read(platform: Platform, query: ExecutionQuery) -> AsyncGenerator[Execution, None]:
    async for execution in platform.executions.read(query):
        yield execution


def _targets(platform: Platform, to: Platform | Sequence[Platform] | None) -> Sequence[Platform]:
    if to is None:
        return [platform]
    targets = list(to) if isinstance(to, Sequence) else [to]
    if not targets:
        raise UsageError("say where the dataset is: give at least one platform")
    return targets
