"""A comparison as Markdown, for pull requests and notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmops.experiments.comparison.rows import footnotes, head, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.experiments.comparison.result import Comparison


def comparison_markdown(comparison: Comparison) -> str:
    """A table for each variant against the baseline: metrics, their slices, then what answers took.

    Example:
        >>> from vlmops.evaluators import Case, Score
        >>> from vlmops.experiments import compare
        >>> from vlmops.platforms import ExperimentRecord, Run
        >>> def ran(name, value):
        ...     runs = [Run(Case("a", id=str(i)), 1, [Score("cer", value)]) for i in range(3)]
        ...     return ExperimentRecord(name, name, "", "d", "1", runs)
        >>> text = comparison_markdown(compare([ran("old", 0.5), ran("new", 0.25)]))
        >>> text.splitlines()[0][:41]
        '| metric | old (baseline) | new | differe'
    """
    blocks = [
        table(head(comparison, at), list(rows(comparison, at))) for at in range(1, len(comparison.variants))
    ]
    blocks.append("\n".join(f"- {escaped(note)}" for note in footnotes(comparison)))
    return "\n\n".join(blocks) + "\n"


def table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    r"""A Markdown table; what would break it is escaped.

    Example:
        >>> print(table(["a", "b"], [["1", "x|y"]]))
        | a | b |
        | --- | --- |
        | 1 | x\|y |
    """
    whole = [columns, ["---"] * len(columns), *lines]
    return "\n".join("| " + " | ".join(escaped(cell) for cell in line) + " |" for line in whole)


def escaped(text: str) -> str:
    """Text on one line, of which Markdown tables and HTML act on nothing; names come from users.

    Example:
        >>> escaped("<b>bold</b>")
        '&lt;b>bold&lt;/b>'
    """
    return " ".join(text.replace("\\|", "|").replace("|", "\\|").replace("<", "&lt;").split())
