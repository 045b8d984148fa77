"""Judges' models are asked as all models are: from the cache, within a budget, and counted apart."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from judging_models import AnswersDecide, picture

from vlmops import ImageDataset, Sample
from vlmops.engine import Budget, Engine
from vlmops.errors import BudgetSpent
from vlmops.evaluators import Case, Failure, FailureKind, Usage, asked_through, create, evaluate, models_of
from vlmops.experiments import Experiment, Specification
from vlmops.judges import PairwiseJudge, Panel
from vlmops.models import ModelReply, ModelRequest, register
from vlmops.platforms import push
from vlmops.testing import MemoryPlatform


class Priced(AnswersDecide):
    """A judge whose every verdict costs a cent."""

    def __init__(self, name: str = "priced") -> None:
        self.name = name
        self.asked = 0

    async def answer(self, request: ModelRequest) -> ModelReply:
        self.asked += 1
        reply = await super().answer(request)
        return ModelReply(reply.output, reply.text, Usage(500, 50, cost=0.01), 0.5, self.name)


@register("answers_for_judges")
class Answers:
    name = "answers_for_judges"

    async def answer(self, request: ModelRequest) -> ModelReply:
        return ModelReply("it is right", "it is right", Usage(10, 5, cost=1.0), 0.1, "answers")


@register("priced_judge")
class NamedJudge(Priced):
    def __init__(self) -> None:
        super().__init__("priced_judge")


CASE = Case(output="right", inputs={"image": picture("red")}, id="1")


def samples(count: int) -> ImageDataset:
    made = [Sample(str(n), {"image": picture("red", n), "question": "?"}) for n in range(count)]
    return ImageDataset.from_samples("judged", made)


class TestCare:
    def test_models_of_judges_and_panels_are_found_and_replaced(self):
        judges = [create("judge_grounded", model=Priced(name), name=name) for name in ("a", "b")]
        evaluators = [create("cer"), judges[0], Panel(judges=judges)]
        assert [model.name for model in models_of(evaluators)] == ["a", "a", "b"]
        with Engine() as engine:
            asked = asked_through(evaluators, engine.model)
            assert asked[0] is evaluators[0]
            assert [repr(model) for model in models_of(asked)] == [f"EngineModel({n!r})" for n in "aab"]
            assert asked[1].fingerprint == judges[0].fingerprint
            assert models_of(asked_through(asked, engine.model))[0] is models_of(asked)[0]

    def test_what_was_judged_is_not_paid_for_again(self):
        model = Priced()
        with Engine() as engine:
            (judge,) = asked_through([create("judge_grounded", model=model)], engine.model)
            scores = [asyncio.run(evaluate(judge, CASE)) for _ in range(2)]
        assert model.asked == 1
        assert [score.metadata["judge"].get("cached") for score in scores] == [None, True]

    def test_a_pairwise_judge_too(self):
        with Engine() as engine:
            judge = PairwiseJudge(model=AnswersDecide()).asking(engine.model)
            asyncio.run(judge.compare("a", CASE, "b", Case(output="wrong", inputs=CASE.inputs)))
            assert engine.tally.calls == 2

    def test_a_spent_budget_ends_the_run_and_is_no_failure(self):
        with Engine(budget=Budget(tokens=0)) as engine:
            (judge,) = asked_through([create("judge_grounded", model=Priced())], engine.model)
            with pytest.raises(BudgetSpent):
                asyncio.run(evaluate(judge, CASE))


class TestCost:
    def test_judging_is_counted_apart_and_each_call_once(self):
        platform = MemoryPlatform()
        assert push(samples(3), platform).ok

        async def answer(sample: Sample) -> ModelReply:
            return ModelReply("it is right", "", Usage(10, 5, cost=1.0), 0.1)

        evaluators = [create("judge_caption", model=Priced()), create("cost")]
        summary = Experiment("judged", "a", answer, evaluators).run(platform).summary
        assert summary.judge_cost == pytest.approx(0.03)
        assert next(s.value for s in summary.scores if s.name == "cost.mean") == 1.0

    def test_a_verdict_that_failed_is_paid_for(self):
        class Mumbles(Priced):
            async def answer(self, request: ModelRequest) -> ModelReply:
                return ModelReply("hm", "hm", Usage(500, 50, cost=0.02))

        found = asyncio.run(evaluate(create("judge_harm", model=Mumbles()), CASE))
        assert isinstance(found, Failure)
        assert (found.kind, found.usage.cost) == (FailureKind.UNPARSABLE, 0.02)

    def test_without_judges_nothing_is_said(self):
        platform = MemoryPlatform()
        assert push(samples(1), platform).ok

        async def answer(sample: Sample) -> ModelReply:
            return ModelReply("x", "x")

        assert Experiment("judged", "a", answer, [create("refusal")]).run(platform).summary.judge_cost is None


class TestSpecification:
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("VLMOPS_CACHE_DIR", str(tmp_path / "cache"))
        (tmp_path / "bench").mkdir()
        (tmp_path / "bench" / "rubric.toml").write_text(
            'task = "Judge."\n[[criteria]]\nname = "ok"\nkind = "yes_no"\nquestion = "Is it right?"\n'
        )
        (tmp_path / "bench" / "vlmops.toml").write_text(
            """
dataset = "judged"
on = "folder:results"
[[variants]]
model = "answers_for_judges"
[[evaluators]]
use = "judge"
rubric = "rubric.toml"
model = "priced_judge"
"""
        )
        return tmp_path / "bench"

    def test_files_lie_beside_it_and_the_engine_cares_for_the_judge(self, folder: Path):
        platform = MemoryPlatform()
        assert push(samples(2), platform).ok
        result = Specification.load(folder / "vlmops.toml").run(platform)
        (variant,) = result.variants
        assert variant.summary.judge_cost == pytest.approx(0.02)
        assert [score.value for score in variant.summary.scores if score.name == "judge"] == [1.0]
        assert result.tally.calls == 4, "two answers and two verdicts"

    def test_a_budget_holds_for_judges_too(self, folder: Path):
        platform = MemoryPlatform()
        assert push(samples(2), platform).ok
        tight = Specification.load(folder / "vlmops.toml").changed(budget={"tokens": 60})
        result = tight.run(platform)
        assert "budget of 60 tokens" in result.stopped
