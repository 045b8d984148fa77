from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.evaluators import Case, Failure, FailureKind, JsonParse
from vlmops.evaluators.structure import parse_json, read_json

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(json_values)
def test_what_json_writes_is_read_back(value):
    text = json.dumps(value)
    assert parse_json(text) == value
    assert read_json(text) == value


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    for read in (parse_json, read_json):
        with suppress(ValueError):
            json.dumps(read(text))


@pytest.mark.parametrize(
    "text",
    ["", " ", '{"a": NaN}', "[Infinity]", "{'a': 1}", '{"a": 1,}', '{"a": 1} x', "[" * 100_000, "\ufeff{}"],
)
def test_strict_means_strict(text):
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ("Sure! {'a': 'x'}", {"a": "x"}),
        ("[1, 2, 3", [1, 2, 3]),
        ("12", 12),
    ],
)
def test_slips_are_repaired(text, value):
    assert read_json(text) == value


def test_prose_is_not_json():
    with pytest.raises(ValueError, match="no JSON object or list"):
        read_json("I see no invoice")


def test_one_case_tells_strict_and_repaired_apart():
    strict, repaired = JsonParse().evaluate(Case(output='{"a": 1,}'))
    assert (strict.name, strict.value, repaired.name, repaired.value) == (
        "json_parse.strict",
        False,
        "json_parse.repaired",
        True,
    )
    assert "line 1" in strict.explanation
    assert repaired.explanation == "parses after repair"


def test_parsed_outputs_parse_and_numbers_do_not():
    assert [s.value for s in JsonParse().evaluate(Case(output={"a": 1}))] == [True, True]
    assert [s.value for s in JsonParse().evaluate(Case(output=3.5))] == [False, False]


def test_set_rates_leave_failures_out():
    cases = [
        Case(output='{"a": 1}'),
        Case(output='{"a": 1,}'),
        Case(output="prose"),
        Case(output=Failure(FailureKind.TIMEOUT, "slow")),
    ]
    strict, readable, repaired = JsonParse().evaluate_set(cases)
    assert [strict.value, readable.value, repaired.value] == pytest.approx([1 / 3, 2 / 3, 1 / 3])
    assert (strict.n, strict.failures) == (3, 1)
    assert repaired.direction == "minimize"
    assert repaired.interval.low <= repaired.value <= repaired.interval.high


def test_a_set_without_outputs_has_no_rate():
    assert isinstance(JsonParse().evaluate_set([]), Failure)


def test_the_kind_of_a_failed_output_is_kept():
    result = JsonParse(name="answer").evaluate(Case(output=Failure(FailureKind.REFUSAL, "no")))
    assert (result.kind, result.evaluator) == (FailureKind.REFUSAL, "answer")


def test_a_missing_key_is_a_failure():
    result = JsonParse(key="answer").evaluate(Case(output={"text": "{}"}))
    assert result.kind is FailureKind.MISSING_OUTPUT
    assert result.message == "no 'answer' in the output value: it has text"
