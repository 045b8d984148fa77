"""Values that have no bound, such as the signal-to-noise ratio of two equal pictures."""

from __future__ import annotations

import math

import numpy as np

from vlmops.statistics.resampling import resampled_sums


def test_a_cluster_that_was_not_drawn_adds_nothing() -> None:
    sums = resampled_sums(np.array([[math.inf, 1.0], [20.0, 1.0]]), resamples=200)
    assert sums[:, 1].tolist() == [2.0] * 200
    assert set(sums[:, 0].tolist()) == {40.0, math.inf}
