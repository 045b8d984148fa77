"""Options that several commands share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from vlmops.evaluators import Evaluator
    from vlmops.platforms import Platform

TargetOption = typer.Option(
    ["phoenix"], "--to", help="Platform to write to; repeat it to write to several at once."
)
PlatformOption = typer.Option("phoenix", "--on", help="Platform to work on.")
UrlOption = typer.Option(
    None, "--url", help="Base URL of the platform; from its environment variables otherwise."
)
SlicesOption = typer.Option([], "--slice", help="Metadata key to give the figures for by its values.")
SinceOption = typer.Option(None, "--since", help="Only executions from then on (UTC).")
UntilOption = typer.Option(None, "--until", help="Only executions before then (UTC).")
ProjectOption = typer.Option(None, "--project", help="Project on the platform; its default otherwise.")
EnvironmentOption = typer.Option(None, "--environment", help="Only executions of production, staging, ...")
SpanNameOption = typer.Option(None, "--span-name", help="Name of recorded spans.")
LimitOption = typer.Option(None, "--limit", min=1, help="At most so many executions, the newest.")
EvaluatorsOption = typer.Option(
    ...,
    "--evaluator",
    "-e",
    help="Evaluator by name, with parameters as JSON after '=': -e cer -e 'anls={\"key\": \"text\"}'.",
)


def connected(name: str, url: str | None) -> Platform:
    """The platform of that name at that address."""
    from vlmops.platforms import connect

    return connect(name, **({"url": url} if url else {}))


def made_evaluators(specifications: Sequence[str]) -> list[Evaluator]:
    """Evaluators from ``name``, ``name={json}`` or a TOML file.

    Raises:
        UsageError: The parameters are not a JSON object, or the file is wrong.
        EvaluatorError: The name or a parameter is unknown.
    """
    from vlmops.evaluators import create

    return [create(name, **parameters) for name, parameters in map(named_evaluator, specifications)]


def named_evaluator(specification: str) -> tuple[str, dict[str, Any]]:
    """Name and parameters of an evaluator from ``name``, ``name={json}`` or a TOML file.

    The file has the name under ``use`` and the parameters beside it, as a specification has them; paths in
    it start where it lies.

    Raises:
        UsageError: The parameters are not a JSON object, or the file is wrong.
    """
    from vlmops.evaluators.evaluator_file import load_evaluator

    if specification.endswith(".toml") and "=" not in specification:
        return load_evaluator(Path(specification))
    return parsed_evaluator(specification)


def parsed_evaluator(specification: str) -> tuple[str, dict[str, Any]]:
    """Name and parameters of an evaluator from ``name`` or ``name={json}``.

    Raises:
        UsageError: The parameters are not a JSON object.
    """
    from vlmops.errors import UsageError

    name, separator, text = specification.partition("=")
    if not separator:
        return name, {}
    try:
        parameters = json.loads(text)
    except ValueError as error:
        raise UsageError(f"the parameters of evaluator {name!r} are not JSON: {error}") from error
    if not isinstance(parameters, dict):
        raise UsageError(f"the parameters of evaluator {name!r} must be a JSON object")
    return name, parameters
