"""``vlmops doctor``."""

from __future__ import annotations

import typer

from vlmops.cli.exit_codes import ExitCode
from vlmops.cli.options import UrlOption, connected
from vlmops.cli.output import JsonOption, console, print_json

_MARKS = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "error": "[red]error[/]"}


def doctor(
    platform: str = typer.Argument(help="Platform to examine, e.g. phoenix."),
    url: str | None = UrlOption,
    as_json: bool = JsonOption,
) -> None:
    """Look at everything that commonly goes wrong, and say how to mend it."""
    from vlmops.blocking import blocking
    from vlmops.platforms import Check

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


def _print(check: object) -> None:
    from rich.markup import escape

    from vlmops.platforms import Check

    if isinstance(check, Check):
        out = console()
        out.print(f"{_MARKS[check.status]:<18} {escape(check.name)}: {escape(check.message)}")
        if check.fix:
            out.print(f"        -> {escape(check.fix)}")
