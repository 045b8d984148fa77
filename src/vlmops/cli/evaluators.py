"""``vlmops evaluators``."""

from __future__ import annotations

import sys

import typer

from vlmops.cli.output import JsonOption, console, print_json


def evaluators_command(
    pattern: str = typer.Argument("", help="Show only those whose name or description contains this text."),
    as_json: bool = JsonOption,
) -> None:
    """List every evaluator: ours, yours, and those of installed packages."""
    from rich.table import Table

    from vlmops.evaluators import entries

    wanted = pattern.casefold()
    chosen = [entry for entry in entries() if wanted in entry.name or wanted in entry.summary.casefold()]
    if as_json:
        print_json(
            [{"name": e.name, "origin": e.origin, "summary": e.summary, "error": e.error} for e in chosen]
        )
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for entry in chosen:
        table.add_row(entry.name, entry.summary)
    console().print(table)
    if not chosen:
        sys.stderr.write(f"no evaluator speaks of {pattern!r}; 'vlmops evaluators' lists all\n")
