"""The engine around every model call: cache, limits, retries, budget."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from vlmops.blocking import blocking
from vlmops.engine.asking import Asking, Planned
from vlmops.engine.flight import Flight
from vlmops.engine.home_loop import HomeLoop
from vlmops.engine.key import request_key
from vlmops.engine.lane import Lane
from vlmops.engine.limits import Limits, Retry
from vlmops.engine.purse import Purse
from vlmops.engine.tally import Tally
from vlmops.engine.workshop import Workshop
from vlmops.errors import ImageError, UsageError
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.models.cards import CardEstimator
from vlmops.models.model import Identified, Model, ModelReply, ModelRequest, Retrying, identity_of

if TYPE_CHECKING:
    from vlmops.engine.budget import Budget
    from vlmops.engine.cache import ResponseCache
    from vlmops.engine.expectation import Estimator
    from vlmops.engine.workshop import AtHand

_GRACE = 30.0


class Engine:
    """Makes calls to models cheap, bounded and safe to repeat: :meth:`model` gives any model that care.

    All calls run in one event loop: its models may be used from any thread and any loop, share connections
    and limits, and a caller that is cancelled loses no answer that is paid for. It is the loop in which the
    engine is entered with ``async with``, which is the fastest for callers there, else one in a thread of the
    engine's own. Close it when done: it sees calls through that are out, for up to 30 s, and keeps their
    answers.

    Args:
        cache: Where replies are kept, and looked for first; ``None`` keeps them as long as the engine lives.
            Of a model that does not say what its answers depend on (``identity()``), they are kept no longer
            than that in any case.
        limits: How fast each model may be asked, or by a model's name; those without get the defaults.
        retry: What is tried again, and how long.
        budget: What may be spent; ``None`` for as much as it takes.
        estimator: What calls are expected to take, for limits on tokens and for the budget; the models' cards
            when ``None``.
        fresh: Whether replies kept before this engine was made are asked for anew.

    Attributes:
        tally: What it has done so far.

    Example:
        >>> import asyncio
        >>> from vlmops.models import ModelReply, ModelRequest
        >>> class Parrot:
        ...     name = "parrot"
        ...     async def answer(self, request):
        ...         return ModelReply(request.prompt, request.prompt)
        >>> with Engine() as engine:
        ...     parrot = engine.model(Parrot())
        ...     replies = [asyncio.run(parrot.answer(ModelRequest("hello"))) for _ in range(2)]
        >>> [reply.cached for reply in replies], engine.tally.calls
        ([False, True], 1)
    """

    def __init__(
        self,
        *,
        cache: ResponseCache | None = None,
        limits: Limits | Mapping[str, Limits] | None = None,
        retry: Retry | None = None,
        budget: Budget | None = None,
        estimator: Estimator | None = None,
        fresh: bool = False,
    ) -> None:
        self.tally = Tally()
        self._cache = cache
        self._limits = limits or Limits()
        self._retry = retry or Retry()
        self._budget = budget
        self._estimator = estimator or CardEstimator()
        self._since = time.time() if fresh else 0.0
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._models: list[Model] = []
        self._flights: dict[bytes, Flight] = {}
        self._purse = Purse(budget)
        self._lock = threading.Lock()
        self._entered: asyncio.AbstractEventLoop | None = None
        self._started: Workshop | None = None

    def model(self, model: Model) -> EngineModel:
        """The model, asked through this engine; one that an engine asks already stays as it is.

        Raises:
            UsageError: There is a budget in dollars, and no price is known for the model.
        """
        if isinstance(model, EngineModel):
            return model
        asked = model.without_retries() if isinstance(model, Retrying) else model
        identity = identity_of(model)
        if not isinstance(model, Identified):
            identity = {**identity, "object": len(self._models)}
        self._require_price(model)
        lane = self._lane(model.name, str(identity.get("address", "")))
        self._models.append(asked)
        asking = Asking(asked, lane, self._retry, self._purse, self._estimator, self.tally)
        shared = self._cache if isinstance(model, Identified) else None
        return EngineModel(self, model, asking, identity, shared)

    def close(self) -> None:
        """See calls through that are out, keep their answers, and let go of connections and threads.

        Raises:
            UsageError: It was entered with ``async with`` in the loop that this call would hold up.
        """
        blocking(self.aclose)

    async def aclose(self) -> None:
        """As :meth:`close`, without holding up the caller's loop."""
        with self._lock:
            workshop = self._started
            if workshop is not None and not workshop.home.is_over:
                workshop.home.require_awake()
            self._started = self._entered = None
        if workshop is not None:
            # Who stops waiting does not stop it: threads and processes would stay.
            await asyncio.shield(workshop.close(self._drain))

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    async def __aenter__(self) -> Engine:
        self._entered = asyncio.get_running_loop()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    def _workshop(self) -> Workshop:
        with self._lock:
            if self._started is None:
                self._started = Workshop(HomeLoop(self._entered))
            return self._started

    def _lane(self, name: str, address: str) -> Lane:
        limits = self._limits
        if isinstance(limits, Mapping):
            limits = limits.get(name) or Limits()
        return self._lanes.setdefault((name, address), Lane(limits))

    def _require_price(self, model: Model) -> None:
        if self._budget is None or self._budget.usd is None:
            return
        if self._estimator.expected(model, ModelRequest("")).cost is None:
            raise UsageError(
                f"no price is known for {model.name}, so a budget in dollars cannot be kept: add its price, "
                "or give a budget in tokens"
            )

    async def _answer(self, asked: EngineModel, request: ModelRequest) -> ModelReply | Failure:
        workshop = self._workshop()
        return await workshop.home.run(self._answered(workshop, asked, request))

    async def _answered(
        self, workshop: Workshop, asked: EngineModel, request: ModelRequest
    ) -> ModelReply | Failure:
        """Runs on the engine's loop, as all that follows unless it says otherwise."""
        pictures, preparation = request.pictures, asked.asking.preparation
        look = partial(self._looked_up, workshop, asked, request)
        try:
            found = await workshop.look_up(pictures, look, preparation if asked.is_new else None)
            if isinstance(found, ModelReply):
                return found
            question, planned = found
            if planned is None:
                planned = await workshop.read(pictures, question.plan)
        except ImageError as error:
            self.tally.failures[FailureKind.BAD_IMAGE] += 1
            return Failure(FailureKind.BAD_IMAGE, str(error))
        return await self._flown(workshop, question, planned)

    def _looked_up(
        self, workshop: Workshop, asked: EngineModel, request: ModelRequest, hand: AtHand
    ) -> ModelReply | tuple[_Question, Planned | None]:
        """The reply that is kept, or what is to be asked, planned where that holds up nothing."""
        cache = asked.cache or workshop.aside
        key = request_key(asked.identity(), request, hand.stands_for)
        kept = cache.get(key, self._since)
        asked.is_new = kept is None
        if kept is not None:
            return self._count_kept(kept)
        question = _Question(asked, key, request, cache, hand)
        can_plan = hand.may_read or (not hand.unread and asked.asking.has_all(request))
        return question, question.plan() if can_plan else None

    async def _flown(self, workshop: Workshop, question: _Question, planned: Planned) -> ModelReply | Failure:
        """Joins whoever asks the same already, or asks."""
        key = question.key
        flight = self._flights.get(key)
        if flight is not None:
            self.tally.shared += 1
            return await flight.join()

        async def ask(flight: Flight) -> ModelReply | Failure:
            try:
                if workshop.landed.since(question.hand.mark, key) and (since := await self._again(question)):
                    return self._count_kept(since)
                answer = await question.asked.asking.answer(planned, flight)
                if isinstance(answer, ModelReply):
                    kept = workshop.writer.keep(question.cache, key, question.asked.name, answer)
                    await flight.out(kept)
                    workshop.landed.add(key)
                return answer
            finally:
                del self._flights[key]

        flight = self._flights[key] = Flight(ask)
        return await flight.join()

    async def _again(self, question: _Question) -> ModelReply | None:
        """Look once more: a call that was under way when we looked has brought the answer since."""
        return await asyncio.to_thread(question.cache.get, question.key, self._since)

    def _count_kept(self, reply: ModelReply) -> ModelReply:
        with self._lock:
            self.tally.cached += 1
            if reply.usage is not None:
                self.tally.saved += reply.usage.cost or 0.0
        # Platforms keep the metadata of replies.
        return replace(reply, metadata={**reply.metadata, "cached": True})

    async def _drain(self) -> None:
        for flight in list(self._flights.values()):
            flight.give_up_if_idle()
        if under_way := [flight.task for flight in self._flights.values()]:
            _, late = await asyncio.wait(under_way, timeout=_GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for lane in self._lanes.values():
            lane.leave_loop()
        self._purse.leave_loop()
        async with AsyncExitStack() as stack:
            for model in self._models:
                if (aclose := getattr(model, "aclose", None)) is not None:
                    stack.push_async_callback(aclose)


class EngineModel:
    """A model as an engine asks it; made by :meth:`Engine.model`.

    Attributes:
        name: The model's own.
        cache: Where its replies are kept; ``None`` where that is no longer than the engine lives.
        asking: How it is asked.
        is_new: Whether the reply that was last looked for was not kept.
    """

    def __init__(
        self,
        engine: Engine,
        model: Model,
        asking: Asking,
        identity: Mapping[str, Any],
        cache: ResponseCache | None,
    ) -> None:
        self.name = model.name
        self.cache = cache
        self.asking = asking
        self.is_new = False
        self._engine = engine
        self._identity = identity

    def __repr__(self) -> str:
        return f"EngineModel({self.name!r})"

    def identity(self) -> Mapping[str, Any]:
        """The model's own, as it was when the engine took it in."""
        return self._identity

    async def answer(self, request: ModelRequest) -> ModelReply | Failure:
        """The reply kept from an earlier call (``cached``), or the outcome of as many tries as it takes.

        Raises:
            BudgetSpent: The budget does not allow another call.
            PrerequisiteError: As the model.
            UsageError: As the model.
        """
        return await self._engine._answer(self, request)


@dataclass(frozen=True, slots=True)
class _Question:
    """What is not kept and is to be asked; ``hand`` is what it was looked for with."""

    asked: EngineModel
    key: bytes
    request: ModelRequest
    cache: ResponseCache
    hand: AtHand

    def plan(self) -> Planned:
        """How to ask it; reads pictures that are not at hand."""
        for picture in self.request.pictures:
            if id(picture) in self.hand.unread:
                self.hand.read(picture)
        return self.asked.asking.planned(self.request)
