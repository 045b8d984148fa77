"""Buckets, budgets and waits: pure arithmetic on a clock that the test holds."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.engine import Budget, Limits, Retry
from vlmops.engine.lane import Lane
from vlmops.engine.rate import TokenBucket
from vlmops.errors import BudgetSpent, UsageError
from vlmops.evaluators import Usage

amounts = st.lists(st.floats(0.1, 50), min_size=1, max_size=60)


@given(per_minute=st.floats(1, 6000), amounts=amounts)
def test_no_minute_sees_more_than_the_limit_and_what_one_call_takes(
    per_minute: float, amounts: list[float]
) -> None:
    now, bucket, sent = 0.0, TokenBucket(per_minute, now=0.0), []
    for amount in amounts:
        now += bucket.wait(amount, now)
        bucket.take(amount)
        sent.append((now, amount))
    for start, _ in sent:
        within = [amount for at, amount in sent if start <= at < start + 60]
        assert sum(within) <= per_minute + 1 + max(within) + 1e-6


@given(per_minute=st.integers(1, 600))
def test_no_minute_sees_more_requests_than_the_limit(per_minute: int) -> None:
    now, sent, bucket = 0.0, 0, TokenBucket(per_minute, now=0.0)
    while (now := now + bucket.wait(1, now)) < 60 - 1e-6:
        bucket.take(1)
        sent += 1
    assert sent <= per_minute


async def test_tokens_given_back_wake_who_waits_for_them() -> None:
    lane = Lane(Limits(concurrency=4, tokens_per_minute=6000))
    async with lane.place(6000):
        """A call that turns out to take next to nothing."""

    async def second() -> str:
        async with lane.place(100):
            return "passed"

    waiting = asyncio.create_task(second())
    await asyncio.sleep(0)
    lane.correct(6000, 1)
    assert await asyncio.wait_for(waiting, timeout=10) == "passed"


def test_what_was_reserved_too_much_comes_back() -> None:
    bucket = TokenBucket(60, now=0.0)
    bucket.take(31)
    assert bucket.wait(1, now=0.0) == pytest.approx(31)
    bucket.take(-30)
    assert bucket.wait(1, now=0.0) == pytest.approx(1)


@pytest.mark.parametrize(
    "wrong", [{"concurrency": 0}, {"requests_per_minute": -1}, {"tokens_per_minute": float("nan")}]
)
def test_limits_are_positive(wrong: dict[str, float]) -> None:
    (name,) = wrong
    with pytest.raises(UsageError, match=name):
        Limits(**wrong)


@given(number=st.integers(1, 100), chance=st.floats(0, 1))
def test_waits_are_bounded(number: int, chance: float) -> None:
    retry = Retry(wait=0.5, longest_wait=20)
    assert 0.25 <= retry.pause(number, chance) <= 20


class TestBudget:
    def test_it_is_met_and_never_passed(self) -> None:
        budget = Budget(usd=1.0)
        for _ in range(10):
            assert budget.reserve(Usage(cost=0.1))
            budget.settle(Usage(cost=0.1), Usage(cost=0.1))
        with pytest.raises(BudgetSpent, match=r"\$1\.00 would be passed: \$1\.0000 are spent"):
            budget.reserve(Usage(cost=0.1))

    def test_what_is_under_way_may_turn_out_cheaper(self) -> None:
        budget = Budget(tokens=100)
        assert budget.reserve(Usage(80, 0))
        assert not budget.reserve(Usage(80, 0))
        budget.settle(Usage(80, 0), Usage(10, 5))
        assert budget.reserve(Usage(80, 0))
        assert budget.spent_tokens == 15

    def test_what_a_call_does_not_say_counts_as_expected(self) -> None:
        budget = Budget(usd=1.0)
        budget.reserve(Usage(10, 10, cost=0.3))
        budget.settle(Usage(10, 10, cost=0.3), Usage())
        assert (budget.spent_usd, budget.spent_tokens) == (0.3, 20)

    def test_a_call_that_came_to_nothing_costs_nothing(self) -> None:
        budget = Budget(usd=1.0)
        budget.reserve(Usage(cost=0.9))
        budget.settle(Usage(cost=0.9), None)
        assert budget.reserve(Usage(cost=0.9))

    def test_a_budget_below_nothing_is_none(self) -> None:
        with pytest.raises(UsageError, match="usd"):
            Budget(usd=-1)
