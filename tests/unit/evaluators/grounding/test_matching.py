"""Reference assignments were made with scipy 1.17."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.errors import UsageError
from vlmops.evaluators.grounding import assign, count_boxes, match_boxes
from vlmops.geometry import Box

TABLES = st.integers(1, 5).flatmap(
    lambda rows: st.integers(1, 5).flatmap(
        lambda columns: st.lists(
            st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=columns, max_size=columns),
            min_size=rows,
            max_size=rows,
        )
    )
)


@given(TABLES)
def test_no_other_assignment_has_a_greater_sum(rows):
    table = np.array(rows)
    chosen = assign(table)
    assert len(chosen[0]) == min(table.shape)
    assert len(set(chosen[1].tolist())) == min(table.shape)
    wide = table if table.shape[0] <= table.shape[1] else table.T
    best = max(
        sum(wide[row, column] for row, column in enumerate(columns))
        for columns in permutations(range(wide.shape[1]), wide.shape[0])
    )
    assert table[chosen].sum() == pytest.approx(best)


@pytest.mark.parametrize(
    ("table", "rows", "columns"),
    [
        ([[1, 1], [1, 1]], [0, 1], [0, 1]),
        ([[0, 0, 0]], [0], [0]),
        ([[0], [0], [0]], [0], [0]),
        ([[0, 0, 1], [0, 0, 1], [1, 0, 0]], [0, 1, 2], [2, 1, 0]),
    ],
)
def test_equal_sums_are_decided_as_by_scipy(table, rows, columns):
    chosen = assign(table)
    assert (chosen[0].tolist(), chosen[1].tolist()) == (rows, columns)


def test_a_benefit_must_be_finite():
    with pytest.raises(UsageError, match="finite"):
        assign([[float("nan")]])


def test_nothing_to_assign():
    assert [part.tolist() for part in assign(np.zeros((0, 3)))] == [[], []]
    assert match_boxes(np.zeros((3, 0)), 0.5) == []


@given(TABLES, st.sampled_from([0.25, 0.5, 1.0]))
def test_the_best_matching_has_never_fewer_pairs_than_the_greedy_one(rows, threshold):
    best = match_boxes(rows, threshold)
    greedy = match_boxes(rows, threshold, method="greedy")
    assert len(best) >= len(greedy)
    for matches in (best, greedy):
        assert all(match.overlap >= threshold for match in matches)
        assert len({match.predicted for match in matches}) == len(matches)
        assert len({match.expected for match in matches}) == len(matches)


def test_greedy_follows_confidence():
    table = [[0.9, 0.0], [0.8, 0.0]]
    assert [match.predicted for match in match_boxes(table, 0.5, method="greedy")] == [0]
    surer = match_boxes(table, 0.5, method="greedy", scores=[0.1, 0.7])
    assert [match.predicted for match in surer] == [1]


def test_labels_keep_boxes_apart():
    cup, plate = Box(0, 0, 10, 10, "cup"), Box(0, 0, 10, 10, " PLATE ")
    assert count_boxes([cup], [plate]).found == 0
    assert count_boxes([cup], [plate], labels=False).found == 1
    assert count_boxes([Box(0, 0, 10, 10)], [plate]).found == 1
