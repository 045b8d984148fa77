"""``vlmops gate``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from vlmops.cli.compare import EXPERIMENT_HELP, CorpusOption, DatasetOption
from vlmops.cli.exit_codes import ExitCode
from vlmops.cli.options import PlatformOption, UrlOption, connected, made_evaluators
from vlmops.cli.output import JsonOption, console, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from vlmops.gate import GateResult, GateRules

_DEFAULT_FILE = Path("vlmops.toml")
_PER_METRIC = "metric=number; repeat it"


def gate_command(
    experiment: str = typer.Argument(help=f"The run to let through or not: {EXPERIMENT_HELP}."),
    baseline: str | None = typer.Option(
        None,
        "--baseline",
        help="What regression rules compare with: as EXPERIMENT; 'branch:main' is the last on main.",
    ),
    rules_file: Path | None = typer.Option(
        None, "--rules", help="File with a [gate] table; vlmops.toml where there is one and no rule is given."
    ),
    minimum: list[str] = typer.Option([], "--min", help=f"Least value: {_PER_METRIC}."),
    maximum: list[str] = typer.Option([], "--max", help=f"Greatest value: {_PER_METRIC}."),
    max_drop: list[str] = typer.Option([], "--max-drop", help=f"How much worse it may be: {_PER_METRIC}."),
    max_error_rate: float | None = typer.Option(None, "--max-error-rate", help="Share of failed answers."),
    max_p95_latency: float | None = typer.Option(None, "--max-p95-latency", help="Seconds."),
    max_cost: float | None = typer.Option(None, "--max-cost", help="US dollars an answer, on average."),
    by: list[str] = typer.Option(
        [], "--slice", help="Metadata key: --max-drop holds in each of its slices too."
    ),
    strict: bool = typer.Option(
        False, "--strict", help="Fail what the sample can neither show to be worse nor to be as good."
    ),
    dataset: str | None = DatasetOption,
    evaluator: list[str] = CorpusOption,
    on: str = PlatformOption,
    url: str | None = UrlOption,
    junit: Path | None = typer.Option(None, "--junit", help="Write JUnit XML to this file."),
    markdown: Path | None = typer.Option(None, "--markdown", help="Append a Markdown summary to this file."),
    as_json: bool = JsonOption,
) -> None:
    """Hold a run to its rules: exit code 1 when it breaks one, or when a rule cannot be looked at."""
    from vlmops.gate import gate_experiment

    given = _given(
        {"min": minimum, "max": maximum, "max_drop": max_drop},
        error_rate=max_error_rate,
        p95_latency=max_p95_latency,
        cost=max_cost,
    )
    if by:
        given["slices"] = by
    if baseline is not None:
        given["baseline"] = baseline
    if strict:
        given["unclear"] = "fail"
    result = gate_experiment(
        connected(on, url),
        experiment,
        _rules(rules_file, given),
        dataset=dataset,
        evaluators=made_evaluators(evaluator),
    )
    _write(result, junit, markdown)
    if as_json:
        print_json(gate_json(result))
    else:
        print_gate(console(), result)
    if not result.passed:
        raise typer.Exit(ExitCode.GATE_FAILED)


def _given(
    metrics: dict[str, list[str]],
    *,
    error_rate: float | None,
    p95_latency: float | None,
    cost: float | None,
) -> dict[str, Any]:
    """The rules among the options, as a ``[gate]`` table."""
    table: dict[str, Any] = {}
    for rule, texts in metrics.items():
        for text in texts:
            name, number = _parted(f"--{rule.replace('_', '-')}", text)
            table.setdefault("metrics", {}).setdefault(name, {})[rule] = number
    if error_rate is not None:
        table["error_rate"] = {"max": error_rate}
    if p95_latency is not None:
        table["latency"] = {"p95": {"max": p95_latency}}
    if cost is not None:
        table["cost"] = {"max": cost}
    return table


def _parted(option: str, text: str) -> tuple[str, float]:
    from vlmops.errors import UsageError

    name, separator, number = text.rpartition("=")
    try:
        if separator and name:
            return name, float(number)
    except ValueError:
        pass
    raise UsageError(f"{option} takes metric=number, as in {option} accuracy=0.9; not {text!r}")


def _rules(file: Path | None, given: dict[str, Any]) -> GateRules:
    """Rules of the file and of the options; an option goes before the same key of the file."""
    from vlmops.gate import gate_table, made_rules

    said_something = bool(given.keys() & {"metrics", "error_rate", "latency", "cost"})
    if file is None and not said_something and _DEFAULT_FILE.exists():
        file = _DEFAULT_FILE
    if file is None:
        return made_rules(given, "the options")
    return made_rules(_merged(gate_table(file), given), str(file))


def _merged(table: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(table)
    for key, value in over.items():
        known = merged.get(key)
        merged[key] = _merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged


def _write(result: GateResult, junit: Path | None, markdown: Path | None) -> None:
    from vlmops.gate import gate_markdown, junit_xml

    if junit is not None:
        junit.write_text(junit_xml(result), encoding="utf-8")
    if markdown is not None:
        # A job's summary file may hold what other steps have said.
        with markdown.open("a", encoding="utf-8") as file:
            file.write(gate_markdown(result))


def print_gate(out: Console, result: GateResult) -> None:
    """Every check with what was found, the verdict last; what blocks goes to standard error, too."""
    from rich.table import Table

    table = Table()
    for column in ("check", "status", "found"):
        table.add_column(column)
    for check in result.checks:
        table.add_row(check.title, check.status.value, check.message)
    out.print(table)
    for note in result.comparison.notes:
        out.print(note)
    _print_blocking(result)
    out.print(result.headline)


def _print_blocking(result: GateResult) -> None:
    blocking: Sequence[Any] = result.blocking
    for check in blocking:
        sys.stderr.write(f"{check.status}: {check.title}: {check.message}\n")


def gate_json(result: GateResult) -> dict[str, Any]:
    """Everything but the full comparison, which ``vlmops compare --json`` gives."""
    return {
        "passed": result.passed,
        "headline": result.headline,
        "candidate": result.candidate,
        "baseline": result.baseline,
        "unclear": result.unclear,
        "checks": result.checks,
        "notes": result.comparison.notes,
    }
