"""What an evaluator is: two small protocols, and how one is run."""

from __future__ import annotations

import inspect
import threading
import time
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar, runtime_checkable

from vlmops.characters import whole, whole_record
from vlmops.concurrency import for_each
from vlmops.errors import RunStopped
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.score import Score, SetScore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from vlmops.evaluators.case import Case

T = TypeVar("T")

_THREAD_SECONDS = 0.05
_OVERDUE_SECONDS = 0.2
"""A thread that has not come back by then is held up by something heavy: the others go on without it."""
_QUICK_SECONDS = 0.001
"""Threads that share what takes less than this get in each other's way."""

Result = Score | list[Score] | Failure
"""What evaluating one case gives."""

Annotator = Literal["CODE", "LLM", "HUMAN"]
"""Whether code, a model or a person gave a score."""

SetResult = SetScore | list[SetScore] | Failure
"""What evaluating a whole set of cases gives."""


@runtime_checkable
class Evaluator(Protocol):
    """Scores one case at a time; ``evaluate`` may be a coroutine function."""

    @property
    def name(self) -> str:
        """Name of the score it gives, or the common prefix when it gives several."""
        ...

    def evaluate(self, case: Case) -> Result | Awaitable[Result]:
        """Score one case, or say why it could not be scored."""
        ...


@runtime_checkable
class SetEvaluator(Protocol):
    """Scores a whole set of cases at once, for metrics that are more than a mean (micro CER, mAP, F1).

    A class may be both an :class:`Evaluator` and a :class:`SetEvaluator`.
    """

    @property
    def name(self) -> str:
        """Name of the score it gives, or the common prefix when it gives several."""
        ...

    def evaluate_set(self, cases: Sequence[Case]) -> SetResult | Awaitable[SetResult]:
        """Score all cases together; cases it cannot use are counted in ``failures``."""
        ...


def applies(evaluator: object, case: Case) -> bool:
    """Whether the evaluator has anything to say of this case; ``True`` for those that do not decide it.

    Example:
        >>> from vlmops.evaluators import Case, CharacterErrorRate
        >>> applies(CharacterErrorRate(), Case(output="ab"))
        False
    """
    decide = getattr(evaluator, "applies", None)
    return decide is None or bool(decide(case))


def annotator_of(evaluator: object) -> Annotator:
    """Who gives its scores: what its attribute ``annotator`` says, else code.

    Example:
        >>> from vlmops.evaluators import CharacterErrorRate
        >>> annotator_of(CharacterErrorRate())
        'CODE'
    """
    said: Annotator = getattr(evaluator, "annotator", "CODE")
    return said


async def evaluate(evaluator: Evaluator | SetEvaluator, case: Case) -> Result:
    """Run an evaluator, sync or async, on one case; what it raises becomes a :class:`Failure`.

    Where a judge's words break off within a character, U+FFFD stands for the half of it, which could not be
    written anywhere.

    That a budget is spent is nobody's failure: it is raised, and ends the run. An evaluator of whole sets
    alone (BLEU) has nothing to say of one case: it gives an empty list.

    Example:
        >>> import asyncio
        >>> from vlmops.evaluators import Case, CharacterErrorRate
        >>> asyncio.run(evaluate(CharacterErrorRate(), Case(output="ab", expected="ac"))).value
        0.5
    """
    result = _begun(evaluator, case)
    return await _ended(evaluator, result) if inspect.isawaitable(result) else result


async def evaluate_in_thread(evaluator: Evaluator | SetEvaluator, case: Case) -> Result:
    """As :func:`evaluate`, so that a heavy metric stalls nothing else on the running event loop.

    A coroutine stays on the loop, to which its connections belong; anything else gets a thread.
    """
    import asyncio

    if _on_loop(evaluator):
        return await evaluate(evaluator, case)
    return await asyncio.to_thread(_evaluated, evaluator, case)


