"""A comparison as tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmops.experiments.comparison.rows import head, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from vlmops.experiments import Comparison


def comparison_tables(comparison: Comparison) -> Iterator[Table]:
    """A table for each variant against the baseline, a row a metric."""
    from rich.table import Table

    for at in range(1, len(comparison.variants)):
        table = Table()
        for column in head(comparison, at):
            table.add_column(column, justify="left" if column in ("metric", "verdict") else "right")
        for row in rows(comparison, at):
            table.add_row(*row)
        yield table
