"""Numeric errors, relaxed accuracy and benchmark counts."""

import math

import pytest

from vlmops.errors import UsageError
from vlmops.evaluators import Failure
from vlmops.evaluators.quantities import (
    chartqa_relaxed_match,
    countbench_count,
    first_integer,
    fsc147_count,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_relative_accuracy,
    ocrbench_v2_count,
    osi_number,
    pixmo_count,
    r2,
    relative_error,
    relaxed_match,
    vsibench_number,
)


def test_reference_vectors(failing_vectors):
    assert failing_vectors("counting_quantity") == []


def test_errors_of_nothing_are_undefined():
    assert math.isnan(mean_absolute_error([], []))
    assert math.isnan(r2([7], [9]))
    assert math.isnan(mean_relative_accuracy(1, 0))
    assert relative_error(0, 0) == 0
    assert (r2([7, 7], [7, 7]), r2([9, 7], [7, 7])) == (1.0, 0.0)
    assert mean_absolute_percentage_error([0, 1], [0, 0]) > 1e15


def test_lengths_must_agree():
    with pytest.raises(UsageError, match="1 predicted numbers and 2 targets"):
        mean_absolute_error([1], [1, 2])


@pytest.mark.parametrize(
    ("predicted", "target", "strict", "clean"),
    [
        ("103", "100", True, True),
        ("1.05", "1", False, True),
        ("0.0", "0", False, True),
        ("0.04", "0", False, False),
        ("1,000", "1000", False, True),
        ("$5", "5", False, True),
        ("50", "50%", False, True),
        ("50%", "0.5", True, False),
        (" Brazil", "brazil", False, True),
        ("5 apples", "5", False, True),
        ("2019", "2020", True, True),
        ("60 cm", "0.6 m", False, True),
        ("5 kg", "5 m", False, False),
        ("5 EUR", "$5", False, False),
        ("Brazil", "Chile", False, False),
        (5, 5, True, True),
    ],
)
def test_relaxed_matches_strictly_and_cleanly(predicted, target, strict, clean):
    assert chartqa_relaxed_match(predicted, target) is strict
    assert relaxed_match(predicted, target) is clean


def test_a_clean_match_never_guesses_between_numbers():
    assert isinstance(relaxed_match("between 3 and 5", "4"), Failure)
    assert isinstance(relaxed_match("no idea", "4"), Failure)


def test_benchmark_counts_keep_the_benchmarks_quirks():
    assert fsc147_count("3.5", 4).exact
    assert fsc147_count("2.5", 2).exact
    assert fsc147_count(" -3", 3).error == 6
    assert not fsc147_count("none", "7").parsed
    assert pixmo_count("there are 3 dogs", "3")
    assert not pixmo_count("2 or 3", "3")
    assert countbench_count("Twenty", 20)
    assert not countbench_count("twenty-one", 21)
    assert ocrbench_v2_count("10", ["5"]) == 0
    assert ocrbench_v2_count("7", ["5", "8"]) == pytest.approx(0.875)
    assert ocrbench_v2_count(math.nan, ["5"]) == 0
    assert vsibench_number("two thousand three hundred") == 2300
    assert vsibench_number(None) is None
    assert osi_number("first 3, then 1,200") == 1200
    assert first_integer("none") is None
    with pytest.raises(UsageError, match="no whole number"):
        ocrbench_v2_count("5", ["five"])
    with pytest.raises(UsageError, match="no number"):
        fsc147_count("5", "many")
