"""A variant against the baseline as rows of text: the same in the terminal and in Markdown."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vlmops.experiments.comparison.shown import (
    ARROWS,
    difference_text,
    number,
    p_text,
    value_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vlmops.experiments.comparison.result import Comparison, Difference, Measure


def head(comparison: Comparison, at: int) -> list[str]:
    """What stands above the columns, for the variant at this position."""
    return [
        "metric",
        f"{comparison.baseline.name} (baseline)",
        comparison.variants[at].name,
        "difference",
        "pairs",
        "better / worse / same",
        "detectable",
        "p",
        "verdict",
    ]


def rows(comparison: Comparison, at: int) -> Iterator[list[str]]:
    """A row a metric over all samples, then in each slice; then a row a quantity of operation, over all."""
    whole = [measure for measure in comparison.metrics if not measure.slice]
    parts = [measure for measure in comparison.metrics if measure.slice]
    operations = [measure for measure in comparison.operations if not measure.slice]
    for measure in (*whole, *parts, *operations):
        yield [
            f"{measure.title} {ARROWS[measure.direction]}".strip(),
            value_text(measure, measure.values[0]),
            value_text(measure, measure.values[at]),
            *_difference_cells(measure, measure.values[at].difference),
        ]


def footnotes(comparison: Comparison) -> list[str]:
    """What a reader must know of the figures."""
    return [
        *comparison.notes,
        f"Intervals: {comparison.confidence:.0%}, pictures drawn anew. p: corrected for the number of "
        "comparisons (Holm). Detectable: the least true difference such a sample finds four times in five.",
    ]


def _difference_cells(measure: Measure, found: Difference | None) -> list[str]:
    if found is None:
        return ["-"] * 6
    unpaired = found.only_baseline + found.only_candidate
    counts = (found.wins, found.losses, found.ties)
    detectable = found.minimum_detectable
    return [
        difference_text(measure, found),
        f"{found.paired.pairs}" + (f" ({unpaired} unpaired)" if unpaired else ""),
        "-" if counts[0] is None else " / ".join(str(count) for count in counts),
        "-" if math.isnan(detectable) else number(detectable, measure.unit),
        p_text(found.adjusted_p),
        "-" if found.interval is None else found.verdict,
    ]
