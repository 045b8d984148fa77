"""What is no number, no level and no count is refused: it never becomes a figure."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from vlmops import statistics
from vlmops.errors import UsageError

LEVELS: dict[str, Callable[[float], Any]] = {
    "mean": lambda level: statistics.mean_interval([1, 2, 3], confidence=level),
    "bca": lambda level: statistics.mean_interval([1, 2, 4], confidence=level, method="bca"),
    "ratio": lambda level: statistics.bootstrap_ratio([1, 2], [3, 5], confidence=level),
    "wilson": lambda level: statistics.wilson_interval(1, 3, level),
    "clopper-pearson": lambda level: statistics.clopper_pearson_interval(1, 3, level),
    "rate": lambda level: statistics.rate_interval([True, False], confidence=level),
    "quantile": lambda level: statistics.quantile_interval([1, 2, 3], 0.5, confidence=level),
    "paired": lambda level: statistics.paired_differences([[1], [2]], [[1], [3]], confidence=level),
    "quantiles, paired": lambda level: statistics.quantile_differences(
        [1, 2], [1, 3], [0.5], confidence=level
    ),
    "power": lambda level: statistics.power(0.1, 0.1, 9, confidence=level),
    "detectable": lambda level: statistics.minimum_detectable_difference(0.1, 9, confidence=level),
    "rogan-gladen": lambda level: statistics.rogan_gladen(5, 10, 9, 10, 8, 10, confidence=level),
    "prediction-powered": lambda level: statistics.prediction_powered_mean(
        [1, 0, 1], [1, 0, 0], [1, 0, 1], confidence=level
    ),
}


@pytest.mark.parametrize("level", [95, 1, 0, -0.5, math.nan])
@pytest.mark.parametrize("of", LEVELS)
def test_a_confidence_that_is_no_level_is_refused(of: str, level: float) -> None:
    with pytest.raises(UsageError, match="between 0 and 1"):
        LEVELS[of](level)


def test_a_p_value_that_is_not_known_is_no_comparison() -> None:
    adjusted = statistics.holm([0.01, math.nan, 0.03])
    assert math.isnan(adjusted[1])
    assert [adjusted[0], adjusted[2]] == statistics.holm([0.01, 0.03])


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_no_test_of_differences_that_are_no_numbers(value: float) -> None:
    with pytest.raises(UsageError, match="NaN or infinite"):
        statistics.sign_flip_tests([[1.0], [value]])


def test_no_test_of_negative_counts() -> None:
    with pytest.raises(UsageError, match="counted from 0"):
        statistics.mcnemar(-1, 3)


def test_quantiles_need_an_order_and_a_share() -> None:
    with pytest.raises(UsageError, match="NaN"):
        statistics.quantile_interval([1.0, math.nan, 3.0], 0.95)
    with pytest.raises(UsageError, match="within 0 and 1"):
        statistics.quantile_interval([1.0, 2.0], 95)
    with pytest.raises(UsageError, match="NaN"):
        statistics.quantile_differences([1.0, math.nan], [1.0, 2.0], [0.5])


@pytest.mark.parametrize("target", [1.0, 0.04, 80])
def test_no_sample_has_such_power(target: float) -> None:
    with pytest.raises(UsageError, match="target"):
        statistics.minimum_detectable_difference(0.1, 9, target=target)
