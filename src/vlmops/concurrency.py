"""Doing many things at once, but not too many."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def for_each(
    items: AsyncIterable[T] | Iterable[T], work: Callable[[T], Awaitable[None]], *, limit: int
) -> None:
    """Do ``work`` for every item, at most ``limit`` at once; items are taken only as places become free.

    When one raises, no further item is taken, what runs is cancelled and awaited, and the first error is
    raised as it is: nothing goes on behind the caller's back.

    Example:
        >>> seen = []
        >>> async def see(item: int) -> None:
        ...     seen.append(item)
        >>> asyncio.run(for_each(range(3), see, limit=2))
        >>> sorted(seen)
        [0, 1, 2]
    """
    gate = asyncio.Semaphore(limit)

    async def one(item: T) -> None:
        try:
            await work(item)
        except asyncio.CancelledError as cancelled:
            if _is_being_cancelled():
                raise
            # A task group takes no note of a child whose cancelling it did not ask for.
            raise _CancelledWithin(cancelled) from None
        finally:
            gate.release()

    try:
        async with asyncio.TaskGroup() as tasks:
            async for item in _streamed(items):
                await gate.acquire()
                tasks.create_task(one(item))
    except BaseExceptionGroup as group:
        first = group.exceptions[0]
    else:
        return
    # Outside of the clause, so that the error keeps the cause it has.
    try:
        raise first.cancelled if isinstance(first, _CancelledWithin) else first
    finally:
        del first


async def map_each(
    items: Iterable[T], work: Callable[[T], Awaitable[R]], *, limit: int | None = None
) -> list[R]:
    """What ``work`` gives for every item, in the order of the items.

    When one raises, the others are ended as by :func:`for_each`; ``asyncio.gather`` would let them go on.

    Args:
        items: What to do it for.
        work: What to do.
        limit: How many at once; all when ``None``.

    Example:
        >>> async def doubled(item: int) -> int:
        ...     return 2 * item
        >>> asyncio.run(map_each([1, 2, 3], doubled))
        [2, 4, 6]
    """
    chosen = list(items)
    if len(chosen) == 1:
        # A task of its own would cost more than much of what is done for one item alone.
        return [await work(chosen[0])]
    results: dict[int, R] = {}

    async def one(numbered: tuple[int, T]) -> None:
        number, item = numbered
        results[number] = await work(item)

    await for_each(enumerate(chosen), one, limit=len(chosen) if limit is None else limit)
    return [results[number] for number in range(len(chosen))]


async def batches(items: AsyncIterable[T], size: int) -> AsyncIterator[list[T]]:
    """The items in lists of ``size``, the last one maybe shorter; one list is held at a time.

    Example:
        >>> async def letters():
        ...     for letter in "abc":
        ...         yield letter
        >>> async def lists():
        ...     return [batch async for batch in batches(letters(), 2)]
        >>> asyncio.run(lists())
        [['a', 'b'], ['c']]
    """
    batch: list[T] = []
    async for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


async def _streamed(items: AsyncIterable[T] | Iterable[T]) -> AsyncIterable[T]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item


class _CancelledWithin(Exception):  # noqa: N818 - carries what is no error
    """What was being waited for has been cancelled, and not who waited."""

    def __init__(self, cancelled: asyncio.CancelledError) -> None:
        super().__init__()
        self.cancelled = cancelled


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
