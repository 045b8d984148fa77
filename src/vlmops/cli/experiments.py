"""``vlmops run`` and ``vlmops score``."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING

import typer

from vlmops.cli.exit_codes import ExitCode
from vlmops.cli.options import (
    EvaluatorsOption,
    PlatformOption,
    SlicesOption,
    UrlOption,
    connected,
    made_evaluators,
)
from vlmops.cli.output import JsonOption, console, counting, measured, print_failures, print_json
from vlmops.cli.times import as_utc

if TYPE_CHECKING:
    from vlmops.experiments import ExperimentResult
    from vlmops.platforms import ScoringReport


def run_command(
    dataset: str = typer.Argument(help="Name of a dataset on the platform."),
    model: list[str] = typer.Option(
        ..., "--model", "-m", help="Model by name (rapidocr, openai:gpt-4.1-mini, ...); each is a variant."
    ),
    evaluator: list[str] = EvaluatorsOption,
    prompt: str | None = typer.Option(None, "--prompt", help="Question; {field} is the sample's input."),
    on: str = PlatformOption,
    url: str | None = UrlOption,
    name: str | None = typer.Option(None, "--name", help="Name of the experiment; the model's otherwise."),
    key: str = typer.Option("", "--key", help="Same key, same experiment: continue it where it stopped."),
    version: str | None = typer.Option(
        None, "--version", help="Version of the dataset; the newest otherwise."
    ),
    repetitions: int = typer.Option(1, "--repetitions", min=1, help="Answers to each sample."),
    concurrency: int = typer.Option(4, "--concurrency", min=1, help="Samples worked on at once."),
    timeout: float = typer.Option(600.0, "--timeout", min=0.1, help="Seconds for one answer."),
    by: list[str] = SlicesOption,
    as_json: bool = JsonOption,
) -> None:
    """Run models on a dataset and score the answers; run again to continue an interrupted run."""
    from vlmops.experiments import Experiment, ModelTask
    from vlmops.models import create

    platform = connected(on, url)
    evaluators = made_evaluators(evaluator)
    results = []
    for model_name in model:
        experiment = Experiment(
            dataset=dataset,
            name=_variant_name(name, model_name, several=len(model) > 1),
            task=ModelTask(create(model_name), prompt),
            evaluators=evaluators,
            version=version,
            key=f"{key}:{model_name}" if key else "",
            metadata={"model": model_name, "prompt": prompt},
            repetitions=repetitions,
            concurrency=concurrency,
            timeout=timeout,
            slices=by,
        )
        with measured(experiment.name, quiet=as_json) as progress:
            results.append(experiment.run(platform, progress))
    _report(results, as_json)


def score_command(
    evaluator: list[str] = EvaluatorsOption,
    experiment: str | None = typer.Option(None, "--experiment", help="Id of an experiment that has run."),
    project: str | None = typer.Option(None, "--project", help="Project whose recorded executions to score."),
    span_kind: str | None = typer.Option("LLM", "--kind", help="Kind of recorded span; '' for any."),
    span_name: str | None = typer.Option(None, "--span-name", help="Name of recorded spans."),
    since: datetime | None = typer.Option(None, "--since", help="Only executions from then on (UTC)."),
    limit: int | None = typer.Option(None, "--limit", min=1, help="At most so many executions."),
    on: str = PlatformOption,
    url: str | None = UrlOption,
    by: list[str] = SlicesOption,
    as_json: bool = JsonOption,
) -> None:
    """Score an experiment that has run, or executions that were recorded. Scoring again updates."""
    from vlmops.errors import UsageError
    from vlmops.experiments import score_experiment
    from vlmops.platforms import ExecutionQuery, score_executions

    if (experiment is None) == (project is None):
        raise UsageError("say what to score: --experiment ID, or --project NAME")
    platform = connected(on, url)
    evaluators = made_evaluators(evaluator)
    if experiment is not None:
        with measured("scoring", quiet=as_json) as progress:
            result = score_experiment(platform, experiment, evaluators, progress, by)
        _report([result], as_json)
        return
    query = ExecutionQuery(
        project=project, start=as_utc(since), name=span_name, kind=span_kind or None, limit=limit
    )
    with counting("executions", quiet=as_json) as count:
        report = score_executions(platform, query, evaluators, progress=count)
    _print_scoring(report, as_json)
    if not report.ok:
        raise typer.Exit(ExitCode.SOME_FAILED)


def _variant_name(name: str | None, model: str, several: bool) -> str:
    if name is None:
        return model
    return f"{name} {model}" if several else name


def _report(results: list[ExperimentResult], as_json: bool) -> None:
    if as_json:
        print_json([{"id": r.record.id, "url": r.record.url, "summary": r.summary} for r in results])
    else:
        from vlmops.cli.summary_table import summary_table

        out = console()
        out.print(summary_table([result.summary for result in results]))
        for result in results:
            out.print(f"{result.record.name}: {result.record.url}")
        for result in results:
            _print_unscored(result)
    if any(_has_failures(result) for result in results):
        raise typer.Exit(ExitCode.SOME_FAILED)


def _print_unscored(result: ExperimentResult) -> None:
    """For each evaluator that failed, how often, and the first of its reasons."""
    from vlmops.evaluators import Failure

    reasons: dict[str, list[str]] = {}
    for run in result.record.runs:
        for failure in run.results:
            if isinstance(failure, Failure):
                reason = f"{run.case.id}: {failure.kind.value}: {failure.message}"
                reasons.setdefault(failure.evaluator, []).append(reason)
    for evaluator, found in reasons.items():
        times = f"{len(found)} answers, the first" if len(found) > 1 else "1 answer"
        sys.stderr.write(f"{result.record.name}: {evaluator} could not score {times}: {found[0]}\n")


def _has_failures(result: ExperimentResult) -> bool:
    return bool(result.summary.failures) or any(score.failures for score in result.summary.scores)


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
