"""What answers took: error rate, latency, tokens, cost, each with interval and paired difference."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.evaluators import Case, Failure
from vlmops.experiments.comparison.differences import difference
from vlmops.experiments.comparison.result import Difference, Measure, MeasureKind, VariantValue
from vlmops.statistics import (
    mean_intervals,
    paired_differences,
    quantile_differences,
    quantile_intervals,
    rate_interval,
    variance_components,
)
from vlmops.statistics.resampling import alike

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from vlmops.evaluators import Interval
    from vlmops.platforms.records import Run
    from vlmops.statistics.resampling import Clusters

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
        reading: Which reading of an answer it is made of.
        kind: What becomes of the single values.
        percent: Which percentile, for those.
    """

    name: str
    unit: str
    reading: int
    kind: MeasureKind = "mean"
    percent: int = 0


@dataclass(frozen=True, slots=True)
class Operated:
    """What the answers of a variant took, in one part of them.

    Attributes:
        identity: The variant's id.
        readings: A row a run, as :func:`operation_readings` gives them.
        pictures: Which runs are of the same pictures.
        samples: Which are repetitions of the same sample.
        pairs: The readings of its pairs with the baseline; ``None`` for the baseline.
    """

    identity: str
    readings: Array
    pictures: Clusters
    samples: Clusters
    pairs: PairedReadings | None


@dataclass(frozen=True, slots=True)
class PairedReadings:
    """What answers to the same samples took.

    Attributes:
        before: The baseline's readings, a row a pair.
        after: The candidate's.
        pictures: Which pairs are of the same pictures.
    """

    before: Array
    after: Array
    pictures: Clusters


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


_READINGS = (
    _failed,
    _latency,
    _usage("input_tokens", "output_tokens"),
    _usage("input_tokens"),
    _usage("output_tokens"),
    _usage("cost"),
)
_LATENCY = 1

QUANTITIES = (
    Quantity(ERROR_RATE, "", 0, "rate"),
    Quantity(LATENCY, "s", _LATENCY),
    *(Quantity(f"{LATENCY}.p{percent}", "s", _LATENCY, "percentile", percent) for percent in PERCENTILES),
    Quantity(TOKENS, "tokens", 2),
    Quantity(f"{TOKENS}.input", "tokens", 3),
    Quantity(f"{TOKENS}.output", "tokens", 4),
    Quantity(COST, "USD", 5),
)
"""All of them; less is better of each."""

_EVALUATED = frozenset({ERROR_RATE, LATENCY, TOKENS, "input_tokens", "output_tokens", "image_tokens", COST})
"""Names under which evaluators give what operations give without them."""

_SHARES = [percent / 100 for percent in PERCENTILES]


def of_operation(name: str) -> bool:
    """Whether a metric says what an answer took, not how good it is.

    Example:
        >>> of_operation("latency.p95"), of_operation("cer")
        (True, False)
    """
    return name.partition(".")[0] in _EVALUATED


def operation_readings(runs: Sequence[Run]) -> Array:
    """What each answer took: a row a run, a column a reading; NaN where it is not known."""
    import numpy as np

    cases = [run.case for run in runs]
    return np.array([[read(case) for case in cases] for read in _READINGS], dtype=float).T


def operation_measures(variants: Sequence[Operated], part: str, confidence: float) -> list[Measure]:
    """Every quantity that any variant has measured.

    Args:
        variants: The baseline first.
        part: Name of the slice.
        confidence: Level of the intervals.
    """
    intervals = [_intervals(variant, confidence) for variant in variants]
    differences = [
        {} if variant.pairs is None else _differences(variant.pairs, confidence) for variant in variants
    ]
    measures = []
    for quantity in QUANTITIES:
        values = [
            _value(quantity, variant, found[quantity.name], apart.get(quantity.name))
            for variant, found, apart in zip(variants, intervals, differences, strict=True)
        ]
        if any(value.n for value in values):
            measures.append(Measure(quantity.name, part, "minimize", quantity.kind, quantity.unit, values))
    return measures


def _value(
    quantity: Quantity, variant: Operated, interval: Interval | None, apart: Difference | None
) -> VariantValue:
    import numpy as np

    column = variant.readings[:, quantity.reading]
    known = np.isfinite(column)
    values = column[known]
    repeated = quantity.kind != "percentile" and not variant.samples.single
    return VariantValue(
        variant.identity,
        _summary(quantity, values),
        len(values),
        len(column) - len(values),
        interval,
        variance_components(values, variant.samples.chosen(known)) if repeated else None,
        apart,
    )


def _summary(quantity: Quantity, values: Array) -> float:
    import numpy as np

    if not len(values):
        return math.nan
    if quantity.kind == "percentile":
        return float(np.quantile(values, quantity.percent / 100))
    return float(values.mean())


def _intervals(variant: Operated, confidence: float) -> dict[str, Interval | None]:
    """Of every quantity, by its name."""
    import numpy as np

    present = np.isfinite(variant.readings)
    means: dict[int, Interval | None] = {}
    for columns in alike(present):
        known = present[:, columns[0]]
        found = mean_intervals(
            variant.readings[known][:, columns],
            clusters=variant.pictures.chosen(known),
            confidence=confidence,
            method="bca",
        )
        means |= dict(zip(columns, found, strict=True))
    known = present[:, _LATENCY]
    latencies, pictures = variant.readings[known, _LATENCY], variant.pictures.chosen(known)
    quantiles = quantile_intervals(latencies, _SHARES, clusters=pictures, confidence=confidence)
    intervals: dict[str, Interval | None] = {}
    for quantity in QUANTITIES:
        if quantity.kind == "rate":
            flags = (variant.readings[:, quantity.reading] > 0).tolist()
            interval = rate_interval(flags, clusters=variant.pictures, confidence=confidence)
        elif quantity.kind == "percentile":
            interval = quantiles[PERCENTILES.index(quantity.percent)]
        else:
            interval = means[quantity.reading]
        intervals[quantity.name] = interval
    return intervals


def _differences(pairs: PairedReadings, confidence: float) -> dict[str, Difference]:
    """Of every quantity, by its name."""
    import numpy as np

    means = paired_differences(pairs.before, pairs.after, clusters=pairs.pictures, confidence=confidence)
    before, after = pairs.before[:, _LATENCY], pairs.after[:, _LATENCY]
    both = np.isfinite(before) & np.isfinite(after)
    quantiles = quantile_differences(
        before[both], after[both], _SHARES, clusters=pairs.pictures.chosen(both), confidence=confidence
    )
    return {
        quantity.name: difference(
            quantiles[PERCENTILES.index(quantity.percent)] if quantity.percent else means[quantity.reading],
            pairs.before[:, quantity.reading],
            pairs.after[:, quantity.reading],
            "minimize",
            confidence,
            counted=quantity.kind != "percentile",
        )
        for quantity in QUANTITIES
    }
