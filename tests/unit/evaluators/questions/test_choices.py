"""Reading the letter of a choice, once and in every rotation."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.evaluators import Case, Failure, FailureKind, Score, SetEvaluator
from vlmops.evaluators.questions import (
    CircularAccuracy,
    MultipleChoice,
    circular_correct,
    extract_choice,
    read_choice,
    reference_choice,
)

ANIMALS = {"A": "teddy bear", "B": "rabbit", "C": "cat", "D": "dog"}
INPUTS = {"question": "What is it?", "choices": ["dog", "cat"]}
REFERENCE = json.loads((Path(__file__).parent / "choice_references.json").read_text())


@pytest.mark.parametrize("variant", sorted(REFERENCE["rows"][0].keys() - {"response"}))
def test_reads_as_the_reference_does(variant):
    read = {row["response"]: reference_choice(row["response"], ANIMALS, variant) for row in REFERENCE["rows"]}
    assert read == {row["response"]: row[variant] for row in REFERENCE["rows"]}


@pytest.mark.parametrize(
    ("response", "label"),
    [
        ("B", "B"),
        ("b", "B"),
        (" (b). ", "B"),
        ("**B**", "B"),
        ("[C]", "C"),
        (r"$\boxed{\text{B}}$", "B"),
        ("<answer>B</answer>", "B"),
        ("Answer: b", "B"),
        ("The answer is a", "A"),
        ("The correct answer is **B**. Here's why: a cat is no rabbit.", "B"),
        ("Option C is correct because A and B are wrong", "C"),
        ("The answer is B. No wait, the answer is C.", "C"),
        ("Let's see. (A) is wrong, (C) too.\nAnswer: B", "B"),
        ("The answer is A because the others fail", "A"),
        ("答案是B", "B"),
        ("我选择A。", "A"),
        ("정답은 C", "C"),
        ("A: teddy bear", "A"),
        ("B - rabbit", "B"),
        ("B. cat", "B"),
        ("Therefore, choice (C).", "C"),
        ("neither A nor B, so C", "C"),
        ("It isn't B. It's D", "D"),
        ("A cat is on the mat", "C"),
        ("The answer is a dog", "D"),
        ("Answer: A cat", "C"),
        ("a RABBIT!", "B"),
        ("It is a teddy bear, not a dog", "A"),
    ],
)
def test_reads_what_the_answer_says(response, label):
    assert extract_choice(response, ANIMALS).label == label


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ("", "the answer is empty"),
        ("  \n ", "the answer is empty"),
        ("It could be A, B, C or D", "it names several choices: A, B, C, D"),
        ("C,D", "it names several choices: C, D"),
        ("A. teddy bear\nB. rabbit", "it names several choices: A, B"),
        ("either the cat or the dog", "it names several choices: C, D"),
        ("The answer is not B", "it names no choice, by letter or by text"),
        ("USA", "it names no choice, by letter or by text"),
        ("I think so", "it names no choice, by letter or by text"),
        ("bear", "it names no choice, by letter or by text"),
    ],
)
def test_says_why_it_reads_nothing(response, reason):
    extracted = extract_choice(response, ANIMALS)
    assert (extracted.label, extracted.reason) == (None, reason)


def test_a_choice_inside_a_longer_one_does_not_count():
    choices = {"A": "bear", "B": "teddy bear"}
    assert extract_choice("It is a teddy bear", choices).label == "B"
    assert extract_choice("It is a bear", choices).label == "A"


def test_choices_in_scripts_without_spaces_are_found():
    assert extract_choice("图中是一只猫。", {"A": "狗", "B": "猫"}).label == "B"


def test_labels_may_be_numbers():
    choices = {"1": "red", "2": "blue"}
    assert extract_choice("The answer is 2.", choices).label == "2"
    assert extract_choice("(1)", choices).label == "1"


@given(st.text(max_size=200))
def test_any_text_gives_a_known_label_or_a_reason(text):
    extracted = extract_choice(text, ANIMALS)
    assert extracted.label in {None, *ANIMALS}
    assert extracted.reason


@given(st.text("()[]*_`\"'{}.:,\n AaBb", max_size=80))
def test_mark_up_alone_never_misleads_the_reader(text):
    assert extract_choice(text, ANIMALS).label in {None, "A", "B"}


@pytest.mark.parametrize("text", ["(" * 20_000, "answer is" + " " * 20_000, "**" * 10_000, "a " * 10_000])
def test_long_answers_are_read(text):
    assert extract_choice(text + "x", ANIMALS).label is None


def test_unknown_variant_lists_the_known():
    with pytest.raises(ValueError, match="lmms_eval_mcq"):
        reference_choice("A", ANIMALS, "mmlu")


def test_a_reference_that_guesses_says_so():
    assert read_choice("who knows", ANIMALS, "mmmu").reason == (
        "mmmu reads no choice (where it would pick at random)"
    )


class TestMultipleChoice:
    def test_right_by_letter_and_by_text(self):
        for expected in ("B", "cat", ["B"], ["A", "B"]):
            score = MultipleChoice().evaluate(Case(output="(B)", expected=expected, inputs=INPUTS))
            assert score.value is True

    def test_wrong_names_the_right_one(self):
        score = MultipleChoice().evaluate(Case(output="A", expected="cat", inputs=INPUTS))
        assert score.value is False
        assert score.explanation == "A was read (the answer is the letter); right is B"

    def test_unreadable_is_a_failure_or_wrong(self):
        case = Case(output="hmm", expected="B", inputs=INPUTS)
        assert MultipleChoice().evaluate(case).kind is FailureKind.UNPARSABLE
        assert MultipleChoice(unreadable="wrong").evaluate(case).value is False

    def test_choices_may_be_an_object_elsewhere(self):
        inputs = {"options": {"A": "dog", "B": "cat", "C": None}}
        evaluator = MultipleChoice(choices_key="options")
        assert evaluator.evaluate(Case(output="cat", expected="B", inputs=inputs)).value is True

    @pytest.mark.parametrize("inputs", [None, {}, {"choices": []}, {"choices": "ab"}, {"choices": [["x"]]}])
    def test_missing_choices_are_named(self, inputs):
        failure = MultipleChoice().evaluate(Case(output="A", expected="A", inputs=inputs))
        assert isinstance(failure, Failure)
        assert "'choices'" in failure.message

    def test_expected_must_be_among_the_choices(self):
        failure = MultipleChoice().evaluate(Case(output="A", expected="fish", inputs=INPUTS))
        assert failure.message == "expected: 'fish' is none of the choices A, B"

    def test_a_reference_reading_can_be_asked_for(self):
        case = Case(output="Answer: B", expected="B", inputs=INPUTS)
        assert MultipleChoice().evaluate(case).value is True
        assert MultipleChoice(variant="vlmevalkit_regex").evaluate(case).value is False


class TestCircular:
    @pytest.mark.parametrize(
        ("answers", "lenient", "strict"),
        [
            (["A", "B"], True, True),
            (["A", "A"], False, False),
            (["A", None], None, False),
            ([None, "A"], False, False),
            ([None, None], None, False),
        ],
    )
    def test_right_only_in_every_rotation(self, answers, lenient, strict):
        assert circular_correct(answers, ["A", "B"]) is lenient
        assert circular_correct(answers, ["A", "B"], unreadable="wrong") is strict

    @pytest.mark.parametrize(("answers", "expected"), [([], []), (["A"], ["A", "B"])])
    def test_rotations_must_match(self, answers, expected):
        with pytest.raises(ValueError, match="one answer per rotation"):
            circular_correct(answers, expected)

    def test_groups_cases_into_questions(self):
        def rotation(question, output, expected):
            choices = {"choices": ["dog", "cat"]}
            return Case(output=output, expected=expected, inputs=choices, metadata={"question_id": question})

        cases = [
            rotation(1, "A", "A"),
            rotation(1, "B", "B"),
            rotation(2, "A", "A"),
            rotation(2, "A", "B"),
            rotation(3, "A", "A"),
            rotation(3, "no idea", "B"),
        ]
        score = CircularAccuracy().evaluate_set(cases)
        assert (score.value, score.n, score.failures) == (0.5, 2, 1)
        assert score.metadata == {"right_in_first_rotation": 3, "cases": 6}
        assert score.interval is not None
        assert CircularAccuracy(unreadable="wrong").evaluate_set(cases).value == pytest.approx(1 / 3)

    def test_cases_without_a_group_are_named(self):
        failure = CircularAccuracy().evaluate_set([Case(output="A", expected="A", id="q1")])
        assert isinstance(failure, Failure)
        assert "'q1' has no 'question_id'" in failure.message

    def test_scores_sets_only(self):
        assert isinstance(CircularAccuracy(), SetEvaluator)
        assert not hasattr(CircularAccuracy(), "evaluate")


def test_scores_are_scores():
    assert isinstance(
        MultipleChoice().evaluate(Case(output="A", expected="A", inputs={"choices": ["x"]})), Score
    )
