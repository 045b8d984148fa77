"""Many things at once: order, limits, and what becomes of the others when one fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from vlmops.concurrency import for_each, map_each

Work = Callable[[int], Awaitable[int]]
Each = Callable[[list[int], Work], Awaitable[object]]


async def through_for_each(items: list[int], work: Work) -> None:
    async def done(item: int) -> None:
        await work(item)

    await for_each(items, done, limit=10)


async def through_map_each(items: list[int], work: Work) -> list[int]:
    return await map_each(items, work)


both = pytest.mark.parametrize("each", [through_for_each, through_map_each])


def test_results_stand_in_the_order_of_the_items() -> None:
    async def run() -> list[int]:
        last_is_done = asyncio.Event()

        async def work(item: int) -> int:
            if item == 2:
                last_is_done.set()
            await last_is_done.wait()
            return 10 * item

        return await map_each([0, 1, 2], work)

    assert asyncio.run(run()) == [0, 10, 20]
    assert asyncio.run(map_each([], asyncio.sleep)) == []


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_no_more_than_the_limit_are_under_way(limit: int) -> None:
    under_way: set[int] = set()
    most = 0

    async def work(item: int) -> int:
        nonlocal most
        under_way.add(item)
        most = max(most, len(under_way))
        await asyncio.sleep(0)
        under_way.remove(item)
        return item

    assert asyncio.run(map_each(range(12), work, limit=limit)) == list(range(12))
    assert most == limit


@both
def test_an_error_ends_the_others_before_it_is_raised(each: Each) -> None:
    ended: list[int] = []

    async def work(item: int) -> int:
        if item == 2:
            await asyncio.sleep(0)
            raise ValueError("the second")
        try:
            await asyncio.Event().wait()
        finally:
            # What takes a moment to end is waited for.
            await asyncio.sleep(0)
            ended.append(item)
        return item

    async def run() -> list[int]:
        with pytest.raises(ValueError, match="the second"):
            await each([1, 2, 3], work)
        return sorted(ended)

    assert asyncio.run(run()) == [1, 3]


@both
def test_an_error_keeps_its_cause(each: Each) -> None:
    cause = OSError("the cable")

    async def work(item: int) -> int:
        raise ValueError(f"no {item}") from cause

    with pytest.raises(ValueError, match="no 1") as caught:
        asyncio.run(_as_coroutine(each([1, 2], work)))
    assert caught.value.__cause__ is cause


@both
def test_a_group_of_errors_that_work_raises_stays_one(each: Each) -> None:
    async def work(item: int) -> int:
        raise ExceptionGroup("several", [ValueError("a"), ValueError("b")])

    with pytest.raises(ExceptionGroup, match="several") as caught:
        asyncio.run(_as_coroutine(each([1], work)))
    assert len(caught.value.exceptions) == 2


@both
def test_what_is_cancelled_by_others_does_not_pass_for_done(each: Each) -> None:
    async def run() -> str:
        awaited: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def work(item: int) -> int:
            return await awaited

        asyncio.get_running_loop().call_soon(awaited.cancel)
        try:
            await each([1, 2], work)
        except asyncio.CancelledError:
            return "cancelled"
        return "done"

    assert asyncio.run(run()) == "cancelled"


@both
def test_who_is_cancelled_takes_the_work_along(each: Each) -> None:
    ended: list[int] = []

    async def work(item: int) -> int:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(item)
        return item

    async def run() -> None:
        task = asyncio.ensure_future(each([1, 2], work))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert sorted(ended) == [1, 2]


def test_an_error_of_the_source_ends_what_runs() -> None:
    ended: list[int] = []

    async def items() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(0)
        raise OSError("the disk")

    async def work(item: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(item)

    with pytest.raises(OSError, match="the disk"):
        asyncio.run(for_each(items(), work, limit=3))
    assert ended == [1]


async def _as_coroutine(work: Awaitable[object]) -> object:
    return await work
