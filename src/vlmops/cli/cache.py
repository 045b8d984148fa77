"""``vlmops cache``."""

from __future__ import annotations

import re
from datetime import datetime

import typer

from vlmops.cli.output import JsonOption, console, print_json

app = typer.Typer(help="Answers of models kept from earlier runs.", no_args_is_help=True)

_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@app.command("show")
def show_command(as_json: bool = JsonOption) -> None:
    """Say what is kept: answers by model, their size, what they had cost, and their age."""
    from rich.table import Table

    from vlmops.engine import ResponseCache

    with ResponseCache.default() as cache:
        models, location = cache.models(), cache.location
    if as_json:
        print_json({"location": location, "models": models})
        return
    table = Table()
    for heading in ("model", "answers", "size", "cost", "oldest", "newest"):
        table.add_column(heading, justify="left" if heading == "model" else "right")
    for each in models:
        cost = f"${each.cost:.4f}" if each.cost else "-"
        days = (f"{moment:%Y-%m-%d %H:%M}" for moment in (each.oldest, each.newest))
        table.add_row(each.model, str(each.replies), _size(each.bytes), cost, *days)
    out = console()
    if models:
        out.print(table)
    out.print(f"{sum(each.replies for each in models)} answers in {location}")


@app.command("clear")
def clear_command(
    model: str | None = typer.Option(None, "--model", help="Answers of this model alone."),
    older_than: str | None = typer.Option(
        None, "--older-than", help="Answers older than this alone: 30d, 12h, 2w, 90m."
    ),
    everything: bool = typer.Option(False, "--all", help="All answers."),
    as_json: bool = JsonOption,
) -> None:
    """Remove kept answers; they will be asked for, and paid for, again."""
    from vlmops.engine import ResponseCache
    from vlmops.errors import UsageError

    if not everything and model is None and older_than is None:
        raise UsageError("say what to remove: --model NAME, --older-than 30d, or --all")
    before = None if older_than is None else _moment(older_than)
    with ResponseCache.default() as cache:
        removed = cache.clear(model, before)
    if as_json:
        print_json({"removed": removed})
    else:
        console().print(f"{removed} answers removed")


def _moment(age: str) -> datetime:
    """So long before now."""
    from datetime import UTC, timedelta

    from vlmops.errors import UsageError

    found = _AGE.fullmatch(age.strip())
    if found is None:
        raise UsageError(f"--older-than {age}: give a number and m, h, d or w, e.g. 30d")
    return datetime.now(UTC) - timedelta(**{_UNITS[found[2]]: float(found[1])})


def _size(length: int) -> str:
    return f"{length / 1e6:.1f} MB" if length >= 1e6 else f"{length / 1e3:.1f} kB"
