"""POPE: yes/no questions about objects."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.evaluators import Case, Failure, FailureKind
from vlmops.evaluators.hallucination import Pope, pope_scores


def test_reference_vectors(failing_vectors):
    assert failing_vectors("hallucination") == []


def test_unread_answers_are_told_apart():
    answers, labels = ["yes", None, "no", None], ["yes", "yes", "no", "no"]
    ours = pope_scores(answers, labels)
    assert (ours.accuracy, ours.recall, ours.unknown, ours.yes_ratio) == (1.0, 1.0, 2, 0.5)
    lmms_eval = pope_scores(answers, labels, "lmms_eval")
    assert (lmms_eval.accuracy, lmms_eval.recall, lmms_eval.yes_ratio) == (0.5, 1.0, 0.5)
    vlmevalkit = pope_scores(answers, labels, "vlmevalkit")
    assert (vlmevalkit.accuracy, vlmevalkit.recall) == (0.5, 0.5)


def test_without_a_yes_precision_is_undefined_or_zero():
    assert math.isnan(pope_scores(["no"], ["no"]).precision)
    assert math.isnan(pope_scores(["no"], ["no"], "pope").f1)
    assert pope_scores(["no"], ["no"], "vlmevalkit").f1 == 0


@pytest.mark.parametrize(("answers", "labels"), [([], []), (["yes"], ["yes", "no"])])
def test_answers_and_labels_must_match(answers, labels):
    with pytest.raises(ValueError, match="one answer per label"):
        pope_scores(answers, labels)


words = st.sampled_from(["yes", "no"])


@given(st.lists(st.tuples(words, words), min_size=1, max_size=30))
def test_variants_agree_where_every_answer_is_read(pairs):
    answers, labels = [answer for answer, _ in pairs], [label for _, label in pairs]
    ours, theirs = pope_scores(answers, labels), pope_scores(answers, labels, "vlmevalkit")
    assert ours.accuracy == theirs.accuracy
    assert ours.f1 == theirs.f1 or math.isnan(ours.f1)


class TestEvaluator:
    cases = (
        Case(output="Yes, there is.", expected="yes"),
        Case(output="No.", expected="yes"),
        Case(output="Yes", expected="no"),
        Case(output="No", expected="no"),
        Case(output="I cannot tell", expected="no"),
        Case(output=Failure(FailureKind.TIMEOUT, "60 s"), expected="no"),
    )

    def test_a_set_gives_five_scores_over_what_could_be_read(self):
        scores = {score.name: score for score in Pope().evaluate_set(self.cases)}
        assert [scores[f"pope.{part}"].value for part in ("accuracy", "precision", "recall", "f1")] == [
            0.5
        ] * 4
        assert scores["pope.yes_ratio"].direction == "none"
        assert {(score.n, score.failures) for score in scores.values()} == {(4, 2)}
        assert scores["pope.f1"].interval is not None

    def test_the_original_reading_takes_every_answer(self):
        score = Pope(variant="pope").evaluate_set(self.cases)[0]
        assert (score.n, score.failures) == (5, 1)

    def test_one_case(self):
        assert Pope().evaluate(self.cases[0]).value is True
        assert Pope().evaluate(self.cases[4]).kind is FailureKind.UNPARSABLE
        assert Pope(variant="vlmevalkit").evaluate(self.cases[4]).value is False

    def test_nothing_to_score(self):
        assert isinstance(Pope().evaluate_set([]), Failure)
