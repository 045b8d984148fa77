"""``vlmops score``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import typer

from vlmops.cli.compare import EXPERIMENT_HELP, DatasetOption, experiment_id
from vlmops.cli.exit_codes import ExitCode
from vlmops.cli.model_care import BudgetOption, FreshOption, NoCacheOption, model_care
from vlmops.cli.options import (
    EnvironmentOption,
    EvaluatorsOption,
    LimitOption,
    PlatformOption,
    SinceOption,
    SlicesOption,
    SpanNameOption,
    UntilOption,
    UrlOption,
    connected,
    made_evaluators,
)
from vlmops.cli.output import JsonOption, console, counting, measured, print_failures, print_json
from vlmops.cli.run_report import has_failures, print_results, results_json
from vlmops.cli.times import as_utc

if TYPE_CHECKING:
    from vlmops.platforms import ScoringReport


def score_command(
    evaluator: list[str] = EvaluatorsOption,
    experiment: str | None = typer.Option(
        None, "--experiment", help=f"An experiment that has run: {EXPERIMENT_HELP}."
    ),
    dataset: str | None = DatasetOption,
    project: str | None = typer.Option(None, "--project", help="Project whose recorded executions to score."),
    span_kind: str | None = typer.Option("LLM", "--kind", help="Kind of recorded span; '' for any."),
    span_name: str | None = SpanNameOption,
    environment: str | None = EnvironmentOption,
    since: datetime | None = SinceOption,
    until: datetime | None = UntilOption,
    limit: int | None = LimitOption,
    on: str = PlatformOption,
    url: str | None = UrlOption,
    by: list[str] = SlicesOption,
    budget: float | None = BudgetOption,
    fresh: bool = FreshOption,
    no_cache: bool = NoCacheOption,
    as_json: bool = JsonOption,
) -> None:
    """Score an experiment that has run, or executions that were recorded. Scoring again updates."""
    from vlmops.errors import UsageError
    from vlmops.evaluators import asked_through
    from vlmops.experiments import score_experiment
    from vlmops.platforms import ExecutionQuery, score_executions

    if (experiment is None) == (project is None):
        raise UsageError("say what to score: --experiment ID, or --project NAME")
    platform = connected(on, url)
    made = made_evaluators(evaluator)
    if experiment is not None:
        identity = experiment_id(platform, experiment, dataset)
        with (
            model_care(budget=budget, fresh=fresh, no_cache=no_cache) as engine,
            measured("scoring", quiet=as_json) as progress,
        ):
            evaluators = asked_through(made, engine.model)
            result = score_experiment(platform, identity, evaluators, progress, by)
        if as_json:
            print_json(results_json([result]))
        else:
            print_results(console(), [result])
        if has_failures(result):
            raise typer.Exit(ExitCode.SOME_FAILED)
        return
    query = ExecutionQuery(
        project=project,
        start=as_utc(since),
        end=as_utc(until),
        name=span_name,
        kind=span_kind or None,
        environment=environment,
        limit=limit,
    )
    with (
        model_care(budget=budget, fresh=fresh, no_cache=no_cache) as engine,
        counting("executions", quiet=as_json) as count,
    ):
        evaluators = asked_through(made, engine.model)
        report = score_executions(platform, query, evaluators, progress=count)
    _print_scoring(report, as_json)
    if not report.ok:
        raise typer.Exit(ExitCode.SOME_FAILED)


def _print_scoring(report: ScoringReport, as_json: bool) -> None:
    counted = {f"{name}: {kind.value}": n for (name, kind), n in sorted(report.evaluator_failures.items())}
    if as_json:
        print_json(
            {
                "executions": report.executions,
                "written": report.written,
                "not_applicable": dict(report.not_applicable),
                "evaluator_failures": counted,
                "failures": report.failures,
            }
        )
        return
    out = console()
    out.print(f"{report.executions} executions, {report.written} scores written")
    for name, n in report.not_applicable.items():
        out.print(f"{name}: does not apply to {n} of them")
    for what, n in counted.items():
        out.print(f"no score: {what}: {n}")
    print_failures(report.failures)
