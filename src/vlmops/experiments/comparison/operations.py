"""What answers took: error rate, latency, tokens, cost, each with interval and paired difference."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.evaluators import Case, Failure, picture_clusters
from vlmops.experiments.comparison.differences import difference
from vlmops.experiments.comparison.result import Difference, Measure, MeasureKind, VariantValue
from vlmops.statistics import (
    mean_interval,
    paired_differences,
    quantile_difference,
    quantile_interval,
    rate_interval,
    variance_components,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    import numpy as np

    from vlmops.evaluators import Interval
    from vlmops.experiments.comparison.pairing import Pairs
    from vlmops.platforms.records import Run

    Array = np.ndarray[Any, np.dtype[Any]]

ERROR_RATE = "error_rate"
LATENCY = "latency"
TOKENS = "tokens"
COST = "cost"
PERCENTILES = (50, 90, 95, 99)


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something measured of every answer.

    Attributes:
        name: Its name.
        unit: Its unit.
        read: Its value for a case; NaN where it is not known.
        kind: What becomes of the single values.
        percent: Which percentile, for those.
    """

    name: str
    unit: str
    read: Callable[[Case], float]
    kind: MeasureKind = "mean"
    percent: int = 0

    def column(self, runs: Sequence[Run]) -> Array:
        """The value of each run."""
        import numpy as np

        return np.array([self.read(run.case) for run in runs], dtype=float)


def _failed(case: Case) -> float:
    return float(isinstance(case.output, Failure))


def _latency(case: Case) -> float:
    known = case.latency is not None and not isinstance(case.output, Failure)
    return float(case.latency) if known and case.latency is not None else math.nan


def _usage(*fields: str) -> Callable[[Case], float]:
    def read(case: Case) -> float:
        total = 0.0
        for field in fields:
            value = None if case.usage is None else getattr(case.usage, field)
            total += math.nan if value is None else float(value)
        return total

    return read


QUANTITIES = (
    Quantity(ERROR_RATE, "", _failed, "rate"),
    Quantity(LATENCY, "s", _latency),
    *(Quantity(f"{LATENCY}.p{percent}", "s", _latency, "percentile", percent) for percent in PERCENTILES),
    Quantity(TOKENS, "tokens", _usage("input_tokens", "output_tokens")),
    Quantity(f"{TOKENS}.input", "tokens", _usage("input_tokens")),
    Quantity(f"{TOKENS}.output", "tokens", _usage("output_tokens")),
    Quantity(COST, "USD", _usage("cost")),
)
"""All of them; less is better of each."""


def operation_measure(
    quantity: Quantity,
    variants: Sequence[tuple[str, Sequence[Run]]],
    pairs: Sequence[Pairs | None],
    chosen: Sequence[Sequence[int]],
    part: str,
    confidence: float,
) -> Measure | None:
    """One quantity of all variants; ``None`` where nothing was measured.

    Args:
        quantity: Which.
        variants: Id and runs of each (those of the slice), the baseline first.
        pairs: Each variant's pairs with the baseline; ``None`` for the baseline.
        chosen: Positions of the pairs looked at, for each variant.
        part: Name of the slice.
        confidence: Level of the intervals.
    """
    values = [
        _value(quantity, identity, runs, found, positions, confidence)
        for (identity, runs), found, positions in zip(variants, pairs, chosen, strict=True)
    ]
    if not any(value.n for value in values):
        return None
    return Measure(quantity.name, part, "minimize", quantity.kind, quantity.unit, values)


def _value(
    quantity: Quantity,
    identity: str,
    runs: Sequence[Run],
    pairs: Pairs | None,
    positions: Sequence[int],
    confidence: float,
) -> VariantValue:
    import numpy as np

    column = quantity.column(runs)
    known = np.isfinite(column)
    values, cases = column[known], [run.case for run, there in zip(runs, known, strict=True) if there]
    return VariantValue(
        identity,
        _summary(quantity, values),
        len(values),
        len(runs) - len(values),
        _interval(quantity, values, picture_clusters(cases), confidence),
        variance_components(values, [case.id for case in cases]) if quantity.kind != "percentile" else None,
        None if pairs is None else _difference(quantity, pairs, positions, confidence),
    )


def _summary(quantity: Quantity, values: Array) -> float:
    import numpy as np

    if not len(values):
        return math.nan
    if quantity.kind == "percentile":
        return float(np.quantile(values, quantity.percent / 100))
    return float(values.mean())


def _interval(
    quantity: Quantity, values: Array, clusters: Sequence[Hashable], confidence: float
) -> Interval | None:
    if quantity.kind == "rate":
        return rate_interval(list(values > 0), clusters=clusters, confidence=confidence)
    if quantity.kind == "percentile":
        return quantile_interval(values, quantity.percent / 100, clusters=clusters, confidence=confidence)
    return mean_interval(values, clusters=clusters, confidence=confidence, method="bca")


def _difference(quantity: Quantity, pairs: Pairs, positions: Sequence[int], confidence: float) -> Difference:
    import numpy as np

    before = quantity.column([pairs.baseline[at] for at in positions])
    after = quantity.column([pairs.candidate[at] for at in positions])
    clusters = [pairs.clusters[at] for at in positions]
    if quantity.kind == "percentile":
        both = np.isfinite(before) & np.isfinite(after)
        paired = quantile_difference(
            before[both],
            after[both],
            quantity.percent / 100,
            clusters=[key for key, there in zip(clusters, both, strict=True) if there],
            confidence=confidence,
        )
    else:
        (paired,) = paired_differences(
            before[:, None], after[:, None], clusters=clusters, confidence=confidence
        )
    counted = quantity.kind != "percentile"
    return difference(paired, before, after, "minimize", confidence, counted=counted)
