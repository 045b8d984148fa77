from __future__ import annotations

import math
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.evaluators import Case, FailureKind, PageEditDistance, ReadingOrder
from vlmops.evaluators.documents import (
    best_assignment,
    match_blocks,
    omnidocbench_edit_distance,
    order_edit_distance,
    order_kendall_tau,
    page_edit_distance,
)

matrices = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(0, 9), min_size=width, max_size=width), min_size=1, max_size=4
    )
)


@given(matrices)
def test_the_assignment_is_the_best_one(profits):
    pairs = best_assignment(profits)
    height, width = len(profits), len(profits[0])
    assert len(pairs) == min(height, width)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    if height <= width:
        best = max(
            sum(profits[row][column] for row, column in enumerate(columns))
            for columns in permutations(range(width), height)
        )
    else:
        best = max(
            sum(profits[row][column] for column, row in enumerate(rows))
            for rows in permutations(range(height), width)
        )
    assert sum(profits[row][column] for row, column in pairs) == best


def test_nothing_to_assign():
    assert best_assignment([]) == []
    assert best_assignment([[], []]) == []


def test_pages_without_text_are_left_out():
    assert math.isnan(page_edit_distance([("", "")]))
    assert math.isnan(omnidocbench_edit_distance({}))
    assert omnidocbench_edit_distance({"a": [("", "")], "b": [("x", "y")]}) == 1


@given(st.permutations(range(6)))
def test_orders_are_between_right_and_reversed(order):
    assert 0 <= order_edit_distance(order) <= 1
    assert -1 <= order_kendall_tau(order) <= 1
    assert order_kendall_tau(order[::-1]) == pytest.approx(-order_kendall_tau(order))


def test_orders_at_the_edges():
    assert order_kendall_tau([0, 1, 2]) == 1
    assert order_kendall_tau([2, 1, 0]) == -1
    assert math.isnan(order_kendall_tau([0]))
    assert math.isnan(order_edit_distance([]))


def test_repeated_blocks_are_matched_in_place():
    assert match_blocks(["x", "same", "same"], ["x", "same", "same"]) == [(0, 0), (1, 1), (2, 2)]
    assert match_blocks([], ["a"]) == []
    assert match_blocks(["abc"], ["xyz"]) == []


def test_order_does_not_count_in_the_page_distance_but_in_the_reading_order():
    case = Case(output=["second block", "first block"], expected=["first block", "second block"])
    assert PageEditDistance().evaluate(case).value == 0
    score = ReadingOrder().evaluate(case)
    assert score.value == 1
    assert score.metadata == {"order": [1, 0], "kendall_tau": -1}


def test_blocks_without_a_partner_count_in_full():
    score = PageEditDistance().evaluate(Case(output=["abc", "made up"], expected=["abc"]))
    assert score.value == 0.7
    assert PageEditDistance().evaluate(Case(output="abc", expected="abd")).value == pytest.approx(1 / 3)


@pytest.mark.parametrize("evaluator", [PageEditDistance(), ReadingOrder()])
def test_what_cannot_be_compared_is_a_failure(evaluator):
    assert evaluator.evaluate(Case(output=[{"text": "a"}], expected=["a"])).kind is FailureKind.UNPARSABLE
    assert evaluator.evaluate(Case(output=None, expected=["a"])).kind is FailureKind.MISSING_OUTPUT


def test_a_page_with_no_block_in_common_has_no_order():
    result = ReadingOrder().evaluate(Case(output=["zzz"], expected=["abc", "def"]))
    assert result.kind is FailureKind.UNPARSABLE
    assert PageEditDistance().evaluate(Case(output="", expected="")).kind is FailureKind.MISSING_EXPECTED
