"""The share of cases that passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmops.evaluators.score import Direction, SetScore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.evaluators.bases import Readings


def rate(
    name: str,
    passed: Sequence[bool],
    readings: Readings[object],
    explanation: str,
    direction: Direction = "maximize",
) -> SetScore:
    """Share of the cases read that passed, with its bootstrap interval over pictures.

    Example:
        >>> from vlmops.evaluators import Case, Readings
        >>> answers = Readings(["{}", "[", "{}", "1"], [Case(output=i) for i in range(4)], failures=1)
        >>> rate("json_parse.strict", [True, False, True, True], answers, "3 of 4 answers parse").value
        0.75
    """
    from vlmops.statistics import mean_interval

    return SetScore(
        name,
        sum(passed) / len(passed),
        n=readings.n,
        failures=readings.failures,
        interval=mean_interval([float(ok) for ok in passed], clusters=readings.clusters),
        explanation=explanation,
        direction=direction,
    )
