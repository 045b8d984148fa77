"""Pairs in both orders, and the tournament over many."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from judging_models import ScriptedModel, colour_of, picture

from vlmops.errors import BudgetSpent, UsageError
from vlmops.evaluators import Case, Failure, FailureKind, Usage
from vlmops.judges import PairwiseJudge, compare_answers
from vlmops.models import ModelReply, ModelRequest


def right_one(shown: dict, _: ModelRequest) -> str:
    """The answer that names the picture's colour; a tie where both or none do."""
    right = [shown[f"ANSWER {place}"] == colour_of(shown["PICTURE"]) for place in "AB"]
    return "tie" if right[0] == right[1] else "AB"[right.index(True)]


def judge(decide=right_one, **settings: object) -> PairwiseJudge:
    return PairwiseJudge(name="better", model=ScriptedModel("better", decide), **settings)


def case(answer: object, colour: str = "red", number: int = 0) -> Case:
    inputs = {"image": picture(colour, number), "question": "Which colour?"}
    return Case(output=answer, inputs=inputs, id=f"{colour}{number}")


def compared(judge_: PairwiseJudge, first: object, second: object):
    return asyncio.run(judge_.compare("one", case(first), "two", case(second)))


class TestPair:
    @pytest.mark.parametrize(
        ("first", "second", "winner"),
        [("red", "blue", "model_1"), ("blue", "red", "model_2"), ("blue", "green", "tie")],
    )
    def test_the_right_answer_wins_from_both_places(self, first: str, second: str, winner: str):
        found = compared(judge(), first, second)
        assert found.judgment.winner == winner
        assert found.consistent is True
        assert len(found.reasons) == 2

    def test_each_order_shows_the_answers_in_its_places_and_the_picture(self):
        one = judge()
        compared(one, "red", "blue")
        texts = [
            "".join(p for p in r.conversation[-1].content if isinstance(p, str)) for r in one.model.requests
        ]
        assert sorted(text.index("\nred\n") < text.index("\nblue\n") for text in texts) == [False, True]
        assert all(colour_of(request.pictures[0]) == "red" for request in one.model.requests)

    def test_a_judge_that_goes_by_place_calls_a_tie_and_is_inconsistent(self):
        found = compared(judge(lambda shown, request: "A"), "red", "blue")
        assert (found.judgment.winner, found.consistent) == ("tie", False)

    def test_equal_answers_are_a_tie_without_asking(self):
        one = judge()
        assert compared(one, {"a": 1}, {"a": 1}).judgment.winner == "tie"
        assert one.model.requests == []

    def test_answers_that_are_pictures_are_shown_as_such(self):
        def drawn(shown: dict, _: ModelRequest) -> str:
            return next(p for p in "AB" if colour_of(shown[f"PICTURE THAT IS ANSWER {p}"]) == "green")

        assert compared(judge(drawn), picture("blue"), picture("green")).judgment.winner == "model_2"

    def test_an_answer_that_failed_leaves_no_verdict(self):
        one = judge()
        found = compared(one, Failure(FailureKind.REFUSAL, "no"), "red")
        assert (found.judgment.winner, found.consistent) == ("error", None)
        assert [failure.kind for failure in found.failures] == [FailureKind.REFUSAL]
        assert one.model.requests == []

    def test_the_other_order_is_ended_where_one_ends_the_run(self):
        ended: list[str] = []

        class Spends:
            name = "spends"

            async def answer(self, request: ModelRequest) -> ModelReply:
                waiting = asyncio.Event()
                if asked:
                    raise BudgetSpent("the budget is spent")
                asked.append(request)
                try:
                    await waiting.wait()
                finally:
                    ended.append("the first order")
                return ModelReply("", "")

        asked: list[ModelRequest] = []

        async def judged() -> list[str]:
            pairwise = replace(judge(), model=Spends())
            with pytest.raises(BudgetSpent, match="the budget is spent"):
                await pairwise.compare("one", case("red"), "two", case("blue"))
            return list(ended)

        assert asyncio.run(judged()) == ["the first order"]

    def test_one_failed_order_leaves_no_verdict_and_is_paid_for(self):
        class Stumbles:
            name = "stumbles"
            asked = 0

            async def answer(self, request: ModelRequest) -> ModelReply | Failure:
                self.asked += 1
                if self.asked == 1:
                    return ModelReply(output="no idea", text="no idea", usage=Usage(cost=0.01))
                told = {"better": {"reason": "r", "verdict": "A", "confidence": "low"}}
                return ModelReply(output=told, text="", usage=Usage(cost=0.02))

        found = compared(PairwiseJudge(model=Stumbles()), "red", "blue")
        assert found.consistent is None
        assert [failure.kind for failure in found.failures] == [FailureKind.UNPARSABLE]
        assert sum(usage.cost for usage in found.usage) == pytest.approx(0.03)

    def test_an_abstention_is_no_tie(self):
        found = compared(judge(lambda shown, request: "cannot_tell"), "red", "blue")
        assert found.judgment.winner == "error"
        assert {failure.kind for failure in found.failures} == {FailureKind.ABSTAINED}

    def test_the_fingerprint_tells_the_question(self):
        assert judge(question="Which is shorter?").fingerprint != judge().fingerprint
        assert replace(judge(), repetition=2).fingerprint == judge().fingerprint