async def evaluate_each(
    pairs: Sequence[tuple[T, Evaluator, Case]],
    done: Callable[[Sequence[tuple[T, Result]]], None],
    *,
    limit: int,
) -> None:
    """As :func:`evaluate_in_thread` for many, at most ``limit`` at once.

    A way to a thread and back costs more than most metrics: a thread takes as many as it gets done in 50 ms,
    so that heavy ones still come back one by one; and where that is many, one thread is faster than several.

    Args:
        pairs: What the caller knows an evaluation by, who evaluates, and what.
        done: Told of results as they come, on the caller's event loop.
        limit: How many threads there are at most, and how many coroutines are under way.

    Example:
        >>> import asyncio
        >>> from vlmops.evaluators import Case, CharacterErrorRate
        >>> found = {}
        >>> pairs = [("first", CharacterErrorRate(), Case(output="ab", expected="ac"))]
        >>> asyncio.run(evaluate_each(pairs, found.update, limit=4))
        >>> found["first"].value
        0.5
    """
    import asyncio

    here: list[tuple[T, Evaluator, Case]] = []
    aside: list[tuple[T, Evaluator, Case]] = []
    for pair in pairs:
        (here if _on_loop(pair[1]) else aside).append(pair)
    waiting, lock = iter(aside), threading.Lock()
    heavy, loop = asyncio.Event(), asyncio.get_running_loop()

    async def lane(number: int) -> None:
        if number:
            await heavy.wait()
        while True:
            overdue = loop.call_later(_OVERDUE_SECONDS, heavy.set)
            try:
                batch, error = await asyncio.to_thread(_evaluated_meanwhile, waiting, lock)
            finally:
                overdue.cancel()
            if len(batch) < _THREAD_SECONDS / _QUICK_SECONDS:
                # So few may also be the last of them: then the others wake up for nothing.
                heavy.set()
            done(batch)
            if error is not None:
                raise error
            if not batch:
                return

    async def one(pair: tuple[T, Evaluator, Case]) -> None:
        known_by, evaluator, case = pair
        done([(known_by, await evaluate(evaluator, case))])

    await for_each(range(min(limit, len(aside))), lane, limit=limit)
    await for_each(here, one, limit=limit)


def _on_loop(evaluator: Evaluator | SetEvaluator) -> bool:
    return inspect.iscoroutinefunction(getattr(evaluator, "evaluate", None))


def _evaluated_meanwhile(
    waiting: Iterator[tuple[T, Evaluator, Case]], lock: threading.Lock
) -> tuple[list[tuple[T, Result]], RunStopped | None]:
    """What one thread gets done before its time is up, and why the run is to end, if it is."""
    found: list[tuple[T, Result]] = []
    end = time.monotonic() + _THREAD_SECONDS
    while not found or time.monotonic() < end:
        with lock:
            pair = next(waiting, None)
        if pair is None:
            break
        known_by, evaluator, case = pair
        try:
            found.append((known_by, _evaluated(evaluator, case)))
        except RunStopped as stopped:
            return found, stopped
    return found, None


def _evaluated(evaluator: Evaluator | SetEvaluator, case: Case) -> Result:
    """Without an event loop where none is needed: making one takes longer than most metrics."""
    import asyncio

    result = _begun(evaluator, case)
    return asyncio.run(_ended(evaluator, result)) if inspect.isawaitable(result) else result


def _begun(evaluator: Evaluator | SetEvaluator, case: Case) -> Result | Awaitable[Result]:
    # Not isinstance: that of a protocol looks at every member, for every case.
    evaluate: Callable[[Case], Result | Awaitable[Result]] | None = getattr(evaluator, "evaluate", None)
    if evaluate is None:
        return []
    try:
        return _whole(evaluate(case))
    except RunStopped:
        raise
    except Exception as error:  # noqa: BLE001 - any bug of a third party's evaluator is a counted failure
        return _bug(evaluator, error)


async def _ended(evaluator: Evaluator | SetEvaluator, result: Awaitable[Result]) -> Result:
    try:
        return _whole(await result)
    except RunStopped:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        return _bug(evaluator, error)


def _whole(result: T) -> T | list[Score]:
    """Without halves of characters, where a judge broke off within one: they could not be sent anywhere."""
    return [whole_record(each) for each in result] if isinstance(result, list) else whole_record(result)


def _bug(evaluator: Evaluator | SetEvaluator, error: Exception) -> Failure:
    said = whole(f"{type(error).__name__}: {error}")
    return Failure(FailureKind.EVALUATOR_ERROR, said, evaluator=evaluator.name)
