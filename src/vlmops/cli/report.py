"""``vlmops report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from vlmops.cli.compare import (
    EXPERIMENT_HELP,
    ConfidenceOption,
    CorpusOption,
    DatasetOption,
    read_experiments,
)
from vlmops.cli.options import PlatformOption, SlicesOption, UrlOption, connected, made_evaluators
from vlmops.cli.output import JsonOption, console, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from vlmops.reports import Report

_MARKS = {"better": "✓", "worse": "✗", "different": "◆"}


def report_command(
    experiments: list[str] = typer.Argument(help=f"Experiments, the baseline first: {EXPERIMENT_HELP}."),
    on: str = PlatformOption,
    url: str | None = UrlOption,
    dataset: str | None = DatasetOption,
    evaluator: list[str] = CorpusOption,
    by: list[str] = SlicesOption,
    confidence: float = ConfidenceOption,
    output: list[Path] = typer.Option(
        [Path("report.html")], "--output", "-o", help="File to write, .html or .md; repeat it for both."
    ),
    title: str = typer.Option("", "--title", help="What stands above it; the experiments' names otherwise."),
    thumbnails: int | None = typer.Option(
        None,
        "--thumbnails",
        min=16,
        max=2048,
        help="Longest side of pictures in pixels; as large as their number allows otherwise.",
    ),
    history: int = typer.Option(
        8, "--history", min=0, help="Earlier runs of each name to show; needs --dataset. 0 for none."
    ),
    push: bool = typer.Option(False, "--push", help="Write the differences to the platform as well."),
    as_json: bool = JsonOption,
) -> None:
    """Write a report of experiments: figures, charts, and every sample with its pictures, in one file."""
    from vlmops.experiments import compare, record_comparison
    from vlmops.reports import past_runs, report

    platform = connected(on, url)
    records = read_experiments(platform, experiments, dataset)
    evaluators = made_evaluators(evaluator)
    found = compare(records, evaluators, slices=by, confidence=confidence)
    past = past_runs(platform, dataset, records, evaluators, limit=history) if dataset and history else ()
    made = report(records, found, slices=by, history=past, title=title, thumbnails=thumbnails)
    files = [made.save(file) for file in output]
    if push:
        record_comparison(platform, found)
    if as_json:
        print_json(_json(made, files))
    else:
        _print(console(), made, files)


def _json(made: Report, files: Sequence[Path]) -> dict[str, Any]:
    return {
        "files": files,
        "title": made.title,
        "samples": len(made.samples.rows),
        "pictures": sum("u" in picture for picture in made.samples.pictures),
        "pictures_left_out": sum("u" not in picture for picture in made.samples.pictures),
        "comparison": made.comparison,
        "history": made.history,
    }


def _print(out: Console, made: Report, files: Sequence[Path]) -> None:
    """What is shown, on a line each; then where it was written."""
    from vlmops.experiments.comparison.shown import difference_text

    for measure in (*made.comparison.metrics, *made.comparison.operations):
        for variant, value in zip(made.comparison.variants, measure.values, strict=True):
            found = value.difference
            if found is not None and found.verdict in _MARKS:
                said = difference_text(measure, found)
                out.print(f"{_MARKS[found.verdict]} {variant.name}: {measure.title} {said}, {found.verdict}")
    missing = sum("u" not in picture for picture in made.samples.pictures)
    if missing:
        out.print(f"{missing} of {len(made.samples.pictures)} pictures are not shown; the page says why")
    for file in files:
        out.print(f"{file} ({file.stat().st_size / 1e6:.1f} MB)")
