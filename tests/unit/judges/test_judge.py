"""A judge: what it asks, what comes of the answer, and what of everything that goes wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from judging_models import ScriptedModel, colour_of, picture, pieces, sees

from vlmops import Image
from vlmops.errors import UsageError
from vlmops.evaluators import Case, Failure, FailureKind, Usage, annotator_of, evaluate
from vlmops.judges import CANNOT_TELL, Choice, Judge, JudgedExample, Rubric, Scale, View, YesNo
from vlmops.models import ModelReply, ModelRequest

RIGHT = YesNo("right", "Is it the colour?")
RUBRIC = Rubric("Judge colours.", (RIGHT,))
CASE = Case(output="red", inputs={"image": picture("red"), "question": "Which colour?"}, id="1")


class Says:
    """A model that gives one answer, whatever it is asked."""

    name = "says"

    def __init__(self, answer: ModelReply | Failure) -> None:
        self.requests: list[ModelRequest] = []
        self._answer = answer

    async def answer(self, request: ModelRequest) -> ModelReply | Failure:
        self.requests.append(request)
        return self._answer


def reply(told: object, **more: object) -> ModelReply:
    text = told if isinstance(told, str) else json.dumps(told)
    return ModelReply(output=told, text=text, usage=Usage(800, 40, cost=0.002), latency=1.5, **more)


def verdict(said: object = "yes") -> dict:
    return {"right": {"reason": "It is red all over.", "verdict": said, "confidence": "high"}}


def judged(answer: ModelReply | Failure, case: Case = CASE, **settings: object):
    return asyncio.run(
        evaluate(Judge(**{"model": Says(answer), "rubric": RUBRIC, "name": "colour", **settings}), case)
    )


class TestScore:
    def test_it_carries_reason_confidence_and_what_the_judge_was_shown(self):
        score = judged(reply(verdict(), model="m-2026-01-01"))
        assert (score.name, score.value, score.explanation) == ("colour", True, "It is red all over.")
        assert score.metadata["confidence"] == "high"
        told = score.metadata["judge"]
        assert told["model"] == "m-2026-01-01"
        assert told["usage"] == {"input_tokens": 800, "output_tokens": 40, "cost": 0.002}
        assert told["shown"][0]["sha256"] == CASE.images[0].sha256
        assert told["audit"] == "not audited"
        json.dumps(score.metadata)

    def test_it_carries_what_an_audit_found(self):
        score = judged(reply(verdict()), audit={"verdict": "not trusted"})
        assert score.metadata["judge"]["audit"] == {"verdict": "not trusted"}

    def test_it_is_a_models(self):
        assert annotator_of(Judge(model=Says(reply(verdict())), rubric=RUBRIC)) == "LLM"

    def test_verdicts_in_prose_are_read(self):
        text = f"Here is my verdict:\n```json\n{json.dumps(verdict('no'))}\n```"
        assert judged(reply(text)).value is False


class TestFailures:
    def test_the_models_keeps_its_kind_and_what_it_cost(self):
        spent = Usage(cost=0.01)
        found = judged(Failure(FailureKind.RATE_LIMIT, "slow down", retry_after=3, usage=spent))
        assert (found.kind, found.evaluator, found.retry_after) == (FailureKind.RATE_LIMIT, "colour", 3)
        assert found.usage == spent
        assert found.message == "the judge says: slow down"

    @pytest.mark.parametrize(
        ("said", "kind"),
        [
            ("It looks fine to me.", FailureKind.UNPARSABLE),
            (verdict("maybe"), FailureKind.UNPARSABLE),
            ([], FailureKind.UNPARSABLE),
            (verdict(CANNOT_TELL), FailureKind.ABSTAINED),
        ],
    )
    def test_what_is_no_verdict_is_paid_for_all_the_same(self, said: object, kind: FailureKind):
        found = judged(reply(said))
        assert isinstance(found, Failure)
        assert (found.kind, found.usage.cost, found.evaluator) == (kind, 0.002, "colour")

    @pytest.mark.parametrize("said", ['{"right": ', '{"right": {"reason": "It is", "verdict": "yes"', "It"])
    def test_a_cut_off_verdict_is_not_guessed_at(self, said: str):
        found = judged(reply(said, finish_reason="length"))
        assert found.kind is FailureKind.TRUNCATED
        assert "cut off by the token limit" in found.message

    def test_an_answer_that_failed_is_not_judged(self):
        model = Says(reply(verdict()))
        failed = replace(CASE, output=Failure(FailureKind.REFUSAL, "I cannot"))
        found = asyncio.run(Judge(model=model, rubric=RUBRIC).evaluate(failed))
        assert found.kind is FailureKind.REFUSAL
        assert model.requests == []

    def test_without_a_picture_nobody_is_asked(self):
        model = Says(reply(verdict()))
        found = asyncio.run(Judge(model=model, rubric=RUBRIC).evaluate(replace(CASE, inputs={})))
        assert found.kind is FailureKind.BAD_IMAGE
        assert model.requests == []

    def test_a_part_of_the_output_that_is_not_there(self):
        found = judged(reply(verdict()), replace(CASE, output={"sum": 1}), key="total")
        assert found.kind is FailureKind.MISSING_OUTPUT


class TestRequest:
    def asked(self, **settings: object) -> ModelRequest:
        found = Judge(**{"model": Says(reply(verdict())), "rubric": RUBRIC, **settings}).request(CASE)
        assert isinstance(found, ModelRequest)
        return found

    def test_the_rubric_is_in_the_standing_instructions_and_the_case_is_not(self):
        system, user = self.asked().conversation
        assert system.role == "system"
        assert "Is it the colour?" in system.content[0]
        assert "Which colour?" not in system.content[0]
        assert [colour_of(image) for image in user.images] == ["red"]

    def test_it_is_asked_coolly_unless_said_otherwise(self):
        assert self.asked().parameters == {"temperature": 0}
        assert self.asked(parameters={}).parameters == {}

    def test_repetitions_are_told_apart(self):
        assert self.asked(repetition=3).repetition == 3

    def test_examples_come_first_with_their_pictures_and_verdicts(self):
        shown = Case(output="blue", inputs={"image": picture("green")})
        request = self.asked(examples=(JudgedExample(shown, verdict("no")),))
        roles = [turn.role for turn in request.conversation]
        assert roles == ["system", "user", "assistant", "user"]
        assert [colour_of(image) for image in request.pictures] == ["green", "red"]
        assert json.loads(request.conversation[2].content[0]) == verdict("no")

    def test_the_whole_output_of_an_example_is_judged_whatever_the_key(self):
        shown = JudgedExample(Case(output="blue", inputs={"image": picture("green")}), verdict("no"))
        judge = Judge(model=Says(reply(verdict())), rubric=RUBRIC, key="colour", examples=(shown,))
        assert isinstance(judge.request(replace(CASE, output={"colour": "red"})), ModelRequest)

    def test_an_example_that_cannot_be_shown_is_named(self):
        blind = JudgedExample(Case(output="blue", id="e1"), verdict("no"))
        found = Judge(model=Says(reply(verdict())), rubric=RUBRIC, examples=(blind,)).request(CASE)
        assert isinstance(found, Failure)
        assert "example e1" in found.message

    def test_models_are_found_by_name(self):
        assert Judge(model="openai:gpt-4.1", rubric=RUBRIC).model.name == "openai:gpt-4.1"
        with pytest.raises(UsageError, match="no model is named"):
            Judge(model="gpt-telepathic", rubric=RUBRIC)


class TestFingerprint:
    @pytest.mark.parametrize(
        "other",
        [
            {"rubric": Rubric("Judge shapes.", (RIGHT,))},
            {"rubric": Rubric("Judge colours.", (RIGHT,), abstain=False)},
            {"view": View(expected=True)},
            {"examples": (JudgedExample(CASE, verdict()),)},
        ],
    )
    def test_it_tells_what_is_asked(self, other: dict):
        judge = Judge(model=Says(reply(verdict())), rubric=RUBRIC)
        assert replace(judge, **other).fingerprint != judge.fingerprint

    @pytest.mark.parametrize(
        "other", [{"name": "other"}, {"model": "openai:gpt-4.1"}, {"repetition": 2}, {"audit": {}}]
    )
    def test_it_tells_nothing_else(self, other: dict):
        judge = Judge(model=Says(reply(verdict())), rubric=RUBRIC)
        assert replace(judge, **other).fingerprint == judge.fingerprint

    def test_it_tells_the_pictures_of_examples(self):
        def of(image: Image) -> str:
            shown = JudgedExample(Case(output="red", inputs=[image]), verdict())
            return Judge(model=Says(reply(verdict())), rubric=RUBRIC, examples=(shown,)).fingerprint

        assert of(picture("red")) != of(picture("red", 1))


def test_several_criteria_are_several_scores_of_one_call():
    rubric = Rubric(
        "t",
        (RIGHT, Scale("sure", "How sure?", {1: "not", 3: "very"}), Choice("tone", "?", {"a": "", "b": ""})),
    )
    told = verdict() | {
        "sure": {"reason": "r", "verdict": "2", "confidence": "low"},
        "tone": {"reason": "r", "verdict": "b", "confidence": "low"},
    }
    scores = judged(reply(told), rubric=rubric)
    assert {score.name: score.value for score in scores} == {
        "colour.right": True,
        "colour.sure": 2.0,
        "colour.tone": "b",
    }


def test_the_verdict_follows_the_pixels():
    judge = Judge(model=ScriptedModel("right", sees), rubric=RUBRIC)
    told = {
        colour: asyncio.run(judge.evaluate(replace(CASE, inputs={"image": picture(colour)}))).value
        for colour in ("red", "green", "blue")
    }
    assert told == {"red": True, "green": False, "blue": False}


def test_material_is_read_by_label_and_holds_all_of_it():
    seen: list[dict] = []

    def look(shown: dict, request: ModelRequest) -> str:
        seen.append(pieces(request))
        return "yes"

    deciding: Callable = look
    judge = Judge(model=ScriptedModel("right", deciding), rubric=RUBRIC, view=View(expected=True))
    asyncio.run(judge.evaluate(replace(CASE, expected="scarlet")))
    assert list(seen[0]) == ["PICTURE", "QUESTION", "EXPECTED ANSWER", "ANSWER"]
