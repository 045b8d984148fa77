"""Experiments, their figures, comparisons and single answers."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from vlmops.evaluators import Failure, Score
from vlmops.experiments.comparison.markdown import table
from vlmops.experiments.comparison.rows import footnotes, head, rows
from vlmops.experiments.comparison.shown import ARROWS, bounds, number
from vlmops.reports.notebook.cells import html_link, html_picture, html_table, html_value
from vlmops.reports.text import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vlmops.evaluators import SetScore
    from vlmops.experiments.comparison import Comparison
    from vlmops.experiments.experiment import ExperimentResult
    from vlmops.experiments.summary import ExperimentSummary
    from vlmops.platforms.records import Run

FIRST = 5
"""Answers of an experiment that are shown."""
_COLUMNS = ("metric", "value", "interval", "n", "failed")


def summary_html(summary: ExperimentSummary) -> str:
    """Every metric, over all answers and in each slice, with interval, n and failures."""
    lines = [[escape(cell) for cell in line] for line in _summary_lines(summary)]
    return f"<p><b>{escape(summary.name)}</b> {escape(_answers(summary))}</p>" + html_table(_COLUMNS, lines)


def summary_markdown(summary: ExperimentSummary) -> str:
    """The same as Markdown."""
    return f"**{summary.name}** {_answers(summary)}\n\n{table(_COLUMNS, list(_summary_lines(summary)))}\n"


def result_html(result: ExperimentResult) -> str:
    """The figures, a link to the platform, and the first answers with their pictures."""
    shown = "".join(run_html(run) for run in result.record.runs[:FIRST])
    more = len(result.record.runs) - FIRST
    tail = f"<p>and {more} more answers</p>" if more > 0 else ""
    link = f"<p>{html_link(result.record.url, result.record.url)}</p>"
    return f"{summary_html(result.summary)}{link}<details><summary>answers</summary>{shown}{tail}</details>"


def result_markdown(result: ExperimentResult) -> str:
    """The figures and a link to the platform."""
    return f"{summary_markdown(result.summary)}\n{result.record.url}\n"


def comparison_html(comparison: Comparison) -> str:
    """A table for each variant against the baseline; of one variant alone, its values."""
    tables = [
        html_table(head(comparison, at), [[escape(cell) for cell in line] for line in rows(comparison, at)])
        for at in range(1, len(comparison.variants))
    ]
    notes = "".join(f"<li>{escape(note)}</li>" for note in footnotes(comparison))
    return "".join(tables) + f"<ul>{notes}</ul>"


def run_html(run: Run) -> str:
    """One answer: what went in with its pictures, what was expected, what came out, and its scores."""
    case = run.case
    output = _failure(case.output) if isinstance(case.output, Failure) else html_value(case.output)
    return html_table(
        ("sample", "inputs", "expected", "output", "scores"),
        [
            [
                f"<code>{escape(case.id)}</code>" + (f" #{run.repetition}" if run.repetition > 1 else ""),
                html_value(case.inputs),
                "" if case.expected is None else html_value(case.expected),
                output,
                "".join(_result(result) for result in run.results),
            ]
        ],
    )


def run_markdown(run: Run) -> str:
    """The same as a table, without pictures."""
    case = run.case
    output = f"failed: {case.output.message}" if isinstance(case.output, Failure) else readable(case.output)
    said = [
        f"{r.evaluator} failed: {r.kind}" if isinstance(r, Failure) else f"{r.name} {_value(r)}"
        for r in run.results
    ]
    expected = "" if case.expected is None else readable(case.expected)
    return table(("sample", "expected", "output", "scores"), [[case.id, expected, output, ", ".join(said)]])


def _summary_lines(summary: ExperimentSummary) -> Iterator[list[str]]:
    for score in summary.scores:
        yield _summary_line(score, "")
    for name, part in summary.slices.items():
        for score in part.scores:
            yield _summary_line(score, f" [{name}]")


def _summary_line(score: SetScore, where: str) -> list[str]:
    value = "undefined" if math.isnan(score.value) else number(score.value)
    title = f"{score.name}{where} {ARROWS[score.direction]}".strip()
    return [title, value, bounds(score.interval), str(score.n), str(score.failures)]


def _answers(summary: ExperimentSummary) -> str:
    failed = sum(summary.failures.values())
    kinds = ", ".join(f"{kind}: {count}" for kind, count in summary.failures.items())
    return f"{summary.runs} answers" + (f", {failed} failed ({kinds})" if failed else "")


def _failure(failure: Failure) -> str:
    return f"<b>⚠ {escape(failure.kind.value)}</b> {escape(failure.message)}"


def _result(result: Score | Failure) -> str:
    if isinstance(result, Failure):
        return f"<div>{escape(result.evaluator)}: {_failure(result)}</div>"
    shown = f"<div><b>{escape(result.name)}</b> {escape(_value(result))} {escape(result.explanation)}</div>"
    return shown if result.evidence is None else shown + html_picture(result.evidence)


def _value(score: Score) -> str:
    if isinstance(score.value, bool):
        return "pass" if score.value else "fail"
    return score.value if isinstance(score.value, str) else number(score.value)
