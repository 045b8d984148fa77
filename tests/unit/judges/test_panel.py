"""A panel: majority, quorum, abstention, and how far the members agree."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from judging_models import AnswersDecide

from vlmops.errors import BudgetSpent, UsageError
from vlmops.evaluators import Case, Failure, FailureKind, Score, Usage, annotator_of
from vlmops.judges import Judge, Panel, Rubric, Scale, YesNo, panel_agreement
from vlmops.judges.spending import judging_cost

CASE = Case(output="a", id="1")


@dataclass(frozen=True)
class Member:
    """Says one thing, or several by part."""

    name: str
    says: object
    cost: float | None = None
    more: dict = field(default_factory=dict)

    async def evaluate(self, case: Case) -> object:
        if isinstance(self.says, FailureKind):
            return Failure(self.says, "why not", self.name, usage=Usage(cost=self.cost))
        usage = {} if self.cost is None else {"cost": self.cost}
        metadata = {"judge": {"model": self.name, "usage": usage}}
        scale = (1.0, 5.0) if isinstance(self.says, float) else (0.0, 1.0)
        scores = [Score(self.name, self.says, "because", range=scale, metadata=metadata)]
        scores += [
            Score(f"{self.name}.{part}", value, metadata=metadata) for part, value in self.more.items()
        ]
        return scores if self.more else scores[0]


def vote(*said: object, **settings: object):
    members = tuple(Member(f"m{number}", each) for number, each in enumerate(said))
    return asyncio.run(Panel(judges=members, **settings).evaluate(CASE))


ABSTAINED = FailureKind.ABSTAINED


def test_members_are_ended_where_one_ends_the_run():
    ended: list[str] = []

    @dataclass(frozen=True)
    class Waits(Member):
        async def evaluate(self, case: Case) -> object:
            try:
                return await asyncio.Event().wait()
            finally:
                ended.append(self.name)

    @dataclass(frozen=True)
    class Spent(Member):
        async def evaluate(self, case: Case) -> object:
            await asyncio.sleep(0)
            raise BudgetSpent("the budget is spent")

    async def judged() -> list[str]:
        panel = Panel(judges=(Waits("a", True), Spent("b", True), Waits("c", True)))
        with pytest.raises(BudgetSpent, match="the budget is spent"):
            await panel.evaluate(CASE)
        return sorted(ended)

    assert asyncio.run(judged()) == ["a", "c"]


class TestMajority:
    @pytest.mark.parametrize(
        ("votes", "value", "told"),
        [
            ((True, True, False), True, "2 of 3 votes"),
            ((False, False, True), False, "2 of 3 votes"),
            ((True, True, ABSTAINED), True, "2 of 2 votes"),
            (("dent", "dent", "scratch"), "dent", "2 of 3 votes"),
        ],
    )
    def test_what_most_say(self, votes: tuple, value: object, told: str):
        score = vote(*votes)
        assert (score.value, score.explanation) == (value, told)

    @pytest.mark.parametrize(
        "votes", [(True, False), (True, False, ABSTAINED), ("a", "b", "c"), ("a", "a", "b", "c")]
    )
    def test_without_one_it_abstains(self, votes: tuple):
        found = vote(*votes)
        assert isinstance(found, Failure)
        assert found.kind is ABSTAINED
        assert "no majority" in found.message

    def test_votes_are_on_record_with_their_reasons(self):
        score = vote(True, True, FailureKind.TIMEOUT)
        assert [each["value"] for each in score.metadata["votes"]] == [True, True, None]
        assert score.metadata["votes"][2]["failure"] == "timeout"
        assert annotator_of(Panel(judges=(Member("a", True), Member("b", True)))) == "LLM"


class TestNumbers:
    def test_mean_and_median(self):
        assert vote(1.0, 4.0, 4.0).value == 3.0
        score = vote(1.0, 4.0, 5.0, numbers="median")
        assert (score.value, score.range, score.explanation) == (4.0, (1.0, 5.0), "median of 3 votes, 1 to 5")


class TestQuorum:
    def test_half_of_the_members_are_not_enough(self):
        found = vote(True, ABSTAINED, FailureKind.TIMEOUT, True)
        assert isinstance(found, Failure)
        assert "2 of 4 judges voted, 3 are needed" in found.message

    def test_a_lower_one_can_be_asked_for(self):
        assert vote(True, ABSTAINED, FailureKind.TIMEOUT, True, quorum=2).value is True

    def test_where_all_fail_the_most_frequent_kind_is_told(self):
        found = vote(FailureKind.TIMEOUT, FailureKind.TIMEOUT, FailureKind.REFUSAL)
        assert found.kind is FailureKind.TIMEOUT
        assert "m2: why not" in found.message


class TestParts:
    def members(self, *details: float) -> tuple[Member, ...]:
        return tuple(Member(f"m{n}", True, more={"kind": kind}) for n, kind in enumerate(details))

    def test_each_part_is_voted_on(self):
        scores = asyncio.run(Panel(judges=self.members("a", "a", "b")).evaluate(CASE))
        assert {score.name: score.value for score in scores} == {"panel": True, "panel.kind": "a"}

    def test_a_part_without_a_majority_does_not_vanish(self):
        score = asyncio.run(Panel(judges=self.members("a", "b", "c")).evaluate(CASE))
        assert score.name == "panel"
        assert score.metadata["undecided"] == ["panel.kind: no majority among the judges (a: 1, b: 1, c: 1)"]


class TestCost:
    def test_every_members_call_counts_once(self):
        members = tuple(Member(f"m{n}", True, 0.01, {"kind": "a"}) for n in range(3))
        scores = asyncio.run(Panel(judges=members).evaluate(CASE))
        assert judging_cost(scores).cost == pytest.approx(0.03)

    def test_what_the_panel_does_not_decide_is_paid_for(self):
        members = (Member("a", True, 0.01), Member("b", False, 0.02), Member("c", ABSTAINED, 0.04))
        found = asyncio.run(Panel(judges=members).evaluate(CASE))
        assert found.usage.cost == pytest.approx(0.07)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"judges": (Member("a", True),)}, "two judges"),
        ({"judges": (Member("a", True), Member("a", True))}, "name of its own"),
        ({"judges": (Member("a", True), Member("b", True)), "quorum": 3}, "quorum of 3"),
    ],
)
def test_mistakes_are_told(settings: dict, told: str):
    with pytest.raises(UsageError, match=told):
        Panel(**settings)


def test_rubrics_without_a_score_in_common_are_refused():
    def judge(name: str, *criteria: YesNo | Scale) -> Judge:
        return Judge(name=name, model=AnswersDecide(), rubric=Rubric("Judge.", criteria))

    right, plain = YesNo("right", "?"), YesNo("plain", "?")
    clear = Scale("clear", "?", {1: "no", 2: "yes"})
    Panel(judges=(judge("a", right), judge("b", right, plain)))
    Panel(judges=(judge("a", right, clear), judge("b", right, clear)))
    with pytest.raises(UsageError, match=r"vote on the same.*a votes on the whole; b votes on clear, right"):
        Panel(judges=(judge("a", right), judge("b", right, clear)))


class TestAgreement:
    def agreement(self, *votes: tuple):
        cases = [Case(output="a", id=str(number)) for number in range(len(votes))]
        scores = [
            Score("p", True, metadata={"votes": [{"judge": str(n), "value": v} for n, v in enumerate(row)]})
            for row in votes
        ]
        return panel_agreement(cases, scores)

    def test_equal_votes_agree_fully(self):
        found = self.agreement((True, True), (False, False), (True, True))
        assert (found.name, found.value, found.n) == ("p.agreement", 1.0, 3)
        assert found.interval is not None

    def test_opposite_votes_agree_less_than_by_chance(self):
        assert self.agreement((True, False), (False, True), (True, False)).value < 0

    def test_missing_votes_are_left_out(self):
        assert self.agreement((True, True, None), (False, None, False), (True, True, True)).value == 1.0

    @pytest.mark.parametrize("numbers", [((1, 1), (5, 4), (3, 3)), ((1.0, 1.0), (5.0, 4.0), (3.0, 3.0))])
    def test_numbers_nearly_agree(self, numbers: tuple):
        assert 0.8 < self.agreement(*numbers).value < 1

    def test_cases_and_scores_must_go_together(self):
        with pytest.raises(UsageError, match="1 cases, 0 scores"):
            panel_agreement([CASE], [])
