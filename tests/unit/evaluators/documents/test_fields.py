from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.evaluators import Case, FailureKind, FieldMatch, create
from vlmops.evaluators.documents import compare_fields, field_f1, flat_fields, tree_edit_accuracy

values = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4)
rows = st.dictionaries(st.sampled_from("abc"), values, max_size=3)
documents = st.dictionaries(st.sampled_from("abcd"), values | st.lists(rows, max_size=4) | rows, max_size=4)


@given(documents)
def test_a_document_agrees_with_itself(document):
    found = compare_fields(document, document)
    assert found.f1 == 1
    assert found.differences == ()
    assert found.right == found.expected == found.output


@given(documents, documents)
def test_f1_is_symmetric_and_in_range(output, expected):
    assert 0 <= field_f1(output, expected) <= 1
    assert field_f1(output, expected) == pytest.approx(field_f1(expected, output))


@given(documents, documents)
def test_every_wrong_field_is_named_once(output, expected):
    found = compare_fields(output, expected)
    missing = sum(d.output is None for d in found.differences)
    made_up = sum(d.expected is None for d in found.differences)
    changed = len(found.differences) - missing - made_up
    assert found.expected == found.right + missing + changed
    assert found.output == found.right + made_up + changed


@given(st.lists(rows, max_size=5), st.randoms())
def test_the_order_of_rows_does_not_matter(items, generator):
    shuffled = generator.sample(items, len(items))
    assert field_f1({"items": shuffled}, {"items": items}) == 1


def test_row_binding_is_what_donut_loses():
    expected = {"items": [{"name": "cake", "count": 2}, {"name": "juice", "count": 1}]}
    swapped = {"items": [{"name": "cake", "count": 1}, {"name": "juice", "count": 2}]}
    assert field_f1(swapped, expected, variant="donut") == 1
    assert field_f1(swapped, expected) == 0.5
    names = [d.field for d in compare_fields(swapped, expected).differences]
    assert names == ["items.count", "items.count"]


@pytest.mark.parametrize(
    ("output", "expected", "f1"),
    [
        ({"a": " 1  2 "}, {"a": "1 2"}, 1.0),
        ({"a": 2}, {"a": "2"}, 1.0),
        ({"a": True}, {"a": "true"}, 1.0),
        ({"a": 0}, {"a": "0"}, 1.0),
        ({"a": "1"}, {"a": ["1"]}, 1.0),
        ({"a": {"n": "1"}}, {"a": [{"n": "1"}]}, 1.0),
        ({"a": "1"}, {"a": {"n": "1"}}, 0.0),
        ({"a": [["1"], ["2"]]}, {"a": [["2"], ["1"]]}, 1.0),
        ({"a": "1", "b": None}, {"a": "1", "c": ""}, 1.0),
        ({}, {}, 1.0),
        ({}, {"a": "1"}, 0.0),
        ({"a": "1"}, {}, 0.0),
        ({"a": "x"}, {"a": {"any_of": ["x", "y"]}}, 1.0),
        ({"a": "z"}, {"a": {"any_of": ["x", "y"]}}, 0.0),
        ({"a": "ABC"}, {"a": "abc"}, 0.0),
    ],
)
def test_what_counts_as_the_same_field(output, expected, f1):
    assert field_f1(output, expected) == f1


def test_normalisation_is_opt_in():
    case = Case(output={"a": "ＡＢＣ"}, expected={"a": "abc"})
    assert FieldMatch().evaluate(case).value == 0
    assert FieldMatch(case_sensitive=False, normalization="NFKC").evaluate(case).value == 1


def test_variants_without_any_field():
    assert field_f1({}, {}, variant="cc_ocr") == 0
    assert math.isnan(field_f1({}, {}, variant="donut"))


def test_the_explanation_says_what_is_wrong_in_each_way():
    score = FieldMatch(key="fields").evaluate(
        Case(
            output={"fields": {"total": "12.5", "note": "hi"}},
            expected={"fields": {"total": "12.50", "date": "3 May"}},
        )
    )
    assert score.value == 0
    assert score.explanation == (
        "0 of 2 fields right: total '12.5' instead of '12.50', date is missing, note 'hi' was not asked for"
    )
    assert {"field": "date", "expected": "3 May", "output": None} in score.metadata["differences"]


@pytest.mark.parametrize("output", ["{}", 3])
def test_an_unparsed_answer_is_a_failure(output):
    for name in ("field_match", "nted"):
        result = create(name).evaluate(Case(output=output, expected={"a": 1}))
        assert result.kind is FailureKind.UNPARSABLE


def test_a_missing_key_is_a_failure_that_lists_what_is_there():
    result = FieldMatch(key="fields").evaluate(Case(output={"data": {}}, expected={"fields": {}}))
    assert result.kind is FailureKind.MISSING_OUTPUT
    assert "it has data" in result.message


def test_a_set_is_micro_averaged_with_errors_by_field():
    cases = [
        Case(output={"a": "1", "b": "2"}, expected={"a": "1", "b": "x"}),
        Case(output={"a": "1"}, expected={"a": "1"}),
        Case(output="oops", expected={"a": "1"}),
    ]
    score = FieldMatch().evaluate_set(cases)
    assert score.value == pytest.approx(2 / 3)
    assert (score.n, score.failures) == (2, 1)
    assert score.metadata["errors_by_field"] == {"b": 1}
    assert score.interval.low <= score.value <= score.interval.high


def test_an_empty_set_has_no_value():
    assert FieldMatch().evaluate_set([]).message == "there are no cases"


def test_long_tables_with_few_errors_are_quick_to_match():
    items = [{"name": f"item {i}", "count": i} for i in range(2_000)]
    changed = [dict(item) for item in reversed(items)]
    changed[7]["count"] = -1
    found = compare_fields({"items": changed}, {"items": items})
    assert found.right == 3_999
    assert [d.field for d in found.differences] == ["items.count"]


def test_tree_edit_accuracy_depends_on_order_and_never_leaves_its_range():
    expected = {"items": [{"n": "cake"}, {"n": "juice"}]}
    assert tree_edit_accuracy(expected, expected) == 1
    assert tree_edit_accuracy({"items": expected["items"][::-1]}, expected) < 1
    assert tree_edit_accuracy({"x": "long made-up text" * 5}, {"a": "1"}) == 0
    assert (
        create("nted").evaluate(Case(output={"a": 1}, expected={"a": ""})).kind
        is FailureKind.MISSING_EXPECTED
    )


def test_flat_fields_of_both_references():
    document = {"a": 0, "b": None, "c": ["x", True, 2]}
    assert flat_fields(document) == [("c", "x"), ("c", "2")]
    assert flat_fields(document, "cc_ocr") == [("a", "0"), ("b", "None"), ("c", "x"), ("c", "2")]
