"""Experiments side by side, as a table for the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vlmops.cli.grid import Grid, GridRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vlmops.evaluators import SetScore
    from vlmops.experiments import ExperimentSummary

_ARROWS = {"maximize": "↑", "minimize": "↓", "none": ""}


def summary_grid(summaries: Sequence[ExperimentSummary]) -> Grid:
    """A row a metric, a column an experiment: value, 95 % interval, and how many answers stand behind it."""
    whole = [
        GridRow(f"{name} {arrow}".strip(), [_cell(summary, name) for summary in summaries])
        for name, arrow in _metrics(summaries).items()
    ]
    silent = [
        GridRow(name, [_not_applicable(summary, name) for summary in summaries])
        for name in _without_say(summaries)
    ]
    head = ["metric", *(summary.name for summary in summaries)]
    return Grid(head, [[*whole, *silent], *_slices(summaries), _totals(summaries)], in_lines=True)


def _slices(summaries: Sequence[ExperimentSummary]) -> Iterator[list[GridRow]]:
    """The metrics again for each slice that any experiment has."""
    for name in dict.fromkeys(name for summary in summaries for name in summary.slices):
        parts = [summary.slices.get(name) for summary in summaries]
        yield [
            GridRow(
                f"{metric} {arrow}".strip(),
                ["-" if part is None else _cell(part, metric) for part in parts],
                name,
            )
            for metric, arrow in _metrics([part for part in parts if part is not None]).items()
        ]


def _totals(summaries: Sequence[ExperimentSummary]) -> list[GridRow]:
    answers = [f"{s.runs - sum(s.failures.values())} of {s.runs}" for s in summaries]
    rows = [GridRow("answers", answers)]
    if any(summary.failures for summary in summaries):
        rows.append(GridRow("failures", [_failures(summary) for summary in summaries]))
    rows.append(GridRow("median latency", [_seconds(summary.latency) for summary in summaries]))
    if any(summary.judge_cost is not None or summary.judge_unpriced for summary in summaries):
        rows.append(GridRow("judging cost", [_judging_cost(summary) for summary in summaries]))
    return rows


def _metrics(summaries: Sequence[ExperimentSummary]) -> dict[str, str]:
    """Every metric with its arrow; a value that could not be had does not know its direction."""
    arrows: dict[str, str] = {}
    for summary in summaries:
        for score in summary.scores:
            arrows[score.name] = _ARROWS[score.direction] or arrows.get(score.name, "")
    return arrows


def _without_say(summaries: Sequence[ExperimentSummary]) -> list[str]:
    """Evaluators that applied to no answer of any experiment: a mistyped key would else leave no trace."""
    names = {name: None for summary in summaries for name in summary.not_applicable}
    given = _metrics(summaries)
    return [n for n in names if not any(score == n or score.startswith(f"{n}.") for score in given)]


def _not_applicable(summary: ExperimentSummary, name: str) -> str:
    return "not applicable" if name in summary.not_applicable else "-"


def _cell(summary: ExperimentSummary, name: str) -> str:
    score = next((score for score in summary.scores if score.name == name), None)
    if score is None:
        return "-"
    return f"{_value(score)}  n={score.n}" + (f", {score.failures} failed" if score.failures else "")


def _value(score: SetScore) -> str:
    if math.isnan(score.value):
        return "undefined"
    interval = score.interval
    shown = f"{score.value:.3f}"
    return shown if interval is None else f"{shown} [{interval.low:.3f}, {interval.high:.3f}]"


def _failures(summary: ExperimentSummary) -> str:
    return ", ".join(f"{kind.value}: {n}" for kind, n in summary.failures.items()) or "none"


def _judging_cost(summary: ExperimentSummary) -> str:
    if summary.judge_cost is None:
        return "not known" if summary.judge_unpriced else "-"
    more = f" and {summary.judge_unpriced} verdicts of unknown cost" if summary.judge_unpriced else ""
    return f"${summary.judge_cost:.4f}{more}"


def _seconds(latency: float | None) -> str:
    return "-" if latency is None else f"{latency:.2f} s"
