from __future__ import annotations

import math

import numpy as np
import pytest

from vlmops.evaluators.verify import Raised, compare, outcome, revive


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (0.1 + 0.2, 0.3),
        (1, 1.0),
        (True, 1),
        (0, False),
        (math.nan, "NaN"),
        (math.nan, math.nan),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        ("NaN", "NaN"),
        ((1, 2), [1, 2]),
        (np.float64(0.5), 0.5),
        (np.array([[1, 2]]), [[1, 2]]),
        ({"a": 1, "more": 2}, {"a": 1}),
        ({1: "x"}, {"1": "x"}),
        (None, None),
        (Raised("boom"), {"raises": "ValueError"}),
        (None, {"raises": "ValueError"}),
        (math.nan, {"raises": "ValueError"}),
        ({"a": Raised("boom"), "b": 1}, {"a": {"raises": "E"}, "b": 1}),
        (1e-13, 0),
    ],
)
def test_agreement(got, expected):
    assert compare(got, expected) is None


@pytest.mark.parametrize(
    ("got", "expected", "message"),
    [
        (0.3, 0.30000001, "expected 0.30000001, got 0.3"),
        ("1", 1, "expected 1, got '1'"),
        (None, 0, "expected 0, got None"),
        (math.nan, 0.0, "expected 0.0, got nan"),
        (0.0, "NaN", "expected 'NaN', got 0.0"),
        ([1], [1, 2], "expected [1, 2], got [1]"),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "at a.b: expected 2, got 1"),
        ({}, {"a": 1}, "at a: expected 1, got 'nothing'"),
        (0.0, {"raises": "ValueError"}, "expected {'raises': 'ValueError'}, got 0.0"),
        (Raised("boom"), 1, "expected 1, got Raised(message='boom')"),
        ("a", ["a"], "expected ['a'], got 'a'"),
    ],
)
def test_difference(got, expected, message):
    assert str(compare(got, expected)) == message


def test_a_tolerance_of_its_own():
    assert compare(1.0, 1.01, tolerance=0.05) is None
    assert compare(1.0, 1.2, tolerance=0.05) is not None


def test_outcome_of_a_call():
    assert outcome(max, [1, 3], key=abs) == 3
    assert outcome(int, "x") == Raised("ValueError: invalid literal for int() with base 10: 'x'")


def test_special_numbers_are_revived_in_trees():
    revived = revive({"a": ["NaN", "x"], "b": "-Infinity"})
    assert math.isnan(revived["a"][0])
    assert revived["a"][1:] == ["x"]
    assert revived["b"] == -math.inf
