import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.errors import UsageError
from vlmops.geometry import RESIZES, claude_fit, seen_size, smart_resize

SIDE = st.integers(1, 6000)


@pytest.mark.parametrize(
    ("size", "standard", "high"),
    [
        ((200, 200), (200, 200), (200, 200)),
        ((1092, 1092), (1092, 1092), (1092, 1092)),
        ((1920, 1080), (1456, 819), (1920, 1080)),
        ((3840, 2160), (1456, 819), (2576, 1449)),
        ((1075, 1520), (924, 1307), (1075, 1520)),
    ],
)
def test_claude_sizes_are_those_of_the_documentation(size, standard, high):
    assert claude_fit(size) == standard
    assert claude_fit(size, max_edge=2576, max_tokens=4784) == high


@given(SIDE, SIDE)
def test_claude_fit_keeps_both_limits_and_orientation(width, height):
    seen = claude_fit((width, height))
    assert max(seen) <= 1568
    assert math.ceil(seen[0] / 28) * math.ceil(seen[1] / 28) <= 1568
    assert claude_fit((height, width)) == seen[::-1]
    assert claude_fit(seen) == seen


@pytest.mark.parametrize(
    ("size", "factor", "expected"),
    [
        ((1920, 1080), 28, (1316, 728)),
        ((640, 480), 28, (644, 476)),
        ((20, 20), 28, (56, 56)),
        ((640, 480), 32, (640, 480)),
        # 42 / 28 is exactly 1.5: half to even, as Python rounds
        ((42, 560), 28, (56, 560)),
        ((70, 560), 28, (56, 560)),
    ],
)
def test_smart_resize(size, factor, expected):
    assert smart_resize(size, factor=factor) == expected


@given(st.integers(28, 4000), st.integers(28, 4000), st.sampled_from([28, 32]))
def test_smart_resize_gives_multiples_within_the_budget(width, height, factor):
    seen = smart_resize((width, height), factor=factor)
    assert all(side % factor == 0 for side in seen)
    assert seen[0] * seen[1] <= 28 * 28 * 1280


@pytest.mark.parametrize("size", [(0, 10), (10, -1)])
def test_sizes_must_be_positive(size):
    for name in RESIZES:
        with pytest.raises(UsageError, match="positive"):
            seen_size(name, size)


def test_smart_resize_refuses_what_the_processor_refuses():
    with pytest.raises(UsageError, match="200 times"):
        smart_resize((10_000, 20))
    with pytest.raises(UsageError, match="min_pixels"):
        smart_resize((100, 100), min_pixels=10, max_pixels=5)


def test_an_unknown_resize_is_named_with_those_there_are():
    with pytest.raises(UsageError, match="claude-high"):
        seen_size("nobody", (10, 10))
