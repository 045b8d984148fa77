"""``vlmops doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from vlmops.cli.exit_codes import ExitCode
from vlmops.cli.options import UrlOption, connected
from vlmops.cli.output import JsonOption, console, print_json

if TYPE_CHECKING:
    from vlmops.platforms import Check

_COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}


def doctor(
    platform: str = typer.Argument(help="Platform to examine, e.g. phoenix."),
    url: str | None = UrlOption,
    as_json: bool = JsonOption,
) -> None:
    """Look at everything that commonly goes wrong, and say how to mend it."""
    from vlmops.blocking import blocking

    connection = connected(platform, url)

    async def examine() -> list[Check]:
        found = []
        async for check in connection.doctor():
            found.append(check)
            if not as_json:
                _print(check)
        return found

    checks = blocking(examine, connection)
    if as_json:
        print_json(checks)
    if any(check.status == "error" for check in checks):
        raise typer.Exit(ExitCode.GATE_FAILED)


def _print(check: Check) -> None:
    from rich.text import Text

    out = console()
    out.print(Text.assemble((f"{check.status:<8}", _COLOURS[check.status]), f"{check.name}: {check.message}"))
    if check.fix:
        out.print(f"        -> {check.fix}")