COLOURS = ("red", "green", "blue", "yellow")


def answers(right_of: int) -> list[Case]:
    """Answers of a variant that is right on the first so many of 16 samples, and else wrong."""
    found = []
    for number in range(16):
        colour = COLOURS[number % 4]
        found.append(case(colour if number < right_of else "grey", colour, number))
    return found


class TestTournament:
    def test_variants_are_ranked_by_how_often_they_win(self):
        found = compare_answers(judge(), {"weak": answers(2), "strong": answers(14), "fair": answers(8)})
        assert [rating.variant for rating in found.ratings] == ["strong", "fair", "weak"]
        assert all(r.interval.low <= r.rating <= r.interval.high for r in found.ratings)
        duel = next(d for d in found.duels if (d.first, d.second) == ("weak", "strong"))
        assert (duel.wins, duel.losses, duel.ties) == (0, 12, 4)
        assert duel.win_rate.value == pytest.approx(2 / 16)
        assert (duel.win_rate.n, duel.consistency.value) == (16, 1.0)

    def test_level_variants_are_level(self):
        found = compare_answers(judge(), {"a": answers(8), "b": answers(8)})
        assert [rating.rating for rating in found.ratings] == pytest.approx([1000, 1000])
        assert found.duels[0].win_rate.value == 0.5

    def test_samples_that_one_of_them_lacks_are_counted_apart(self):
        found = compare_answers(judge(), {"a": answers(8), "b": answers(4)[:10]})
        assert found.unpaired == {("a", "b"): 6}
        assert found.duels[0].win_rate.n == 10

    def test_failures_are_in_no_figure(self):
        broken = answers(8)
        broken[0] = replace(broken[0], output=Failure(FailureKind.TIMEOUT, "late"))
        duel = compare_answers(judge(), {"a": broken, "b": answers(0)}).duels[0]
        assert duel.failures == {FailureKind.TIMEOUT: 1}
        assert (duel.wins, duel.win_rate.n, duel.win_rate.failures) == (7, 15, 1)

    def test_a_judge_that_goes_by_place_is_shown_to(self):
        duel = compare_answers(judge(lambda s, r: "A"), {"a": answers(8), "b": answers(0)}).duels[0]
        assert duel.consistency.value == pytest.approx(8 / 16), "equal answers are ties, and consistent"
        assert duel.win_rate.value == 0.5

    def test_where_nothing_was_judged_there_is_no_rating(self):
        failed = [replace(each, output=Failure(FailureKind.TIMEOUT, "late")) for each in answers(1)]
        found = compare_answers(judge(), {"a": failed, "b": answers(1)})
        assert found.ratings == []
        assert found.duels[0].win_rate.n == 0

    def test_progress_is_told(self):
        told: list[int] = []
        compare_answers(judge(), {"a": answers(8), "b": answers(0)}, progress=told.append)
        assert told == list(range(1, 17))

    @pytest.mark.parametrize(
        ("given", "told"),
        [({"a": answers(1)}, "two variants"), ({"a": answers(1)[:1], "b": answers(1)[1:]}, "share no id")],
    )
    def test_what_cannot_be_compared_is_told(self, given: dict, told: str):
        with pytest.raises(UsageError, match=told):
            compare_answers(judge(), given)
