"""Comparisons on the platform: differences beside the other values of a run, in its own screens."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vlmops.blocking import blocking
from vlmops.evaluators import SetScore
from vlmops.experiments.comparison.shown import difference_text

if TYPE_CHECKING:
    from vlmops.experiments.comparison.result import Comparison
    from vlmops.platforms.port import Platform


def record_comparison(platform: Platform, comparison: Comparison) -> None:
    """Write a comparison to its experiments; blocking form of :func:`record_comparison_async`."""
    blocking(lambda: record_comparison_async(platform, comparison), platform)


async def record_comparison_async(platform: Platform, comparison: Comparison) -> None:
    """Give each variant its differences to the baseline as values of the whole run: ``cer vs baseline``.

    Doing it again replaces them.

    Raises:
        PlatformError: The platform did not keep them.
    """
    for at, variant in enumerate(comparison.variants):
        if at and (scores := difference_scores(comparison, at)):
            await platform.experiments.write_set_scores(variant.id, scores)


def difference_scores(comparison: Comparison, at: int) -> list[SetScore]:
    """The differences of the variant at this position as values of its run.

    ``n`` is how many pairs stand behind one, ``failures`` how many answers have a value on one side only.
    """
    operations = [measure for measure in comparison.operations if not measure.slice]
    scores = []
    for measure in (*comparison.metrics, *operations):
        found = measure.values[at].difference
        if found is None or math.isnan(found.value):
            continue
        scores.append(
            SetScore(
                f"{measure.title} vs baseline",
                found.value,
                found.paired.pairs,
                found.only_baseline + found.only_candidate,
                found.interval,
                f"{difference_text(measure, found)}, {found.verdict}; baseline: {comparison.baseline.name}",
                measure.direction,
                (-math.inf, math.inf),
                {"baseline": comparison.baseline.id, "p": found.p_value, "verdict": found.verdict},
            )
        )
    return scores
