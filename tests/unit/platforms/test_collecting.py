"""From recorded executions to samples: their form, their link, and what goes wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vlmops import Image
from vlmops.errors import UsageError
from vlmops.evaluators import Case, Failure, FailureKind, Score
from vlmops.platforms import (
    Execution,
    ExecutionLink,
    ExecutionQuery,
    ScoreCondition,
    ScoreTarget,
    TargetedScore,
    answered,
    collect,
    execution_link,
    sample_of,
    samples_from_executions,
    scored,
)
from vlmops.testing import MemoryPlatform, picture

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLMOPS_CACHE_DIR", str(tmp_path / "cache"))


def execution(number: int, inputs: Any = None, output: Any = "a", **fields: Any) -> Execution:
    identity = f"{number:016x}"
    inputs = inputs if inputs is not None else {"image": picture(number)}
    case = Case(output, inputs=inputs, id=identity, metadata={"model": "m", "secret": "s"})
    target = ScoreTarget("span", identity, f"{number:032x}")
    return Execution(case, target, NOW + timedelta(minutes=number), **fields)


def inputs_of(recorded: Any) -> dict[str, Any]:
    return dict(sample_of(execution(1, recorded), MemoryPlatform()).inputs)


class TestInputs:
    def test_a_question_about_a_picture(self) -> None:
        messages = [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [picture(1), "What is the total?"]},
        ]
        assert inputs_of(messages) == {
            "image": picture(1),
            "question": "What is the total?",
            "system": "Be brief.",
        }

    @pytest.mark.parametrize("key", ["messages", "input", "contents"])
    def test_a_whole_request(self, key: str) -> None:
        content = [{"type": "text", "text": "Compare"}, picture(1), picture(2)]
        request = {"model": "m", key: [{"role": "user", "content": content}], "temperature": 0}
        assert inputs_of(request) == {"images": [picture(1), picture(2)], "question": "Compare"}

    def test_a_conversation_is_kept_whole(self) -> None:
        messages = [
            {"role": "user", "content": "What is on page 2?"},
            {"role": "assistant", "content": None, "tool_calls": []},
            {"role": "tool", "content": [picture(2)]},
        ]
        found = inputs_of(messages)
        assert found == {"image": picture(2), "question": "What is on page 2?", "messages": messages}

    @pytest.mark.parametrize("recorded", ["text", 12, None, ["a", "b"], [{"no": "role"}]])
    def test_what_is_no_chat_stands_as_input(self, recorded: Any) -> None:
        case = execution(1)
        other = sample_of(Execution(Case("a", inputs=recorded, id="x"), case.target, NOW), MemoryPlatform())
        assert other.inputs == {"input": recorded}

    def test_an_object_stays_as_it_is(self) -> None:
        assert inputs_of({"page": picture(3), "n": 1}) == {"page": picture(3), "n": 1}


class TestSample:
    def test_the_answer_is_no_truth(self) -> None:
        sample = sample_of(execution(1), MemoryPlatform())
        assert sample.expected is None
        assert sample.metadata["output"] == "a"
        assert sample.metadata["model"] == "m"
        assert "secret" not in sample.metadata

    def test_unless_somebody_says_so(self) -> None:
        assert sample_of(execution(1), MemoryPlatform(), expected=answered).expected == "a"
        failed = execution(1, output=Failure(FailureKind.REFUSAL, "no"))
        sample = sample_of(failed, MemoryPlatform(), expected=answered)
        assert sample.expected is None
        assert sample.metadata["failure"] == "refusal: no"

    def test_or_corrects_it(self) -> None:
        target = execution(1).target
        said = [
            TargetedScore(target, Score("total", "12.50"), "HUMAN"),
            TargetedScore(target, Score("total", "99"), "LLM"),
            TargetedScore(target, Score("ok", 1.0, metadata={"label": "pass"})),
        ]
        one = execution(1, scores=said)
        assert sample_of(one, MemoryPlatform(), expected=scored("total")).expected == "12.50"
        assert sample_of(one, MemoryPlatform(), expected=scored("ok")).expected == "pass"
        sample = sample_of(one, MemoryPlatform(), expected=scored("other"))
        assert sample.expected is None
        assert sample.metadata["scores"] == {"total": "12.50", "ok": 1.0}

    def test_it_leads_back_to_its_span(self) -> None:
        one = execution(1)
        sample = sample_of(one, MemoryPlatform())
        assert execution_link(sample, "memory") == ExecutionLink(one.target.trace_id, one.target.id)
        assert execution_link(sample, "phoenix") is None


class TestCollecting:
    def test_what_is_new_is_added(self) -> None:
        platform = MemoryPlatform(recorded=[execution(n) for n in range(3)])
        assert collect(platform, ExecutionQuery(), "seen").targets[0].created == 3
        platform.recorded.append(execution(3))
        report = collect(platform, ExecutionQuery(), "seen").targets[0]
        assert (report.created, report.updated, report.unchanged) == (1, 0, 3)

    def test_what_was_said_since_updates_the_sample(self) -> None:
        platform = MemoryPlatform(recorded=[execution(1), execution(2)])
        query = ExecutionQuery(with_scores=True)
        collect(platform, query, "seen")
        platform.written[(execution(1).target, "ok")] = Score("ok", True)
        report = collect(platform, query, "seen").targets[0]
        assert (report.updated, report.unchanged) == (1, 1)

    def test_scores_of_the_trace_choose_its_executions(self) -> None:
        platform = MemoryPlatform(recorded=[execution(1), execution(2)])
        trace = ScoreTarget("trace", execution(2).target.trace_id)
        platform.written[(trace, "feedback")] = Score("feedback", "bad")
        query = ExecutionQuery(scores=[ScoreCondition.parse("feedback=bad")])
        (sample,) = samples_from_executions(platform, query)
        assert sample.id == execution(2).target.id
        assert sample.metadata["scores"] == {"feedback": "bad"}

    def test_to_other_platforms(self) -> None:
        source, one, two = (
            MemoryPlatform(name=name, recorded=recorded)
            for name, recorded in (("app", [execution(1)]), ("one", []), ("two", []))
        )
        report = collect(source, ExecutionQuery(), "seen", to=[one, two])
        assert [target.created for target in report.targets] == [1, 1]
        assert source.stored == {}
        (stored,) = one.stored["seen"].versions[-1].values()
        assert execution_link(stored, "app") is not None
        with pytest.raises(UsageError):
            collect(source, ExecutionQuery(), "seen", to=[])

    def test_a_picture_that_is_gone_costs_one_sample(self) -> None:
        gone = Image.from_path("no/such/picture.png")
        bad = execution(2, [{"role": "user", "content": [gone, "?"]}])
        platform = MemoryPlatform(recorded=[execution(1), bad, execution(3)])
        report = collect(platform, ExecutionQuery(), "seen")
        assert [failure.id for failure in report.failures] == [bad.target.id]
        assert "picture.png" in report.failures[0].message
        assert report.targets[0].created == 2

    def test_an_execution_that_can_be_no_sample_costs_one(self) -> None:
        bad = execution(2, {"score": float("nan")})
        platform = MemoryPlatform(recorded=[execution(1), bad, execution(3)])
        report = collect(platform, ExecutionQuery(), "seen")
        assert [(f.id, f.field) for f in report.failures] == [(bad.target.id, "inputs.score")]
        assert report.targets[0].created == 2

    def test_executions_are_not_read_beyond_what_is_needed(self) -> None:
        platform = MemoryPlatform(recorded=[execution(n) for n in range(200)])
        read = 0

        class Executions:
            async def read(self, query: ExecutionQuery) -> Any:
                nonlocal read
                for each in platform.recorded:
                    read += 1
                    yield each

        platform.executions = Executions()  # type: ignore[assignment]
        seen: list[int] = []

        def stop(done: int) -> None:
            seen.append(read)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            collect(platform, ExecutionQuery(), "seen", progress=stop)
        assert seen[0] < 200
