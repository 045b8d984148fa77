"""What people said on a platform, made one verdict for each case."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from vlmops.errors import UsageError
from vlmops.evaluators import Case, Score
from vlmops.judges import human_labels
from vlmops.platforms.records import (
    Execution,
    ExecutionQuery,
    ExperimentRecord,
    Run,
    ScoreTarget,
    TargetedScore,
)


class Recorded:
    """Traces of two spans each, and what was said of them."""

    def __init__(self, said: dict[str, list[tuple[str, str, Any]]]) -> None:
        self.said = said
        self.queries: list[ExecutionQuery] = []

    async def read(self, query: ExecutionQuery) -> AsyncIterator[Execution]:
        self.queries.append(query)
        for trace in query.trace_ids:
            scores = [
                TargetedScore(ScoreTarget("trace", trace), Score(name, value, f"by {at}"), who)
                for at, (name, who, value) in enumerate(self.said.get(trace, []))
            ]
            for span in ("root", "call"):
                target = ScoreTarget("span", f"{trace}-{span}", trace)
                yield Execution(Case(output="x"), target, datetime.now(UTC), scores=scores)


def labels(said: dict[str, list[tuple[str, str, Any]]], traces: int = 3, name: str = "ok") -> Any:
    runs = [Run(Case(output="x", id=f"s{n}"), 1, (), trace_id=f"t{n}") for n in range(traces)]
    runs.append(Run(Case(output="x", id="s0"), 2, (), trace_id="again"))
    record = ExperimentRecord("1", "e", "", "d", "v", runs)
    platform = SimpleNamespace(executions=Recorded(said))
    return asyncio.run(human_labels(platform, record, name, "p")), platform.executions.queries


def test_people_count_and_nobody_else() -> None:
    found, (query,) = labels({"t0": [("ok", "HUMAN", True), ("ok", "LLM", False), ("other", "HUMAN", False)]})
    assert found == {"s0": True}
    assert (query.project, query.with_scores, list(query.trace_ids)) == ("p", True, ["t0", "t1", "t2"])


@pytest.mark.parametrize(
    ("values", "agreed"),
    [
        ((True, True, False), {"s0": True, "s1": "a"}),
        ((True, False), {"s1": "a"}),
        ((1.0, 4.0), {"s0": 2.5, "s1": "a"}),
        (("dent", "dent", "scratch"), {"s0": "dent", "s1": "a"}),
    ],
)
def test_several_people_are_made_one(values: tuple[Any, ...], agreed: dict[str, Any]) -> None:
    said = {"t0": [("ok", "HUMAN", value) for value in values], "t1": [("ok", "HUMAN", "a")]}
    assert labels(said)[0] == agreed


def test_many_traces_are_asked_for_in_parts() -> None:
    found, queries = labels({f"t{n}": [("ok", "HUMAN", n % 2 > 0)] for n in range(120)}, traces=120)
    assert len(found) == 120
    assert [len(query.trace_ids) for query in queries] == [50, 50, 20]


def test_nothing_said_is_told() -> None:
    with pytest.raises(UsageError, match="nobody said anything by the name 'fine'"):
        labels({"t0": [("ok", "HUMAN", True)]}, name="fine")
    with pytest.raises(UsageError, match="has no traces"):
        asyncio.run(human_labels(SimpleNamespace(), ExperimentRecord("1", "e", "", "d", "v", []), "ok"))
