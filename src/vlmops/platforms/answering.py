"""How a sample is answered within an experiment, the same on every platform."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextvars import ContextVar
from math import inf
from typing import TYPE_CHECKING, TypeVar

from vlmops.characters import whole, whole_record
from vlmops.concurrency import for_each
from vlmops.errors import PrerequisiteError, RunStopped, UsageError
from vlmops.evaluators.case import Case
from vlmops.evaluators.failure import Failure, FailureKind

if TYPE_CHECKING:
    from vlmops.datasets import Sample
    from vlmops.models import ModelReply
    from vlmops.platforms.records import ExperimentPlan

T = TypeVar("T")

_repetition: ContextVar[int] = ContextVar("vlmops_repetition", default=1)


def current_repetition() -> int:
    """Which of several answers to the same sample is being asked for, counted from 1; 1 outside of any run.

    Example:
        >>> current_repetition()
        1
    """
    return _repetition.get()


async def answered(plan: ExperimentPlan, sample: Sample, repetition: int = 1) -> ModelReply | Failure:
    """What the plan's task answers, or the failure in its place.

    Whatever the task raises is a failure of this one answer, except for what would spoil every answer.

    Where a model broke off within a character, U+FFFD stands for the half of it, which no platform could be
    sent: what evaluators see is what is kept.

    Raises:
        RunStopped: The run is to end here, e.g. since a budget is spent.
        PrerequisiteError: Something is missing that every answer needs.
        UsageError: The task cannot be carried out as asked.
    """
    token = _repetition.set(repetition)
    limit = asyncio.timeout(None if plan.timeout == inf else plan.timeout)
    try:
        async with limit:
            return whole_record(await plan.task(sample))
    except TimeoutError as error:
        late = f"no answer within {plan.timeout:g} s"
        return Failure(FailureKind.TIMEOUT, late if limit.expired() else whole(f"the task gave up: {error}"))
    except (RunStopped, PrerequisiteError, UsageError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever the user's task raises is a recorded failure
        return Failure(FailureKind.TASK_ERROR, whole(f"{type(error).__name__}: {error}"))
    finally:
        _repetition.reset(token)


def case_of(sample: Sample, answer: ModelReply | Failure) -> Case:
    """What evaluators see of an answer.

    Example:
        >>> from vlmops.datasets import Sample
        >>> from vlmops.models import ModelReply
        >>> case_of(Sample("a", {"n": 1}, expected="1"), ModelReply("1", "1", latency=0.5)).latency
        0.5
    """
    if isinstance(answer, Failure):
        return Case(answer, sample.expected, sample.inputs, sample.id, sample.metadata, answer.usage)
    return Case(
        answer.output,
        sample.expected,
        sample.inputs,
        sample.id,
        sample.metadata,
        answer.usage,
        answer.latency,
    )


async def answer_each(
    items: AsyncIterable[T] | Iterable[T], work: Callable[[T], Awaitable[None]], *, limit: int
) -> str:
    """Do ``work`` for every item, at most ``limit`` at once, until one stops the run.

    Once one raises :class:`~vlmops.errors.RunStopped`, no further item is begun, and what is under way is
    finished: it may have been paid for.

    Returns:
        Why the run was stopped; empty if every item is done.

    Example:
        >>> async def work(item: int) -> None:
        ...     if item == 3:
        ...         raise RunStopped("enough")
        >>> asyncio.run(answer_each(range(10), work, limit=1))
        'enough'
    """
    reasons: list[str] = []

    async def one(item: T) -> None:
        if reasons:
            return
        try:
            await work(item)
        except RunStopped as stopped:
            reasons.append(str(stopped))

    async def begun() -> AsyncIterator[T]:
        if isinstance(items, AsyncIterable):
            async for item in items:
                if reasons:
                    return
                yield item
        else:
            for item in items:
                if reasons:
                    return
                yield item

    await for_each(begun(), one, limit=limit)
    return reasons[0] if reasons else ""
