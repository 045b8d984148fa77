from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vlmops.evaluators import Case, Failure, FailureKind, create
from vlmops.evaluators.documents import (
    anls,
    anls_star,
    anls_star_detail,
    edit_distance,
    normalized_edit_distance,
    ocrbench_v1,
    ocrbench_v2,
)

VARIANTS = ["paper", "anls", "anls_star", "docvqa"]
scalars = st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=6)
json_trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)


@given(
    st.text(max_size=20), st.lists(st.text(max_size=20), min_size=1, max_size=4), st.sampled_from(VARIANTS)
)
def test_anls_is_between_zero_and_one(output, expected, variant):
    assert 0 <= anls(output, expected, variant=variant) <= 1


@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=3), st.sampled_from(VARIANTS))
def test_anls_is_one_for_a_right_answer(answer, others, variant):
    assert anls(answer, [*others, answer], variant=variant) == 1


@pytest.mark.parametrize(
    ("variant", "value"), [("paper", 0.0), ("anls", 0.0), ("anls_star", 0.5), ("docvqa", 0.5)]
)
def test_variants_differ_exactly_at_the_threshold(variant, value):
    assert anls("abxx", "abcd", variant=variant) == value


def test_padding_raises_the_value_of_the_benchmark_script_only():
    padded = "a" + " " * 20 + "x"
    assert anls(padded, "a b", variant="docvqa") > anls(padded, "a b", variant="paper")


def test_anls_needs_an_answer():
    with pytest.raises(ValueError, match="no expected answer"):
        anls("a", [])
    result = create("anls").evaluate(Case(output="a", expected=[]))
    assert result.kind is FailureKind.MISSING_EXPECTED


def test_the_anls_evaluator_takes_any_of_and_numbers():
    evaluator = create("anls")
    assert evaluator.evaluate(Case(output=12, expected={"any_of": ["13", 12]})).value == 1
    far = evaluator.evaluate(Case(output="zzz", expected="abc"))
    assert far.value == 0
    assert "too far off" in far.explanation
    assert isinstance(evaluator.evaluate(Case(output={"a": 1}, expected="x")), Failure)


@given(json_trees)
def test_anls_star_of_a_value_with_itself_is_one(tree):
    detail = anls_star_detail(tree, tree)
    assert detail.value == 1
    assert detail.closest == tree or detail.value == 1


@given(json_trees, json_trees)
def test_anls_star_is_between_zero_and_one(output, expected):
    # A list against one string is a list of right answers, of which there must be one.
    assume(expected != [] or not isinstance(output, str))
    assert 0 <= anls_star(output, expected) <= 1


@given(st.lists(scalars, max_size=5).flatmap(lambda items: st.tuples(st.just(items), st.permutations(items))))
def test_anls_star_ignores_the_order_of_lists(pair):
    items, shuffled = pair
    assert anls_star(shuffled, items) == 1


def test_anls_star_takes_tuples_and_objects_for_several_right_answers():
    assert anls_star({"a": "x"}, {"a": ("y", "x")}) == 1
    assert anls_star({"a": "x"}, {"a": {"any_of": ["y", "x"]}}) == 1
    assert anls_star("x", ["y", "x"]) == 1
    assert anls_star({"any_of": 1}, {"any_of": 1}) == 1


def test_anls_star_refuses_what_is_not_json():
    with pytest.raises(TypeError, match="set is not a JSON value"):
        anls_star({"a": {1}}, {"a": 1})
    with pytest.raises(TypeError, match="several right answers"):
        anls_star(("a",), "a")
    with pytest.raises(ValueError, match="at least one"):
        anls_star({"a": "x"}, {"a": ()})
    assert create("anls_star").evaluate(Case(output=("a",), expected="a")).kind is FailureKind.UNPARSABLE


def test_anls_star_names_the_worst_keys():
    score = create("anls_star").evaluate(
        Case(
            output={"a": "x", "items": [{"n": "cake"}]},
            expected={"a": "x", "items": [{"n": "cape"}], "b": "q"},
        )
    )
    assert score.explanation == "3 of 4 keys differ: b 0.00, items 0.75, items.n 0.75"
    assert score.metadata["by_key"]["items.n"] == 0.75


def test_anls_star_of_deep_lists_takes_no_exponential_time():
    tree: object = "leaf"
    for _ in range(12):
        tree = [tree, "x"]
    assert anls_star(tree, tree) == 1


@given(st.text(max_size=15), st.text(max_size=15), st.text(max_size=15))
def test_edit_distance_is_a_metric(a, b, c):
    assert edit_distance(a, b) == edit_distance(b, a)
    assert (edit_distance(a, b) == 0) == (a == b)
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)
    assert 0 <= normalized_edit_distance(a, b) <= 1


def test_ocrbench_containment_is_as_generous_as_the_reference():
    assert ocrbench_v1("12 people", "2")
    assert ocrbench_v1("anything", "")
    assert not ocrbench_v1("１２", "12")
    assert ocrbench_v1("１２", "12", variant="lmms_eval")


def test_ocrbench_v2_reads_lists_and_single_strings_differently():
    long = "one two three four five"
    assert ocrbench_v2(long, [long]) == 1
    assert ocrbench_v2(long, long) == 0
    assert ocrbench_v2("one two three four fivx", [long]) == pytest.approx(22 / 23)
    assert ocrbench_v2(12, ["12"]) == 1
    with pytest.raises(TypeError):
        ocrbench_v2(12, "12")


@pytest.mark.parametrize("name", ["ocrbench_v1", "ocrbench_v2", "normalized_edit_distance"])
def test_text_evaluators_fail_on_objects(name):
    evaluator = create(name)
    assert evaluator.evaluate(Case(output={"a": 1}, expected="x")).kind is FailureKind.UNPARSABLE
    assert evaluator.evaluate(Case(output="x", expected="x")).value in (True, 0, 1)
