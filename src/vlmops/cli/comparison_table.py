"""A comparison as tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmops.cli.grid import Grid, GridRow, print_grid
from vlmops.experiments.comparison.rows import footnotes, head, rows

if TYPE_CHECKING:
    from rich.console import Console

    from vlmops.experiments import Comparison


def print_comparison(out: Console, comparison: Comparison) -> None:
    """A table for each variant against the baseline, a row a metric, and what a reader must know of them."""
    for at in range(1, len(comparison.variants)):
        found = [GridRow(title, cells) for title, *cells in rows(comparison, at)]
        print_grid(out, Grid(head(comparison, at), [found], left=["verdict"]))
    for note in footnotes(comparison):
        out.print(note, soft_wrap=False)
