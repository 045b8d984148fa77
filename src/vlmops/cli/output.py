"""What commands print: tables for people, JSON for machines, progress only on a terminal."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from vlmops.platforms import ItemFailure

JsonOption = typer.Option(False, "--json", help="Print one JSON document for machines.")

ENDLESS = 100_000
"""Columns of what has no width."""

_SHOWN_FAILURES = 20


def console() -> Console:
    """Standard output, as wide as the terminal; brackets in names and messages are no markup.

    What is no terminal has no width: who reads a file or a pipe wraps or cuts lines as they like.
    """
    from rich.console import Console

    width = None if sys.stdout.isatty() else ENDLESS
    return Console(soft_wrap=True, highlight=False, markup=False, emoji=False, width=width)


def print_json(value: Any) -> None:
    """Print a result as one JSON document."""
    typer.echo(json_text(value, indent=2))


def json_text(value: Any, indent: int | None = None) -> str:
    """A result as JSON that any reader takes: NaN is null, half characters are spelled out."""
    text = json.dumps(_plain(value), ensure_ascii=False, indent=indent, allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def print_failures(failures: Sequence[ItemFailure], all_in: str = "--json gives all of them") -> None:
    """A line on standard error for each failure, the first twenty; ``all_in`` says where the rest is."""
    for failure in failures[:_SHOWN_FAILURES]:
        sys.stderr.write(f"failed: {describe(failure)}\n")
    if len(failures) > _SHOWN_FAILURES:
        more = len(failures) - _SHOWN_FAILURES
        sys.stderr.write(f"... and {more} more; {all_in}\n")


def describe(failure: ItemFailure) -> str:
    """A failure as one line that names place, field and fix."""
    places = [place for place in (failure.source, failure.field) if place]
    if not failure.source and failure.id:
        places.insert(0, failure.id)
    shown = failure.message
    # Errors of pictures begin with the picture's place themselves.
    if places and shown.startswith(f"{places[0]}: "):
        places = places[1:]
    return _on_one_line(": ".join([*places, shown]))


def _on_one_line(text: str) -> str:
    """Names of files may hold line ends and what terminals obey: both are spelled out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


@contextmanager
def counting(label: str, quiet: bool) -> Iterator[Callable[[int], None] | None]:
    """Progress of work whose end is not known, drawn on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def measured(label: str, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Progress of work whose end is known, drawn on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    name = TextColumn("{task.description}", markup=False)
    columns = (name, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)
