"""What a rubric asks, and what follows from each verdict."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.errors import UsageError
from vlmops.evaluators import Failure, FailureKind, Score
from vlmops.judges import CANNOT_TELL, Choice, Rubric, Scale, YesNo

TRUE = YesNo("true", "Is it true?", yes="all of it", no="not all of it")
DETAIL = Scale("detail", "How detailed?", {1: "nothing", 5: "all"}, pass_at=4)
STATE = Choice("state", "Which?", {"in progress": "begun", "Done": "ended"}, {"Done"})


def part(verdict: object, **more: object) -> dict:
    return {"reason": "because", "verdict": verdict, "confidence": "high", **more}


def scored(rubric: Rubric, verdict: object) -> list[Score] | Failure:
    return rubric.scores("j", verdict, {})


def values(rubric: Rubric, verdict: object) -> dict:
    found = scored(rubric, verdict)
    assert not isinstance(found, Failure), found
    return {score.name: score.value for score in found}


class TestVerdicts:
    @pytest.mark.parametrize(
        ("said", "value"), [("yes", True), (" Yes ", True), (True, True), ("NO", False), (False, False)]
    )
    def test_yes_and_no_in_the_ways_models_write_them(self, said: object, value: bool):
        assert values(Rubric("t", (TRUE,)), {"true": part(said)}) == {"j": value}

    @pytest.mark.parametrize("said", [4, 4.0, "4", " 4 "])
    def test_numbers_in_the_ways_models_write_them(self, said: object):
        assert values(Rubric("t", (DETAIL,)), {"detail": part(said)}) == {"j": 4.0, "j.pass": True}

    @pytest.mark.parametrize("said", ["in progress", "In-Progress", "in_progress"])
    def test_labels_in_the_ways_models_write_them(self, said: str):
        assert values(Rubric("t", (STATE,)), {"state": part(said)}) == {"j": "in progress", "j.pass": False}

    @pytest.mark.parametrize(
        "verdict",
        [
            None,
            "yes",
            {},
            {"true": None},
            {"true": []},
            {"true": part("perhaps")},
            {"true": part(None)},
            {"true": {"reason": "no verdict"}},
            {"other": part("yes")},
        ],
    )
    def test_what_is_no_verdict_is_a_failure_and_no_bad_score(self, verdict: object):
        found = scored(Rubric("t", (TRUE,)), verdict)
        assert isinstance(found, Failure)
        assert found.kind is FailureKind.UNPARSABLE
        assert found.evaluator == "j"

    @pytest.mark.parametrize("said", [0, 6, "3.5", "4/5", True])
    def test_what_is_not_on_the_scale_is_a_failure(self, said: object):
        assert isinstance(scored(Rubric("t", (DETAIL,)), {"detail": part(said)}), Failure)

    def test_a_bare_verdict_without_a_reason_is_read(self):
        assert values(Rubric("t", (TRUE,)), {"true": "yes"}) == {"j": True}

    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(),
            lambda s: st.lists(s) | st.dictionaries(st.sampled_from(["true", "verdict", "reason"]), s),
        )
    )
    def test_whatever_a_model_answers_is_a_score_or_a_failure(self, verdict: object):
        found = scored(Rubric("t", (TRUE,)), verdict)
        assert isinstance(found, Failure) or all(isinstance(score, Score) for score in found)


class TestAbstention:
    @pytest.mark.parametrize("said", [CANNOT_TELL, "Cannot tell", "cannot-tell"])
    def test_it_is_a_failure_of_its_own_kind(self, said: str):
        found = scored(Rubric("t", (TRUE,)), {"true": part(said, reason="too dark")})
        assert isinstance(found, Failure)
        assert found.kind is FailureKind.ABSTAINED
        assert "too dark" in found.message

    def test_where_it_is_not_offered_it_is_no_verdict(self):
        rubric = Rubric("t", (TRUE,), abstain=False)
        found = scored(rubric, {"true": part(CANNOT_TELL)})
        assert isinstance(found, Failure)
        assert found.kind is FailureKind.UNPARSABLE
        assert CANNOT_TELL not in json.dumps(rubric.schema())
        assert CANNOT_TELL not in rubric.text()


class TestSeveralCriteria:
    RUBRIC = Rubric("t", (TRUE, DETAIL))

    def test_each_is_a_score_and_the_whole_passes_if_all_pass(self):
        verdict = {"true": part("yes"), "detail": part("5")}
        assert values(self.RUBRIC, verdict) == {"j": True, "j.true": True, "j.detail": 5.0}

    def test_the_whole_says_what_it_fails(self):
        found = scored(self.RUBRIC, {"true": part("no"), "detail": part("2")})
        assert not isinstance(found, Failure)
        assert (found[0].value, found[0].explanation) == (False, "fails true, detail")

    def test_there_is_no_whole_where_one_does_not_say_what_passes(self):
        rubric = Rubric("t", (TRUE, Scale("detail", "?", {1: "a", 3: "b"})))
        assert set(values(rubric, {"true": part("yes"), "detail": part("3")})) == {"j.true", "j.detail"}

    def test_one_that_cannot_be_told_fails_the_verdict(self):
        found = scored(self.RUBRIC, {"true": part("yes"), "detail": part(CANNOT_TELL)})
        assert isinstance(found, Failure)
        assert "detail" in found.message


class TestSchema:
    def test_the_reason_stands_before_the_verdict(self):
        found = Rubric("t", (TRUE,)).schema()["properties"]["true"]
        assert list(found["properties"]) == ["reason", "verdict", "confidence"]
        assert found["properties"]["verdict"]["enum"] == ["yes", "no", CANNOT_TELL]
        assert found["additionalProperties"] is False

    def test_the_text_names_every_verdict_with_its_meaning(self):
        text = Rubric("t", (TRUE, DETAIL, STATE)).text()
        for said in (
            "1. true",
            "yes: all of it",
            "no: not all",
            "1: nothing",
            "5: all",
            "Done: ended",
            "1 to 5",
        ):
            assert said in text


class TestMistakes:
    @pytest.mark.parametrize(
        ("made", "told"),
        [
            (lambda: Rubric("t", ()), "needs a criterion"),
            (lambda: Rubric("t", (TRUE, TRUE)), "one name"),
            (lambda: Rubric("t", (YesNo("Is it", "?"),)), "lower-case"),
            (lambda: Rubric("t", (YesNo("a.b", "?"),)), "lower-case"),
            (lambda: Scale("s", "?", {1: "a"}), "anchors"),
            (lambda: Scale("s", "?", {1: "a", 5: "b"}, pass_at=1), "pass_at=1"),
            (lambda: Scale("s", "?", {1: "a", 5: "b"}, pass_at=6), "pass_at=6"),
            (lambda: Choice("c", "?", {"a": ""}), "two labels"),
            (lambda: Choice("c", "?", {"a": "", "Cannot Tell": ""}), "other than"),
            (lambda: Choice("c", "?", {"a b": "", "A-B": ""}), "case or spaces"),
            (lambda: Choice("c", "?", {"a": "", "b": ""}, {"x"}), "x can pass"),
        ],
    )
    def test_they_are_told(self, made, told: str):
        with pytest.raises(UsageError, match=told):
            made()
