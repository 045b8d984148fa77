"""Experiments side by side, as a table for the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from vlmops.evaluators import SetScore
    from vlmops.experiments import ExperimentSummary

_ARROWS = {"maximize": "↑", "minimize": "↓", "none": ""}


def summary_table(summaries: Sequence[ExperimentSummary]) -> Table:
    """A row a metric, a column an experiment: value, 95 % interval, and how many answers stand behind it."""
    from rich.table import Table

    table = Table()
    table.add_column("metric")
    for summary in summaries:
        table.add_column(summary.name, justify="right")
    for name, arrow in _metrics(summaries).items():
        table.add_row(f"{name} {arrow}", *(_cell(summary, name) for summary in summaries))
    _add_slices(table, summaries)
    for name in _without_say(summaries):
        table.add_row(name, *(_not_applicable(summary, name) for summary in summaries))
    table.add_section()
    table.add_row("answers", *(f"{s.runs - sum(s.failures.values())} of {s.runs}" for s in summaries))
    if any(summary.failures for summary in summaries):
        table.add_row("failures", *(_failures(summary) for summary in summaries))
    table.add_row("median latency", *(_seconds(summary.latency) for summary in summaries))
    if any(summary.judge_cost is not None or summary.judge_unpriced for summary in summaries):
        table.add_row("judging cost", *(_judging_cost(summary) for summary in summaries))
    return table


def _add_slices(table: Table, summaries: Sequence[ExperimentSummary]) -> None:
    """The metrics again for each slice that any experiment has."""
    for name in dict.fromkeys(name for summary in summaries for name in summary.slices):
        table.add_section()
        parts = [summary.slices.get(name) for summary in summaries]
        for metric, arrow in _metrics([part for part in parts if part is not None]).items():
            cells = ("-" if part is None else _cell(part, metric) for part in parts)
            table.add_row(f"{metric} {arrow} ({name})", *cells)


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
