"""``vlmops demo``."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from vlmops.cli.output import console, counting, measured

if TYPE_CHECKING:
    from vlmops.demo.tour import DemoResult


def demo(
    data_dir: Path | None = typer.Option(
        None, "--data-dir", help="Where Phoenix keeps its data; a folder in your cache otherwise."
    ),
    port: int | None = typer.Option(
        None, "--port", help="Port for Phoenix; the next free one if it is taken."
    ),
    model: list[str] = typer.Option(
        [], "--model", "-m", help="Compare one more model, e.g. openai:gpt-4.1-mini (needs OPENAI_API_KEY)."
    ),
    no_serve: bool = typer.Option(
        False, "--no-serve", help="End after printing, without waiting for Ctrl-C."
    ),
) -> None:
    """See it work: real pictures, read by real models on this machine, scored, in a real Phoenix."""
    from vlmops.cache_folder import cache_folder
    from vlmops.demo.tour import DemoTour
    from vlmops.platforms import plugin

    # Ended from outside, the demo must still stop the server that it started.
    signal.signal(signal.SIGTERM, _end)
    out = console()
    tour = DemoTour.of(model)
    with out.status("starting Phoenix (a minute the first time: it makes its database)"):
        server = plugin("phoenix").start_local(data_dir or cache_folder() / "demo", port)
    try:
        out.print(f"Phoenix runs at {server.url}, its data is in {server.data_dir}")
        with counting("pictures", quiet=False) as count:
            report = tour.push(server, count)
        target = report.targets[0]
        out.print(f"dataset {report.dataset}: {target.created} new, {target.unchanged} unchanged pictures")
        results = []
        for variant in tour.variants:
            with measured(variant.name, quiet=False) as progress:
                results.append(tour.run(server, variant, progress))
        _print(tour.conclude(server, report, results))
        if not no_serve:
            _wait(server.url)
    finally:
        server.stop()
        out.print("Phoenix has stopped.")


def _print(result: DemoResult) -> None:
    from vlmops.cli.grid import print_grid
    from vlmops.cli.summary_table import summary_grid

    out = console()
    print_grid(out, summary_grid(result.summaries))
    for label, url in result.links.items():
        out.print(f"{label:<28} {url}")


def _wait(url: str) -> None:
    import threading

    stopped = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stopped.set())
    console().print(f"\nPhoenix is at {url} until you press Ctrl-C.")
    stopped.wait()


def _end(*_: object) -> None:
    raise SystemExit(128 + signal.SIGTERM)
