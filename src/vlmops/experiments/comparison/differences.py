"""Differences of one measure, with test, detectable size and counts."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vlmops.experiments.comparison.result import Difference, Measure, Verdict
from vlmops.statistics import holm, minimum_detectable_difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from vlmops.evaluators import Direction
    from vlmops.statistics import PairedDifference

    Array = np.ndarray[Any, np.dtype[Any]]

_NO_PAIRS = "no sample has a value in both"
_ONE_PICTURE = "all pairs are of one picture"
_SIGNS = {"maximize": 1, "minimize": -1, "none": 0}


def difference(
    paired: PairedDifference,
    before: Array,
    after: Array,
    direction: Direction,
    confidence: float,
    note: str = "",
    *,
    counted: bool = True,
) -> Difference:
    """A paired difference with all that is said of it, but for the correction that :func:`corrected` makes.

    Args:
        paired: The difference itself.
        before: The baseline's value of each pair, NaN where it has none; empty where pairs have no values.
        after: The candidate's.
        direction: Which way is better.
        confidence: Level of the detectable difference.
        note: Why there is no interval, where the caller knows.
        counted: Whether single pairs can be better or worse.
    """
    import numpy as np

    there, here = np.isfinite(before), np.isfinite(after)
    changes = (after - before)[there & here]
    counts = _counts(changes, _SIGNS[direction]) if len(changes) and counted else (None, None, None)
    return Difference(
        paired,
        int((there & ~here).sum()),
        int((here & ~there).sum()),
        paired.p_value,
        math.nan,
        _test_name(paired, changes),
        _detectable(paired, (before[there & here], after[there & here]), confidence),
        *counts,
        verdict="no difference shown",
        note=note or _why_no_interval(paired),
    )


def corrected(measures: Sequence[Measure], confidence: float) -> list[Measure]:
    """With p-values adjusted for all comparisons among the measures, and verdicts by them."""
    known = [
        value.difference.p_value
        for measure in measures
        for value in measure.values
        if value.difference is not None and not math.isnan(value.difference.p_value)
    ]
    adjusted = iter(holm(known))

    def judged(found: Difference | None, direction: Direction) -> Difference | None:
        if found is None or math.isnan(found.p_value):
            return found
        p = next(adjusted)
        return replace(found, adjusted_p=p, verdict=_verdict(found.value, p, direction, confidence))

    return [
        replace(
            measure,
            values=[
                replace(value, difference=judged(value.difference, measure.direction))
                for value in measure.values
            ],
        )
        for measure in measures
    ]


def _verdict(value: float, p: float, direction: Direction, confidence: float) -> Verdict:
    # 1 - 0.95 is a little more than 0.05.
    if p > round(1 - confidence, 12):
        return "no difference shown"
    if direction == "none":
        return "different"
    return "better" if value * _SIGNS[direction] > 0 else "worse"


def _counts(changes: Array, sign: int) -> tuple[int | None, int | None, int | None]:
    if sign == 0:
        return None, None, int((changes == 0).sum())
    wins, losses = int((changes * sign > 0).sum()), int((changes * sign < 0).sum())
    return wins, losses, len(changes) - wins - losses


def _test_name(paired: PairedDifference, changes: Array) -> str:
    import numpy as np

    if paired.interval is None:
        return ""
    if paired.test is None:
        return "paired bootstrap"
    if paired.pairs == paired.clusters and np.isin(changes, (-1, 0, 1)).all():
        return "McNemar, exact"
    return "sign flips of pictures, exact" if paired.test.exact else "sign flips of pictures"


def _detectable(paired: PairedDifference, values: tuple[Array, Array], confidence: float) -> float:
    import numpy as np

    found = minimum_detectable_difference(paired.standard_error, paired.clusters - 1, confidence=confidence)
    passes = all(len(side) and np.isin(side, (0, 1)).all() for side in values)
    if paired.test is None or not passes:
        # Where no pair differs, how far pairs may differ is not known.
        return found if found else math.nan
    # Fewer pairs than these cannot convince McNemar's test, even if all of them fall to one side.
    fewest = math.ceil(math.log2(2 / (1 - confidence)) - 1e-9)
    return max(found, fewest / paired.pairs)


def _why_no_interval(paired: PairedDifference) -> str:
    if paired.interval is not None:
        return ""
    return _NO_PAIRS if paired.pairs == 0 else _ONE_PICTURE
