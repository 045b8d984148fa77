"""Asking one model: a place in its lane, a share of the budget, and as many tries as it takes."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from vlmops.engine.budget import tokens_of
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.models.model import Model, ModelReply, ModelRequest, Preparing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vlmops.engine.expectation import Estimator
    from vlmops.engine.flight import Flight
    from vlmops.engine.lane import Lane
    from vlmops.engine.limits import Retry
    from vlmops.engine.purse import Purse
    from vlmops.engine.tally import Tally
    from vlmops.evaluators.case import Usage
    from vlmops.images.preparation import Preparation

_ANSWERED = frozenset(
    {
        FailureKind.REFUSAL,
        FailureKind.UNPARSABLE,
        FailureKind.SCHEMA_MISMATCH,
        FailureKind.TRUNCATED,
        FailureKind.CONTENT_FILTER,
        FailureKind.MISSING_OUTPUT,
        FailureKind.TIMEOUT,
    }
)
"""Kinds for which the provider has worked, or may have: they count as what was expected of the call."""

_TRANSIENT = frozenset({FailureKind.RATE_LIMIT, FailureKind.TIMEOUT})


@dataclass(frozen=True, slots=True)
class _Tried:
    """What one try gave, when it was sent, and how many seconds it took."""

    outcome: ModelReply | Failure
    began: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Planned:
    """A request, and what was found out about it before its turn.

    Attributes:
        request: What is asked.
        expected: What a call is expected to take.
        ready: Asks it once, its pictures ready to go; ``None`` where they are to be made ready in its turn.
    """

    request: ModelRequest
    expected: Usage
    ready: Callable[[], Awaitable[ModelReply | Failure]] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Asking:
    """How one model is asked within an engine; belongs to the engine's loop.

    Attributes:
        model: Who answers, in one try.
        lane: The way to it.
        retry: What is tried again.
        purse: The budget.
        estimator: What a call is expected to take.
        tally: What has been done so far.
    """

    model: Model
    lane: Lane
    retry: Retry
    purse: Purse
    estimator: Estimator
    tally: Tally

    @property
    def preparation(self) -> Preparation | None:
        """What becomes of pictures before the model is sent them, where it says so."""
        return getattr(getattr(self.model, "delivery", None), "preparation", None)

    def has_all(self, request: ModelRequest) -> bool:
        """Whether its pictures are read and prepared already, so that planning it takes no time."""
        if not isinstance(self.model, Preparing):
            return all(picture.is_known for picture in request.pictures)
        preparation = self.preparation
        return preparation is not None and all(picture.prepared(preparation) for picture in request.pictures)

    def planned(self, request: ModelRequest) -> Planned:
        """What can be done before its turn; reads pictures not yet at hand: call it in a thread then.

        Pictures are made ready only where there is room: those of requests that wait would fill the memory.

        Raises:
            ImageError: A picture cannot be read, or cannot be made to fit the model.
            UsageError: As the model.
        """
        expected = self.estimator.expected(self.model, request)
        if isinstance(self.model, Preparing) and self.lane.has_room:
            return Planned(request, expected, self.model.prepared(request))
        return Planned(request, expected)

    async def answer(self, planned: Planned, flight: Flight) -> ModelReply | Failure:
        """The answer of the first try that gave one, or the failure of the last.

        Raises:
            RunStopped: The budget does not allow another call.
        """
        left, number = self.retry.deadline, 0
        while True:
            number += 1
            tried = await self._try(planned, left, flight)
            planned = replace(planned, ready=None)
            left -= tried.seconds
            if isinstance(tried.outcome, ModelReply) or not self._again(tried.outcome, number):
                return self._counted(tried.outcome, number)
            pause = self._pause(tried.outcome, number, tried.began)
            if flight.abandoned or pause is None or pause >= left:
                return self._counted(tried.outcome, number)
            self.tally.retries += 1
            left -= pause
            await asyncio.sleep(pause)

    async def _try(self, planned: Planned, left: float, flight: Flight) -> _Tried:
        expected = planned.expected
        async with self.lane.place(tokens_of(expected)):
            if flight.abandoned:
                raise asyncio.CancelledError
            await self.purse.reserve(expected)
            spent: Usage | None = None
            began = time.monotonic()
            try:
                self.tally.calls += 1
                outcome = await flight.out(self._within(planned, left))
                spent = _spent(outcome, expected)
            finally:
                self.purse.settle(expected, spent)
            if isinstance(outcome, ModelReply):
                self.lane.answered()
            self.lane.correct(tokens_of(expected), tokens_of(spent or expected))
            self._count_usage(spent)
            return _Tried(outcome, began, time.monotonic() - began)

    async def _within(self, planned: Planned, left: float) -> ModelReply | Failure:
        seconds = left if self.retry.timeout is None else min(left, self.retry.timeout)
        try:
            async with asyncio.timeout(seconds):
                ready = planned.ready or partial(self.model.answer, planned.request)
                return await ready()
        except TimeoutError:
            return Failure(FailureKind.TIMEOUT, f"{self.model.name} did not answer within {seconds:.3g} s")

    def _again(self, failure: Failure, number: int) -> bool:
        return (failure.kind in _TRANSIENT or failure.transient) and number < self.retry.tries

    def _pause(self, failure: Failure, number: int, began: float) -> float | None:
        """Seconds until the next try; ``None`` if the provider asks for more than anyone should wait."""
        asked = failure.retry_after
        if asked is not None and asked > self.retry.longest_wait:
            return None
        chance = random.random()  # noqa: S311 - spreads tries, guards nothing
        if failure.kind is not FailureKind.RATE_LIMIT and asked is None:
            return self.retry.pause(number, chance)
        wait = asked if asked is not None else self.retry.pause(self.lane.storms + 1, chance)
        if self.lane.pause(wait, began):
            self.tally.pauses += 1
        return 0.0

    def _counted(self, outcome: ModelReply | Failure, tries: int) -> ModelReply | Failure:
        if isinstance(outcome, ModelReply):
            self.tally.replies += 1
            if tries > 1:
                return replace(outcome, metadata={**outcome.metadata, "tries": tries})
            return outcome
        self.tally.failures[outcome.kind] += 1
        if tries > 1:
            return replace(outcome, message=f"{outcome.message} (tried {tries} times)")
        return outcome

    def _count_usage(self, spent: Usage | None) -> None:
        if spent is not None:
            self.tally.input_tokens += spent.input_tokens or 0
            self.tally.output_tokens += spent.output_tokens or 0
            self.tally.cost += spent.cost or 0.0


def _spent(outcome: ModelReply | Failure, expected: Usage) -> Usage | None:
    """What a call has consumed: as measured, else as expected where the provider has worked."""
    if outcome.usage is not None:
        cost = expected.cost if outcome.usage.cost is None else outcome.usage.cost
        return replace(outcome.usage, cost=cost)
    if isinstance(outcome, ModelReply) or outcome.kind in _ANSWERED:
        return expected
    return None
