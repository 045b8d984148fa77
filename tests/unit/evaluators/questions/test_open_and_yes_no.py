"""Open answers, and yes or no."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.evaluators import Case, FailureKind
from vlmops.evaluators.questions import (
    OpenAnswer,
    YesNo,
    extract_yes_no,
    open_answer_correct,
    parse_open_answer,
    yes_no_label,
)


class TestOpenAnswer:
    @pytest.mark.parametrize(
        ("response", "parsed"),
        [
            ("So x = 3.5", {3.5}),
            ("42", {42.0}),
            ("about 1e-3 m", {"about 1e-3 m", -3.0, 0.0}),
            ("x", {" x", "x "}),
            ("It costs 1,234.50 in all", {"it costs 1,234.50 in all", 1234.0, 234.5}),
        ],
    )
    def test_parses_as_mmmu_does(self, response, parsed):
        assert parse_open_answer(response) == parsed

    @pytest.mark.parametrize(
        ("response", "gold", "correct"),
        [
            ("The answer is 42.", "42", True),
            ("42", "42.00", True),
            ("12.345", "12.346", True),
            ("the answer is redwood", "red", True),
            ("the answer is blue", ["red", "blue"], True),
            ("the answer is xyz", "x", False),
            ("anything", "", True),
            ("The answer is 41", "42", False),
        ],
    )
    def test_judges_as_mmmu_does(self, response, gold, correct):
        assert open_answer_correct(response, gold) is correct

    @given(st.text(max_size=80), st.text(max_size=10))
    def test_takes_any_text(self, response, gold):
        assert open_answer_correct(response, gold) in (True, False)

    def test_evaluator_shows_what_it_read(self):
        score = OpenAnswer().evaluate(Case(output="So x = 3", expected="4"))
        assert score.value is False
        assert score.explanation == "none of 3.0 matches '4'"

    def test_evaluator_takes_numbers(self):
        assert OpenAnswer().evaluate(Case(output=3, expected=[3.0, 4])).value is True

    def test_objects_are_unparsable(self):
        assert OpenAnswer().evaluate(Case(output={}, expected="4")).kind is FailureKind.UNPARSABLE


class TestYesNo:
    @pytest.mark.parametrize(
        ("text", "ours", "pope", "lmms_eval", "vlmevalkit"),
        [
            ("yes", "yes", "yes", "yes", "yes"),
            ("NO", "no", "yes", "no", "no"),
            ("", None, "yes", None, None),
            ("Yes. It is not red.", "yes", "yes", None, "yes"),
            ("Yes, there is no doubt", "yes", "no", None, None),
            ("There's no dog", "no", "no", None, "no"),
            ("I am not sure.", None, "no", None, None),
            ("(no)", "no", "yes", None, "no"),
            ("**Yes**", "yes", "yes", None, None),
            ("nope", "no", "yes", None, None),
            ("The answer is: No, though it looks like yes", "no", "no", None, None),
            ("yes or no", None, "no", None, None),
            ("either yes or no", None, "no", None, None),
        ],
    )
    def test_each_reading(self, text, ours, pope, lmms_eval, vlmevalkit):
        variants = ("vlmops", "pope", "lmms_eval", "vlmevalkit")
        read = [extract_yes_no(text, variant) for variant in variants]
        assert read == [ours, pope, lmms_eval, vlmevalkit]

    def test_unknown_variant_lists_the_known(self):
        with pytest.raises(ValueError, match="vlmevalkit"):
            extract_yes_no("yes", "mme")

    def test_labels(self):
        assert [yes_no_label(value) for value in (True, "YES", False, "no ", "maybe", 1, None)] == [
            "yes", "yes", "no", "no", None, None, None,
        ]  # fmt: skip

    def test_evaluator(self):
        assert YesNo().evaluate(Case(output=True, expected="yes")).value is True
        assert YesNo().evaluate(Case(output="Nope.", expected=True)).value is False
        assert YesNo().evaluate(Case(output="hm", expected="no")).kind is FailureKind.UNPARSABLE
        assert YesNo().evaluate(Case(output="no", expected="perhaps")).kind is FailureKind.MISSING_EXPECTED
        assert YesNo().evaluate(Case(output={}, expected="no")).kind is FailureKind.UNPARSABLE
