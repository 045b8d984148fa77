"""Figures as a table where there is room for it, else as a block of lines for each row."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from vlmops.cli.output import ENDLESS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_INDENT = "  "
_GAP = "   "


@dataclass(frozen=True, slots=True)
class GridRow:
    """One row.

    Attributes:
        title: What it is about: the first column.
        cells: One for each further column.
        part: The part of the data it is about; rows of one title stand together where there is no room.
    """

    title: str
    cells: Sequence[str]
    part: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows under headings.

    Attributes:
        head: Headings, that of the titles first.
        sections: Rows, with a line between sections.
        title: What stands above.
        left: Headings of columns that begin at the left; numbers end at the right.
        in_lines: Whether, where there is no room, each cell has a line of its own; else they follow one
            another.
    """

    head: Sequence[str]
    sections: Sequence[Sequence[GridRow]]
    title: str = ""
    left: Sequence[str] = ()
    in_lines: bool = False


def print_grid(out: Console, grid: Grid) -> None:
    """Print it no wider than the console; nothing is cut off."""
    from rich.measure import Measurement

    table = _table(grid)
    needed = Measurement.get(out, out.options.update(max_width=ENDLESS), table).maximum
    if needed <= out.width:
        out.print(table)
        return
    for line in _blocks(grid, out.width):
        out.print(line)


def _table(grid: Grid) -> Table:
    from rich.table import Table

    table = Table(title=grid.title or None)
    first, *others = grid.head
    table.add_column(first, no_wrap=True)
    for heading in others:
        table.add_column(heading, justify="left" if heading in grid.left else "right", no_wrap=True)
    for rows in grid.sections:
        table.add_section()
        for row in rows:
            table.add_row(f"{row.title} ({row.part})" if row.part else row.title, *row.cells)
    return table


def _blocks(grid: Grid, width: int) -> Iterator[Text]:
    from rich.text import Text

    if grid.title:
        yield Text(grid.title, style="bold")
    rows = [row for section in grid.sections for row in section]
    order = {title: at for at, title in enumerate(dict.fromkeys(row.title for row in rows))}
    for title, group in groupby(sorted(rows, key=lambda row: order[row.title]), lambda row: row.title):
        yield Text(title, style="bold")
        for row in group:
            if row.part:
                yield Text(f"{_INDENT}{row.part}", style="italic")
            lines = _in_lines if grid.in_lines else _flowing
            yield from map(Text, lines(grid.head[1:], row.cells, width, _INDENT * (2 if row.part else 1)))


def _in_lines(head: Sequence[str], cells: Sequence[str], width: int, indent: str) -> Iterator[str]:
    """A line a cell, its heading before it; above it where both do not fit."""
    longest = max(map(len, head))
    beside = len(indent) + longest + len(_GAP) + max(map(len, cells)) <= width
    for heading, cell in zip(head, cells, strict=True):
        if beside:
            yield f"{indent}{heading:<{longest}}{_GAP}{cell}"
        else:
            yield f"{indent}{heading}"
            yield f"{indent}{_INDENT}{cell}"


def _flowing(head: Sequence[str], cells: Sequence[str], width: int, indent: str) -> Iterator[str]:
    """Heading and cell after heading and cell, as many on a line as fit."""
    line = indent
    for heading, cell in zip(head, cells, strict=True):
        if cell in ("", "-"):
            continue
        piece = f"{heading}: {cell}"
        gap = "" if line == indent else _GAP
        if gap and len(line) + len(gap) + len(piece) > width:
            yield line
            line, gap = indent, ""
        if len(indent) + len(piece) > width:
            yield f"{indent}{heading}:"
            piece = _INDENT + cell
        line += gap + piece
    if line != indent:
        yield line
