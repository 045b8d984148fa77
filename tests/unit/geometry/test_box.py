import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.errors import UsageError
from vlmops.geometry import Box, Point

COORDINATE = st.floats(-5000, 5000, allow_nan=False)


@given(COORDINATE, COORDINATE, COORDINATE, COORDINATE)
def test_any_two_corners_make_a_box_that_clips_into_the_picture(xa, ya, xb, yb):
    box = Box.from_corners(xa, ya, xb, yb, "cup", 0.5)
    inside = box.clipped((640, 480))
    assert box.width >= 0
    assert box.height >= 0
    assert 0 <= inside.x1 <= inside.x2 <= 640
    assert 0 <= inside.y1 <= inside.y2 <= 480
    assert inside.clipped((640, 480)) == inside
    assert (inside.label, inside.score) == ("cup", 0.5)


@pytest.mark.parametrize("corners", [(10, 0, 0, 5), (0, 10, 5, 0), (math.nan, 0, 1, 1), (0, 0, math.inf, 1)])
def test_impossible_boxes_are_refused(corners):
    with pytest.raises(UsageError, match="a box needs"):
        Box(*corners)


def test_a_point_needs_finite_coordinates():
    with pytest.raises(UsageError, match="finite"):
        Point(math.nan, 1)


def test_a_box_wholly_outside_becomes_empty_on_the_nearest_edge():
    assert Box(700, 500, 800, 600).clipped((640, 480)).xyxy == (640, 480, 640, 480)
