"""VQA accuracy and its normalisation."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.evaluators import Case, Failure, FailureKind, Score
from vlmops.evaluators.questions import VqaAccuracy, normalise_answer, vqa_accuracy

REFERENCE = json.loads((Path(__file__).parent / "normalised_answers.json").read_text())
VARIANTS = ("official", "lmms_eval_vqav2", "lmms_eval_textvqa", "vlmevalkit")


@pytest.mark.parametrize("variant", VARIANTS)
def test_normalises_as_the_reference_does(variant):
    differing = [row for row in REFERENCE if normalise_answer(row["text"], variant) != row[variant]]
    assert differing == []


def test_reference_vectors(failing_vectors):
    assert failing_vectors("vqa") == []


@given(st.text(max_size=60), st.sampled_from(VARIANTS))
def test_normalising_takes_any_text(text, variant):
    normalised = normalise_answer(text, variant)
    assert normalised == " ".join(normalised.split())
    assert not {"a", "an", "the"} & set(normalised.split(" "))


@given(st.lists(st.sampled_from(["yes", "no", "2"]), min_size=2, max_size=12), st.sampled_from(VARIANTS))
def test_accuracy_is_the_mean_over_leave_one_out(answers, variant):
    rounds = [
        min(1, sum(other == "yes" for at, other in enumerate(answers) if at != left_out) / 3)
        for left_out in range(len(answers))
    ]
    assert vqa_accuracy("yes", answers, variant) == pytest.approx(sum(rounds) / len(rounds))


def test_the_official_code_normalises_only_where_people_disagree():
    assert vqa_accuracy("a dog", ["dog"] * 10, "official") == 0
    assert vqa_accuracy("a dog", ["dog"] * 9 + ["cat"], "official") == 1
    assert vqa_accuracy("a dog", ["dog"] * 10) == 1


def test_answers_without_ids_drop_their_equals():
    answers = ["yes"] * 3 + ["no"] * 7
    assert vqa_accuracy("yes", answers, "official", answer_ids=False) == pytest.approx(0.7)
    assert vqa_accuracy("yes", answers, "vlmevalkit", answer_ids=False) == pytest.approx(0.9)


def test_no_answers_is_an_error():
    with pytest.raises(ValueError, match="at least one answer"):
        vqa_accuracy("yes", [])


class TestEvaluator:
    def test_explains_agreement(self):
        score = VqaAccuracy().evaluate(Case(output="It is not", expected=["yes"] * 10))
        assert score.value == 0
        assert score.explanation == "0 of 10 people said 'it is not'; most often (10 times) 'yes'"

    def test_takes_the_records_of_the_published_files(self):
        expected = [{"answer": "2", "answer_id": index} for index in range(10)]
        assert VqaAccuracy().evaluate(Case(output="two", expected=expected)).value == 1

    def test_takes_numbers(self):
        assert VqaAccuracy().evaluate(Case(output=2, expected=[2] * 4)).value == 1

    def test_a_single_answer_cannot_be_scored(self):
        failure = VqaAccuracy().evaluate(Case(output="yes", expected="yes"))
        assert isinstance(failure, Failure)
        assert "always 0" in failure.message

    def test_few_answers_name_the_ceiling(self):
        score = VqaAccuracy().evaluate(Case(output="yes", expected=["yes", "yes"]))
        assert isinstance(score, Score)
        assert score.value == pytest.approx(1 / 3)
        assert "at most 0.33" in score.explanation

    @pytest.mark.parametrize("output", [{"answer": "yes"}, ["yes"]])
    def test_structured_output_is_unparsable(self, output):
        failure = VqaAccuracy().evaluate(Case(output=output, expected=["yes"] * 3))
        assert failure.kind is FailureKind.UNPARSABLE

    def test_expected_of_the_wrong_shape_names_itself(self):
        failure = VqaAccuracy().evaluate(Case(output="yes", expected=[{"text": "yes"}] * 3))
        assert failure.kind is FailureKind.MISSING_EXPECTED
        assert failure.message.startswith("expected: a list of answers")
