"""What is said of a push."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vlmops.cli.output import console, json_text

if TYPE_CHECKING:
    from vlmops.platforms import ItemFailure, PushReport


def print_push(report: PushReport) -> None:
    """A table of what happened on each platform, and where the dataset is there."""
    from rich.table import Table

    table = Table(title=f"{report.dataset}  revision {report.revision[:12]}  {report.seconds:.1f} s")
    for heading in ("platform", "created", "updated", "unchanged", "deleted", "failed"):
        table.add_column(heading, justify="left" if heading == "platform" else "right")
    for target in report.targets:
        failed = len(target.failures) + len(report.failures)
        counts = (target.created, target.updated, target.unchanged, target.deleted, failed)
        table.add_row(target.platform, *map(str, counts))
    out = console()
    out.print(table)
    for target in report.targets:
        if target.url:
            out.print(f"{target.platform}: {target.url}")


def write_failures(file: Path, failures: Sequence[ItemFailure]) -> None:
    """Write each failure as a line of JSON.

    Raises:
        UsageError: The file cannot be written.
    """
    from vlmops.errors import UsageError

    try:
        with file.open("w", encoding="utf-8") as out:
            out.writelines(json_text(failure) + "\n" for failure in failures)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from error
