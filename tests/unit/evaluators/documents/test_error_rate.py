from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.evaluators import Case, CharacterErrorRate, Failure, FailureKind, WordErrorRate
from vlmops.evaluators.documents import (
    character_edits,
    character_error_rate,
    corpus_error_rate,
    word_edits,
    word_error_rate,
)


@given(st.text())
def test_a_text_agrees_with_itself(text):
    assert character_error_rate(text, text) == 0
    assert word_error_rate(text, text) == 0


@given(st.text(), st.text())
def test_counts_add_up_to_both_lengths(output, expected):
    counts = character_edits(output, expected)
    assert counts.output_length == len(output.strip())
    assert counts.reference_length == len(expected.strip())
    assert counts.error_rate == pytest.approx(character_error_rate(output, expected))
    assert 0 <= counts.match_error_rate <= 1
    assert 0 <= counts.information_preserved <= 1


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1))
def test_the_corpus_rate_is_edits_over_characters(pairs):
    counts = [word_edits(*pair) for pair in pairs]
    length = sum(c.reference_length for c in counts)
    edits = sum(c.edits for c in counts)
    assert corpus_error_rate(counts) == pytest.approx(edits / length if length else edits)


@pytest.mark.parametrize(
    ("output", "expected", "rate"),
    [("", "", 0.0), ("abc", "", 3.0), ("", "abc", 1.0), ("xyz", "a", 3.0), ("  ab  ", "ab", 0.0)],
)
def test_edges_of_the_character_rate(output, expected, rate):
    assert character_error_rate(output, expected) == rate


def test_accents_and_ligatures_count_unless_normalised():
    decomposed, composed = "cafe\u0301", "caf\u00e9"
    case = Case(output=decomposed, expected=composed)
    assert CharacterErrorRate().evaluate(case).value == 0.5
    assert CharacterErrorRate(normalization="NFC").evaluate(case).value == 0
    assert CharacterErrorRate(normalization="NFKC").evaluate(Case(output="ﬁn", expected="fin")).value == 0


def test_case_can_be_ignored():
    case = Case(output="STRASSE", expected="Straße")
    assert WordErrorRate().evaluate(case).value == 1
    assert WordErrorRate(case_sensitive=False).evaluate(case).value == 0


def test_the_explanation_names_the_most_frequent_differences():
    score = CharacterErrorRate().evaluate(Case(output="he110 wor1d, hi", expected="hello world"))
    assert score.explanation == (
        "8 of 11 characters differ: 'l' read as '1' (3 times), 'o' read as '0', ', hi' added"
    )


def test_a_rate_may_exceed_one_and_says_so_in_its_range():
    score = CharacterErrorRate().evaluate(Case(output="aaaa", expected="b"))
    assert score.value == 4
    assert score.range == (0, math.inf)
    assert score.direction == "minimize"


def test_numbers_are_compared_as_text():
    assert (
        CharacterErrorRate(key="total")
        .evaluate(Case(output={"total": 12.5}, expected={"total": "12.5"}))
        .value
        == 0
    )


@pytest.mark.parametrize("output", [["a"], {"text": "a"}])
def test_what_is_not_text_is_a_failure_not_a_bad_score(output):
    result = CharacterErrorRate().evaluate(Case(output=output, expected="a"))
    assert isinstance(result, Failure)
    assert result.kind is FailureKind.UNPARSABLE
    assert result.message.startswith("output: ")


def test_absent_sides_are_failures():
    assert WordErrorRate().evaluate(Case(output=None, expected="a")).kind is FailureKind.MISSING_OUTPUT
    assert WordErrorRate().evaluate(Case(output="a")).kind is FailureKind.MISSING_EXPECTED


def test_a_set_weighs_by_length_and_counts_failures():
    cases = [
        Case(output="aaaaaaaaaa", expected="aaaaaaaaaa"),
        Case(output="x", expected="y"),
        Case(output=None, expected="y"),
        Case(output=Failure(FailureKind.REFUSAL, "no"), expected="y"),
    ]
    score = CharacterErrorRate().evaluate_set(cases)
    assert score.value == pytest.approx(1 / 11)
    assert (score.n, score.failures) == (2, 2)
    assert score.interval.low <= score.value <= score.interval.high
    assert score.metadata["hits"] == 10


def test_a_set_without_usable_cases_has_no_value():
    failure = CharacterErrorRate().evaluate_set([Case(output=None, expected="a")])
    assert failure == Failure(
        FailureKind.MISSING_OUTPUT, "none of 1 cases can be scored: the case has no output value", "cer"
    )


def test_long_texts_are_scored():
    page = "lorem ipsum dolor " * 3_000
    score = CharacterErrorRate().evaluate(Case(output=page.replace("dolor", "d0lor", 5), expected=page))
    assert score.metadata["substitutions"] == 5
