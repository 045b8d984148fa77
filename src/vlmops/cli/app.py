"""The ``vlmops`` command."""

from __future__ import annotations

import functools
import gc
import logging
import sys
from collections.abc import Callable
from typing import Any

import typer

from vlmops.cli import (
    cache,
    compare,
    datasets,
    demo,
    doctor,
    estimate,
    evaluators,
    experiments,
    gate,
    judges,
    media,
    report,
    review,
    run,
    traces,
)
from vlmops.cli.exit_codes import ExitCode

app = typer.Typer(
    name="vlmops",
    help="The vision layer for Langfuse and Arize Phoenix.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Drawing boxes around the help would take longer than all the rest of it.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and end.", is_eager=True),
) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(installed("vlmops"))
        raise typer.Exit


app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("push")(datasets.push_command)
app.command("pull")(datasets.pull_command)
app.command("estimate")(estimate.estimate_command)
app.command("run")(run.run_command)
app.command("score")(experiments.score_command)
app.command("enrich")(traces.enrich_command)
app.command("compare")(compare.compare_command)
app.command("report")(report.report_command)
app.command("gate")(gate.gate_command)
app.command("collect")(traces.collect_command)
app.command("evaluators")(evaluators.evaluators_command)
app.add_typer(cache.app, name="cache")
app.add_typer(judges.app, name="judges")
app.add_typer(media.app, name="media")
app.add_typer(review.app, name="review")


@functools.cache
def _command() -> Callable[..., Any]:
    # Typer builds all commands anew each time that it is asked, from the signature of each function.
    return typer.main.get_command(app)


def main() -> None:
    """Run the command; an error meant for the user is one line on standard error and an exit code."""
    from vlmops.errors import EvaluatorError, RunStopped, UsageError, VlmopsError

    # What a run reads stays: to look through it for cycles as often as Python does takes a tenth of its time.
    gc.set_threshold(20_000, 10, 10)
    # Libraries warn of what they try again; the command says what came of it in the end.
    logging.getLogger("stamina").addHandler(logging.NullHandler())
    try:
        _command()(prog_name="vlmops")
    except SystemExit as ended:
        # Typer turns an interrupt into this code without a word.
        if ended.code == ExitCode.INTERRUPTED:
            sys.stderr.write("interrupted: run the same command again to continue\n")
        raise
    except (UsageError, EvaluatorError) as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(ExitCode.USAGE)
    except RunStopped as stopped:
        sys.stderr.write(f"stopped: {stopped}; run the same command again to continue\n")
        sys.exit(ExitCode.STOPPED)
    except VlmopsError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(ExitCode.GATE_FAILED)
