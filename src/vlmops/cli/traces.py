"""``vlmops enrich`` and ``vlmops collect``: recorded spans get their pictures, or become a dataset."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from vlmops.cli.exit_codes import ExitCode
from vlmops.cli.options import (
    EnvironmentOption,
    LimitOption,
    PlatformOption,
    ProjectOption,
    SinceOption,
    SpanNameOption,
    UntilOption,
    UrlOption,
    connected,
)
from vlmops.cli.output import JsonOption, console, counting, print_failures, print_json
from vlmops.cli.push_report import print_push, write_failures
from vlmops.cli.times import as_utc

if TYPE_CHECKING:
    from vlmops.platforms.collecting import Expected
    from vlmops.tracing.past import EnrichReport


def collect_command(
    dataset: str = typer.Argument(help="Name of the dataset to add to."),
    on: str = PlatformOption,
    url: str | None = UrlOption,
    to: list[str] = typer.Option([], "--to", help="Platform that holds the dataset; the same one otherwise."),
    project: str | None = ProjectOption,
    span_kind: str = typer.Option("LLM", "--kind", help="Kind of recorded span; '' for any."),
    span_name: str | None = SpanNameOption,
    environment: str | None = EnvironmentOption,
    since: datetime | None = SinceOption,
    until: datetime | None = UntilOption,
    score: list[str] = typer.Option(
        [],
        "--score",
        help="Condition on a score or annotation: 'cer>0.2', 'feedback=bad', 'name'; repeatable.",
    ),
    expected: str = typer.Option(
        "", "--expected", help="'output': what was answered is right; 'score:NAME': what that score says."
    ),
    limit: int | None = LimitOption,
    description: str = typer.Option("", "--description", help="For people."),
    failures: Path | None = typer.Option(None, "--failures", help="Write every failure to this .jsonl file."),
    as_json: bool = JsonOption,
) -> None:
    """Make samples of recorded executions, pictures and all. Run again to add what is new."""
    from vlmops.platforms import ExecutionQuery, ScoreCondition, collect

    query = ExecutionQuery(
        project=project,
        start=as_utc(since),
        end=as_utc(until),
        name=span_name,
        kind=span_kind or None,
        environment=environment,
        limit=limit,
        scores=[ScoreCondition.parse(each) for each in score],
        with_scores=True,
    )
    right_answer = _expected(expected)
    platform = connected(on, url)
    targets = [platform if name == on else connected(name, None) for name in dict.fromkeys(to or [on])]
    if failures is not None:
        write_failures(failures, [])
    with counting("executions", quiet=as_json) as progress:
        report = collect(
            platform,
            query,
            dataset,
            to=targets,
            expected=right_answer,
            description=description,
            progress=progress,
        )
    everything = [*report.failures, *(f for target in report.targets for f in target.failures)]
    if failures is not None:
        write_failures(failures, everything)
    if as_json:
        print_json(report)
    else:
        print_push(report)
        rest = f"all are in {failures}" if failures else "--failures FILE writes all of them"
        print_failures(everything, rest)
    if everything:
        raise typer.Exit(ExitCode.SOME_FAILED)


def enrich_command(
    platform: str = typer.Argument(help="Platform that holds the spans: phoenix, langfuse, ..."),
    url: str | None = UrlOption,
    project: str | None = ProjectOption,
    span_kind: str = typer.Option("", "--kind", help="Kind of recorded span; any otherwise."),
    span_name: str | None = SpanNameOption,
    trace: list[str] = typer.Option([], "--trace", help="Only spans of this trace; repeatable."),
    since: datetime | None = SinceOption,
    until: datetime | None = UntilOption,
    limit: int | None = LimitOption,
    dry_run: bool = typer.Option(False, "--dry-run", help="Count, and write nothing."),
    as_json: bool = JsonOption,
) -> None:
    """Draw the pictures of spans recorded without vlmops: a child with pictures and facts for each."""
    from vlmops.platforms import ExecutionQuery
    from vlmops.tracing.past import enrich

    query = ExecutionQuery(
        project=project,
        start=as_utc(since),
        end=as_utc(until),
        name=span_name,
        kind=span_kind or None,
        trace_ids=trace,
        limit=limit,
    )
    with counting("spans", quiet=as_json) as progress:
        report = enrich(connected(platform, url), query, dry_run=dry_run, progress=progress)
    if as_json:
        print_json(report)
    else:
        _print_enriched(report)
    if not report.ok:
        raise typer.Exit(ExitCode.SOME_FAILED)


def _print_enriched(report: EnrichReport) -> None:
    out = console()
    done = "would be enriched" if report.is_dry else "enriched"
    out.print(f"{report.spans} spans: {report.enriched} {done}, with {report.pictures} pictures")
    for number, what in (
        (report.already, "have their pictures already"),
        (report.plain, "have none, or have them drawn"),
    ):
        if number:
            out.print(f"{number} {what}")
    if report.redacted:
        out.print(f"{report.redacted} pictures were replaced by a mark when they were recorded, and are lost")
    if report.not_kept:
        out.print(f"{report.not_kept} pictures could not be kept; the spans say why")
    print_failures(report.failures)


def _expected(text: str) -> Expected | None:
    from vlmops.errors import UsageError
    from vlmops.platforms import answered, scored

    ways: dict[str, Callable[[str], Expected | None]] = {
        "": lambda _: None,
        "output": lambda _: answered,
        "score": lambda name: scored(name) if name else None,
    }
    kind, _, name = text.partition(":")
    found = ways[kind](name) if kind in ways and (kind == "score") == bool(name) else None
    if found is None and text:
        raise UsageError(f"--expected {text!r} is neither 'output' nor 'score:NAME'")
    return found
