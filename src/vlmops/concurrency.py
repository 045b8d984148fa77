"""Doing many things at once, but not too many."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def for_each(
    items: AsyncIterable[T] | Iterable[T], work: Callable[[T], Awaitable[None]], *, limit: int
) -> None:
    """Do ``work`` for every item, at most ``limit`` at once; items are taken only as places become free.

    When one raises, no further item is taken, what runs is cancelled, and the first error is raised as it is.

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
        finally:
            gate.release()

    try:
        async with asyncio.TaskGroup() as tasks:
            async for item in _streamed(items):
                await gate.acquire()
                tasks.create_task(one(item))
    except BaseExceptionGroup as group:
        raise _first(group) from None


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


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
