"""How a sample is answered within an experiment."""

from __future__ import annotations

import asyncio

import pytest

from vlmops import Sample
from vlmops.evaluators import Failure, FailureKind
from vlmops.models import ModelReply
from vlmops.platforms import ExperimentPlan
from vlmops.platforms.answering import answered


async def slow(sample: Sample) -> ModelReply:
    await asyncio.Event().wait()
    return ModelReply("", "")


async def gives_up(sample: Sample) -> ModelReply:
    raise TimeoutError("the camera does not answer")


@pytest.mark.parametrize(
    ("task", "seconds", "told"),
    [
        (slow, 0.01, "no answer within 0.01 s"),
        (gives_up, 600.0, "the task gave up: the camera does not answer"),
    ],
)
async def test_whose_timeout_it_was_is_told(task, seconds: float, told: str) -> None:
    plan = ExperimentPlan("coins", "count", task, [], "key", timeout=seconds)
    assert await answered(plan, Sample("a", {"n": 1})) == Failure(FailureKind.TIMEOUT, told)
