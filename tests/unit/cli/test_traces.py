"""Commands on recorded executions."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from vlmops.evaluators import Case, Score
from vlmops.platforms import Execution, ScoreTarget
from vlmops.testing import picture


@pytest.fixture
def recorded(stub: Any) -> list[Execution]:
    """Three executions, an hour apart, each with a score of its number."""
    for number in range(3):
        case = Case(f"answer {number}", inputs={"image": picture(number)}, id=str(number))
        target = ScoreTarget("span", f"span{number}", f"trace{number}")
        execution = Execution(case, target, datetime(2026, 1, 1, number, tzinfo=UTC), kind="LLM")
        stub.platform.recorded.append(execution)
        stub.platform.written[(target, "doubt")] = Score("doubt", number / 2)
    return stub.platform.recorded


@pytest.mark.usefixtures("recorded")
class TestCollect:
    def stored(self, stub: Any, name: str = "seen") -> dict[str, Any]:
        return stub.platform.stored[name].versions[-1]

    def test_all(self, vlmops: Any, stub: Any) -> None:
        ended = vlmops("collect", "seen", "--on", "stub")
        assert (ended.code, ended.err) == (0, "")
        assert "stub: memory:seen" in ended.out
        assert set(self.stored(stub)) == {"span0", "span1", "span2"}

    def test_again_adds_nothing(self, vlmops: Any) -> None:
        vlmops("collect", "seen", "--on", "stub")
        (target,) = json.loads(vlmops("collect", "seen", "--on", "stub", "--json").out)["targets"]
        assert (target["created"], target["updated"], target["unchanged"]) == (0, 0, 3)

    @pytest.mark.parametrize(
        ("options", "chosen"),
        [
            (["--score", "doubt>0.2", "--score", "doubt<1"], {"span1"}),
            (["--since", "2026-01-01T01:00:00"], {"span1", "span2"}),
            (["--until", "2026-01-01T01:00:00"], {"span0"}),
            (["--limit", "1"], {"span2"}),
            (["--kind", ""], {"span0", "span1", "span2"}),
        ],
    )
    def test_some(self, vlmops: Any, stub: Any, options: list[str], chosen: set[str]) -> None:
        assert vlmops("collect", "seen", "--on", "stub", *options).code == 0
        assert set(self.stored(stub)) == chosen

    @pytest.mark.parametrize(("option", "expected"), [("output", "answer 1"), ("score:doubt", 0.5)])
    def test_with_what_is_right(self, vlmops: Any, stub: Any, option: str, expected: Any) -> None:
        vlmops("collect", "seen", "--on", "stub", "--expected", option)
        assert self.stored(stub)["span1"].expected == expected

    @pytest.mark.parametrize(
        ("option", "value"),
        [("--expected", "answer"), ("--expected", "score:"), ("--expected", "output:x"), ("--score", "<1")],
    )
    def test_a_wrong_option_is_one_line(self, vlmops: Any, option: str, value: str) -> None:
        ended = vlmops("collect", "seen", "--on", "stub", option, value)
        assert ended.code == 2
        (line,) = ended.lines
        assert line.startswith("error: ")

    def test_what_is_refused_is_listed(self, vlmops: Any, stub: Any) -> None:
        stub.platform.refused_ids.add("span1")
        ended = vlmops("collect", "seen", "--on", "stub", "--failures", "failed.jsonl")
        assert ended.code == 3
        assert ended.lines == ["failed: stub span span1: refused: an id in this batch is not welcome"]
