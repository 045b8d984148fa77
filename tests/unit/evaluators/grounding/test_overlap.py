import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.evaluators.grounding import diou, giou, integer_iou, iou, powerboxes_diou
from vlmops.geometry import Box

SIDE = st.integers(0, 40)
BOXES = st.tuples(SIDE, SIDE, SIDE, SIDE).map(lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]])


@given(BOXES, BOXES)
def test_measures_keep_their_bounds_and_order(first, second):
    one = float(iou([first], [second])[0, 0])
    assert 0 <= one <= 1
    assert one == float(iou([second], [first])[0, 0])
    for measure in (giou, diou):
        value = float(measure([first], [second])[0, 0])
        assert math.isnan(value) or -1 <= value <= one + 1e-12
        assert value == pytest.approx(float(measure([second], [first])[0, 0]), nan_ok=True)


@given(BOXES.filter(lambda box: box[2] > box[0] and box[3] > box[1]))
def test_a_box_overlaps_itself_wholly(box):
    for measure in (iou, giou, diou, integer_iou, powerboxes_diou):
        assert measure([box], [box])[0, 0] == 1.0


def test_tables_have_a_row_per_prediction_and_may_be_empty():
    assert iou([Box(0, 0, 1, 1), Box(0, 0, 2, 2)], [[0, 0, 1, 1]]).tolist() == [[1.0], [0.25]]
    assert iou([], [[0, 0, 1, 1]]).shape == (0, 1)
    assert iou(np.zeros((0, 4)), []).shape == (0, 0)


def test_boxes_without_area_overlap_nothing():
    assert iou([[5, 5, 5, 5]], [[5, 5, 5, 5]])[0, 0] == 0
    assert math.isnan(giou([[5, 5, 5, 5]], [[5, 5, 5, 5]])[0, 0])


def test_a_crowd_is_measured_by_the_prediction():
    assert iou([[0, 0, 5, 10]], [[0, 0, 10, 10]], crowd=[True])[0, 0] == 1.0


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([0, 0, 10, 10], [5, 0, 15, 10], 1 / 3 - 25 / 325),
        ([0, 0, 10, 10], [20, 0, 30, 10], 0 - 400 / 1000),
        ([0, 0, 100, 100], [25, 25, 75, 75], 0.25),
    ],
)
def test_diou_is_the_papers(first, second, expected):
    assert diou([first], [second])[0, 0] == pytest.approx(expected)
