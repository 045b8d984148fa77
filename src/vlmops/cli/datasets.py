"""``vlmops push`` and ``vlmops pull``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from vlmops.cli.exit_codes import ExitCode
from vlmops.cli.options import PlatformOption, TargetOption, UrlOption, connected
from vlmops.cli.output import JsonOption, console, counting, print_failures, print_json
from vlmops.cli.push_report import print_push, write_failures

if TYPE_CHECKING:
    from vlmops.images import Preparation


def push_command(
    location: str = typer.Argument(help="Folder of pictures, or a .jsonl, .csv or .tsv table."),
    to: list[str] = TargetOption,
    name: str = typer.Option(
        "", "--name", help="Name on the platform; that of the folder or file otherwise."
    ),
    description: str = typer.Option("", "--description", help="For people."),
    url: str | None = UrlOption,
    image: list[str] = typer.Option([], "--image", help="Column with pictures; repeatable."),
    expected: list[str] = typer.Option([], "--expected", help="Column with the expected value; repeatable."),
    inputs: list[str] = typer.Option([], "--input", help="Further column for the model; repeatable."),
    id_column: str = typer.Option("id", "--id", help="Column with the id."),
    encoding: str = typer.Option("utf-8", "--encoding", help="Encoding of the table."),
    max_side: int | None = typer.Option(None, "--max-side", help="Shrink pictures to this many pixels."),
    keep_metadata: bool = typer.Option(False, "--keep-metadata", help="Leave EXIF and GPS in the pictures."),
    mirror: bool = typer.Option(False, "--mirror", help="Also remove samples that are no longer there."),
    failures: Path | None = typer.Option(None, "--failures", help="Write every failure to this .jsonl file."),
    as_json: bool = JsonOption,
) -> None:
    """Bring a dataset to a platform: created, updated, unchanged, failed. Run again at any time."""
    from vlmops.datasets import Columns, ImageDataset
    from vlmops.platforms import push

    columns = Columns(tuple(image), tuple(expected), tuple(inputs), id_column)
    dataset = ImageDataset.load(
        location, name=name, columns=columns, encoding=encoding, description=description
    )
    targets = [connected(platform, url) for platform in dict.fromkeys(to)]
    if failures is not None:
        write_failures(failures, [])
    with counting("samples", quiet=as_json) as progress:
        report = push(
            dataset,
            targets,
            preparation=_preparation(max_side, keep_metadata),
            mirror=mirror,
            progress=progress,
        )
    everything = [*report.failures, *(f for target in report.targets for f in target.failures)]
    if failures is not None:
        write_failures(failures, everything)
    if as_json:
        print_json(report)
    else:
        print_push(report)
        print_failures(
            everything, f"all are in {failures}" if failures else "--failures FILE writes all of them"
        )
    if everything:
        raise typer.Exit(ExitCode.SOME_FAILED)


def pull_command(
    name: str = typer.Argument(help="The dataset's name on the platform."),
    folder: Path = typer.Argument(help="Folder to write manifest and pictures into."),
    on: str = PlatformOption,
    url: str | None = UrlOption,
    version: str | None = typer.Option(
        None, "--version", help="Version of the dataset; the newest otherwise."
    ),
    as_json: bool = JsonOption,
) -> None:
    """Bring a dataset from a platform into a folder, with its pictures."""
    from vlmops.platforms import pull

    report = pull(connected(on, url), name, folder, version=version)
    if as_json:
        print_json(report)
    else:
        console().print(f"{report.samples} samples in {report.manifest} (revision {report.revision[:12]})")
        print_failures(report.failures)
    if report.failures:
        raise typer.Exit(ExitCode.SOME_FAILED)


def _preparation(max_side: int | None, keep_metadata: bool) -> Preparation:
    from vlmops.images import Preparation

    return Preparation(max_side=max_side, strip_metadata=not keep_metadata)
