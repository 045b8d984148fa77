"""Corrected pass rates against published code and by simulation."""

from __future__ import annotations

import random

import pytest

from vlmops.errors import UsageError
from vlmops.statistics import prediction_powered_mean, rogan_gladen

PPI = [
    (
        [1, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0],
        [1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0],
        [
            1,
            0,
            0,
            0,
            1,
            1,
            1,
            1,
            1,
            0,
            1,
            1,
            0,
            0,
            0,
            1,
            0,
            1,
            1,
            0,
            0,
            1,
            1,
            1,
            0,
            1,
            0,
            1,
            1,
            0,
            1,
            1,
            0,
            1,
            0,
            0,
            1,
            1,
            1,
            0,
            1,
            0,
            0,
            0,
            0,
            1,
            1,
            0,
            1,
            1,
        ],
        0.4549785714285714,
        0.2960413489304106,
        0.6139157939267321,
    ),
    (
        [1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0],
        [0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 1, 1],
        [0, 0, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 0, 1, 0],
        0.3333333333333333,
        0.09477411417104567,
        0.571892552495621,
    ),
]
"""What ``ppi_py.ppi_mean_ci`` and ``ppi_mean_pointestimate`` of ppi-python 0.2 give."""


@pytest.mark.parametrize(("labelled", "judged", "unlabelled", "value", "low", "high"), PPI)
def test_prediction_powered_mean_is_that_of_the_reference(
    labelled: list[int], judged: list[int], unlabelled: list[int], value: float, low: float, high: float
) -> None:
    found = prediction_powered_mean(labelled, judged, unlabelled)
    assert found.value == pytest.approx(value, abs=1e-12)
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high), abs=1e-12)


def test_rogan_gladen_undoes_the_errors_of_the_judge() -> None:
    # 30 % true passes, sensitivity 0.9, specificity 0.8: 0.3 * 0.9 + 0.7 * 0.2 = 0.41 observed.
    found = rogan_gladen(410, 1000, 90, 100, 80, 100)
    assert found.value == pytest.approx(0.3)
    assert found.interval.low < 0.3 < found.interval.high


def test_its_interval_keeps_its_level() -> None:
    chance = random.Random(5)
    covered = 0
    rounds = 400
    for _ in range(rounds):
        passes = sum(chance.random() < 0.7 for _ in range(150))
        told = sum(chance.random() < 0.85 for _ in range(passes))
        told += sum(chance.random() < 0.25 for _ in range(150 - passes))
        seen = sum(chance.random() < 0.85 for _ in range(40))
        refused = sum(chance.random() < 0.75 for _ in range(40))
        interval = rogan_gladen(told, 150, seen, 40, refused, 40).interval
        covered += interval.low <= 0.7 <= interval.high
    assert covered / rounds >= 0.93


@pytest.mark.parametrize("counts", [(5, 10, 5, 10, 5, 10), (11, 10, 9, 10, 9, 10), (5, 10, 0, 0, 9, 10)])
def test_what_says_nothing_is_refused(counts: tuple[int, ...]) -> None:
    with pytest.raises(UsageError):
        rogan_gladen(*counts)


def test_a_judge_that_says_nothing_is_left_out() -> None:
    found = prediction_powered_mean([1, 0, 1, 1, 0, 1], [1, 1, 1, 1, 1, 1], [1, 1, 1, 1])
    assert found.value == pytest.approx(4 / 6)
