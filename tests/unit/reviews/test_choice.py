"""Which cases are chosen for people, and why."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.errors import UsageError
from vlmops.evaluators import Case, Failure, FailureKind, Score
from vlmops.platforms import Run, ScoreCondition
from vlmops.reviews import (
    Contradiction,
    Disagreement,
    Failed,
    RandomShare,
    Unsure,
    choose,
    require_scores,
)


def run(identity: str, *results: Score | Failure, output: Any = "a", repetition: int = 1) -> Run:
    return Run(Case(output, id=identity), repetition, results)


def voted(*values: Any, name: str = "p", bounds: tuple[float, float] | None = (0.0, 1.0)) -> Score:
    votes = [{"judge": f"j{at}", "value": value, "why": f"w{at}"} for at, value in enumerate(values)]
    return Score(name, True, range=bounds, metadata={"votes": votes})


class TestDisagreement:
    @pytest.mark.parametrize(
        ("values", "bounds", "weight"),
        [
            ((True, True, True), None, None),
            ((True, True, False), None, 2 / 3),
            ((True, False), None, 1.0),
            ((True, None), None, None),
            ((4.0, 5.0), (1.0, 5.0), 0.25),
            ((1.0, 5.0), (1.0, 5.0), 1.0),
            ((3.0, 3.0), (1.0, 5.0), None),
            (("dent", "scratch", "dent", "dent"), None, 0.5),
        ],
    )
    def test_votes_that_differ(self, values: Any, bounds: Any, weight: float | None) -> None:
        reason = Disagreement("p").reason(run("a", voted(*values, bounds=bounds)))
        assert (reason and reason.weight) == (None if weight is None else pytest.approx(weight))

    def test_the_reason_holds_what_each_judge_said(self) -> None:
        reason = Disagreement("p").reason(run("a", voted(True, False, name="p.clear")))
        assert reason is not None
        assert reason.text == "the judges of p.clear disagree: j0: yes (w0); j1: no (w1)"

    def test_no_majority_is_a_disagreement(self) -> None:
        tie = Failure(FailureKind.ABSTAINED, "no majority among the judges", "p")
        reason = Disagreement("p").reason(run("a", tie))
        assert reason is not None
        assert (reason.weight, "no majority" in reason.text) == (1.0, True)
        undecided = Score("p.clear", True, metadata={"undecided": ["p.right: no majority"]})
        assert "p.right" in str(Disagreement("p").reason(run("a", undecided)))

    def test_a_judge_without_votes_and_others_panels_do_not_count(self) -> None:
        assert Disagreement("p").reason(run("a", Score("p", True), voted(True, False, name="pq"))) is None


class TestUnsure:
    def test_low_confidence_and_abstention(self) -> None:
        low = Score("j.right", True, "blurred", metadata={"confidence": "low"})
        sure = Score("j.right", True, metadata={"confidence": "high"})
        abstained = Failure(FailureKind.ABSTAINED, "cannot tell", "j")
        broken = Failure(FailureKind.TIMEOUT, "too slow", "j")
        texts = {
            key: (reason.text if reason else None)
            for key, result in {"low": low, "sure": sure, "abstained": abstained, "broken": broken}.items()
            for reason in [Unsure("j").reason(run("a", result))]
        }
        assert texts == {
            "low": "j.right is not sure: yes (blurred)",
            "sure": None,
            "abstained": "j abstained: cannot tell",
            "broken": None,
        }

    def test_no_verdict_of_an_answer_counts_but_not_of_a_failed_one(self) -> None:
        assert str(Unsure("j").reason(run("a"))).count("gave no verdict") == 1
        assert Unsure("j").reason(run("a", output=Failure(FailureKind.REFUSAL, "no"))) is None


class TestContradiction:
    RULE = Contradiction(ScoreCondition.parse("j=true"), ScoreCondition.parse("cer<=0.1"))

    @pytest.mark.parametrize(
        ("verdict", "cer", "chosen"),
        [
            (True, 0.05, False),
            (True, 0.4, True),
            (False, 0.05, True),
            (False, 0.4, False),
        ],
    )
    def test_one_is_content_and_the_other_is_not(self, verdict: bool, cer: float, chosen: bool) -> None:
        found = self.RULE.reason(run("a", Score("j", verdict), Score("cer", cer)))
        assert (found is not None) == chosen

    def test_silence_contradicts_nothing(self) -> None:
        assert self.RULE.reason(run("a", Score("j", True))) is None

    def test_a_condition_must_say_when_it_is_content(self) -> None:
        with pytest.raises(UsageError, match="does not say when"):
            Contradiction(ScoreCondition.parse("j"), ScoreCondition.parse("cer<=0.1"))


def test_failures_of_answers_and_of_evaluators() -> None:
    assert "refusal" in str(Failed().reason(run("a", output=Failure(FailureKind.REFUSAL, "no"))))
    assert "cer gave no score" in str(
        Failed().reason(run("a", Failure(FailureKind.EVALUATOR_ERROR, "a bug", "cer")))
    )
    assert Failed().reason(run("a", Failure(FailureKind.ABSTAINED, "cannot tell", "j"))) is None
    assert Failed().reason(run("a", Score("x", 1.0))) is None


class TestRandomShare:
    @given(st.integers(), st.floats(0.01, 0.99), st.lists(st.text(max_size=8), unique=True, max_size=50))
    def test_it_is_stable_when_more_comes_and_the_share_grows(
        self, seed: int, share: float, ids: list[str]
    ) -> None:
        def chosen(share: float, of: list[str]) -> set[str]:
            rule = RandomShare(share, seed)
            return {each for each in of if rule.reason(run(each))}

        few = chosen(share, ids[::2])
        assert few <= chosen(share, ids)
        assert chosen(share, ids) <= chosen((1 + share) / 2, ids)
        assert chosen(1.0, ids) == set(ids)

    def test_another_seed_another_choice(self) -> None:
        ids = [str(number) for number in range(200)]
        chosen = [{i for i in ids if RandomShare(0.3, seed).reason(run(i))} for seed in (1, 2)]
        assert chosen[0] != chosen[1]

    @pytest.mark.parametrize("share", [0.0, -0.1, 1.1])
    def test_a_share_out_of_range(self, share: float) -> None:
        with pytest.raises(UsageError, match="above 0 and at most 1"):
            RandomShare(share)


class TestChoose:
    def test_each_case_once_with_all_reasons(self) -> None:
        chosen = choose([run("a", voted(True, False))], [Disagreement("p"), RandomShare(1.0), Failed()])
        (case,) = chosen
        assert case.rules == ("disagreement", "random")
        assert case.why == "the judges of p disagree: j0: yes (w0); j1: no (w1); one of a random share of 1"

    def test_rules_take_turns_and_give_their_weightiest_first(self) -> None:
        runs = [run(f"d{n}", voted(1.0, float(n), bounds=(1.0, 9.0))) for n in range(2, 9)]
        refused = Failure(FailureKind.REFUSAL, "no")
        runs += [run(f"f{n}", output=refused) for n in range(5)]
        rules = [Disagreement("p"), Failed()]
        chosen = [case.run.case.id for case in choose(runs, rules, limit=4)]
        assert chosen[0::2] == ["d8", "d7"]
        assert all(identity.startswith("f") for identity in chosen[1::2])
        assert chosen == [
            case.run.case.id for case in choose(runs[::-1], [Disagreement("p"), Failed()], limit=4)
        ]

    @given(st.integers(1, 30), st.integers(0, 60))
    def test_a_limit_takes_the_first_of_all(self, limit: int, count: int) -> None:
        runs = [run(str(n)) for n in range(count)]
        rules = [RandomShare(0.5), Unsure("j")]
        everything = [case.run.case.id for case in choose(runs, rules)]
        assert [case.run.case.id for case in choose(runs, rules, limit=limit)] == everything[:limit]

    def test_the_first_answer_alone_is_looked_at(self) -> None:
        runs = [run("a"), run("a", repetition=2), run("b", repetition=2)]
        assert [case.run.case.id for case in choose(runs, [RandomShare(1.0)])] == ["a"]

    def test_wrong_calls(self) -> None:
        with pytest.raises(UsageError, match="give a rule"):
            choose([], [])
        with pytest.raises(UsageError, match="1 at least"):
            choose([], [Failed()], limit=0)

    def test_a_misspelt_score_is_told_with_those_that_are_there(self) -> None:
        runs = [run("a", Score("grounded.a", True), Failure(FailureKind.TIMEOUT, "", "cer"))]
        require_scores(runs, [Unsure("grounded"), Unsure("cer"), Failed()])
        with pytest.raises(UsageError, match=r"no answer has a score 'ground'; there are: cer, grounded\.a"):
            require_scores(runs, [Unsure("ground")])
