"""``vlmops estimate``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from vlmops.cli.exit_codes import ExitCode
from vlmops.cli.output import JsonOption, console, counting, print_json

if TYPE_CHECKING:
    from vlmops.cli.grid import Grid
    from vlmops.experiments import Estimate, ModelEstimate, PictureEstimate


_SIZE = re.compile(r"\s*(\d{1,9})\s*[xX×]\s*(\d{1,9})\s*")


def estimate_command(
    location: str | None = typer.Argument(
        None, help="Folder of pictures, or a .jsonl, .csv or .tsv table; left out with --size."
    ),
    model: list[str] = typer.Option(..., "--model", "-m", help="Model by name; repeatable."),
    size: str | None = typer.Option(None, "--size", help="One picture of that size instead: 1024x768."),
    detail: str = typer.Option("auto", "--detail", help="How finely models look, where they can be told."),
    prompt: str | None = typer.Option(None, "--prompt", help="Question; {field} is the sample's input."),
    schema: Path | None = typer.Option(None, "--schema", help="JSON Schema file that answers must fit."),
    image: list[str] = typer.Option([], "--image", help="Column with pictures; repeatable."),
    inputs: list[str] = typer.Option([], "--input", help="Further column for the model; repeatable."),
    id_column: str = typer.Option("id", "--id", help="Column with the id."),
    encoding: str = typer.Option("utf-8", "--encoding", help="Encoding of the table."),
    repetitions: int = typer.Option(1, "--repetitions", min=1, help="Answers to each sample."),
    output_tokens: int = typer.Option(500, "--output-tokens", min=0, help="Tokens expected of an answer."),
    latency: float = typer.Option(5.0, "--latency", min=0.001, help="Seconds expected of an answer."),
    concurrency: int = typer.Option(8, "--concurrency", min=1, help="Requests under way at once."),
    rpm: float | None = typer.Option(None, "--rpm", min=0.001, help="Requests a minute that are allowed."),
    tpm: float | None = typer.Option(None, "--tpm", min=0.001, help="Tokens a minute that are allowed."),
    max_side: int | None = typer.Option(None, "--max-side", min=1, help="Longest side that is sent."),
    cards: Path | None = typer.Option(None, "--cards", help="TOML file with further model cards."),
    setting: list[str] = typer.Option(
        [], "--set", help="Setting of the server that counts: --set max_pixels=501760; repeatable."
    ),
    as_json: bool = JsonOption,
) -> None:
    """Say what models will take for a dataset, or one picture, before any call and offline."""
    from vlmops.errors import UsageError

    if location is None and size is None:
        raise UsageError("say what to estimate: a dataset's LOCATION, or --size WIDTHxHEIGHT")
    if location is not None and size is not None:
        raise UsageError("--size is one picture in the place of a dataset: leave out one of the two")
    models = _models(model)
    how: dict[str, Any] = {
        "detail": detail,
        "max_side": max_side,
        "cards": cards,
        "parameters": _settings(setting, models, cards),
    }
    if size is not None:
        _estimate_picture(models, size, how, as_json)
        return
    from vlmops.datasets import Columns, ImageDataset
    from vlmops.engine import Limits
    from vlmops.experiments import estimate

    columns = Columns(tuple(image), (), tuple(inputs), id_column)
    dataset = ImageDataset.load(str(location), columns=columns, encoding=encoding)
    limits = Limits(concurrency=concurrency, requests_per_minute=rpm, tokens_per_minute=tpm)
    with counting("samples", quiet=as_json) as progress:
        done = estimate(
            dataset,
            models,
            prompt=prompt,
            schema=_schema(schema),
            repetitions=repetitions,
            output_tokens=output_tokens,
            latency=latency,
            limits=limits,
            progress=progress,
            **how,
        )
    if as_json:
        print_json(done)
    else:
        _print_estimate(done)
    if done.unusable or any(row.image_tokens is None for row in done.models):
        raise typer.Exit(ExitCode.SOME_FAILED)


def _estimate_picture(models: list[str], size: str, how: dict[str, Any], as_json: bool) -> None:
    from vlmops.cli.grid import print_grid
    from vlmops.experiments import estimate_picture

    width, height = _size(size)
    rows = [estimate_picture(name, width, height, **how) for name in models]
    if as_json:
        print_json(rows[0] if len(rows) == 1 else {"models": rows})
    else:
        out = console()
        print_grid(out, _picture_grid(rows))
        for row in rows:
            for line in filter(None, (row.problem, row.note)):
                out.print(f"{row.model}: {line}")
    if any(row.image_tokens is None for row in rows):
        raise typer.Exit(ExitCode.SOME_FAILED)


def _size(text: str) -> tuple[int, int]:
    from vlmops.errors import UsageError

    sides = _SIZE.fullmatch(text)
    if sides is None or not (int(sides[1]) and int(sides[2])):
        raise UsageError(f"--size is {text!r}: write width and height in pixels as 1024x768")
    return int(sides[1]), int(sides[2])


def _models(names: list[str]) -> list[str]:
    """Each once.

    Raises:
        UsageError: One is empty.
    """
    from vlmops.errors import UsageError

    for name in names:
        if not name.rpartition(":")[2].strip():
            raise UsageError(f"--model {name!r} names no model; write e.g. gpt-4o or openai:gpt-4.1-mini")
    return list(dict.fromkeys(names))


def _settings(texts: list[str], models: list[str], cards: Path | None) -> dict[str, Any]:
    """Settings of servers.

    Raises:
        UsageError: One is no setting of any of the models: nobody would see that it does nothing.
    """
    from vlmops.errors import UsageError
    from vlmops.experiments.picture_estimate import card_table
    from vlmops.models.options import hint

    found = dict(map(_parameter, texts))
    if not found:
        return found
    table = card_table(cards)
    known = {name for model in models if (card := table.card_of(model)) for name in card.parameters}
    for name in found:
        if name not in known:
            raise UsageError(f"--set {name}: no model here has that setting; {hint(name, sorted(known))}")
    return found


def _parameter(text: str) -> tuple[str, Any]:
    from vlmops.errors import UsageError

    name, separator, value = text.partition("=")
    if not separator:
        raise UsageError(f"--set {text!r}: write name=value, e.g. max_pixels=501760")
    try:
        return name.strip(), json.loads(value)
    except ValueError as error:
        raise UsageError(f"--set {text!r}: {value!r} is neither a number nor true or false") from error


def _schema(file: Path | None) -> Any:
    from vlmops.errors import UsageError

    if file is None:
        return None
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--schema: {file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"--schema: {file} is not JSON: {error}") from error


def _print_estimate(done: Estimate) -> None:
    from vlmops.cli.grid import Grid, GridRow, print_grid

    given = done.assumptions
    rows = [
        GridRow(
            row.model,
            [
                _number(row.image_tokens),
                _number(row.text_tokens),
                _number(row.output_tokens),
                _cost(row),
                _time(row.seconds),
                _counting(row),
            ],
        )
        for row in done.models
    ]
    head = ["model", "image tokens", "text", "output", "cost", "time", "counting"]
    title = f"{done.dataset}: {done.samples:,} samples, {done.pictures:,} pictures"
    answers = "1 answer" if given.repetitions == 1 else f"{given.repetitions} answers, each"
    out = console()
    print_grid(out, Grid(head, [rows], title, left=["counting"]))
    out.print(
        f"assumed: {answers} a sample, of {given.output_tokens} tokens in "
        f"{given.latency:g} s, {given.concurrency} at once; text is {given.text}"
    )
    _print_notes(done)


def _print_notes(done: Estimate) -> None:
    out = console()
    for row in done.models:
        counted = [
            (row.shrunk, "pictures are sent smaller than they are"),
            (row.rejected, "pictures are of a size that it refuses, and are not in the sums"),
            (row.too_long, "samples do not fit its window"),
        ]
        for line in [*(f"{n:,} {what}" for n, what in counted if n), row.problem, row.note]:
            if line:
                out.print(f"{row.model}: {line}")
    for problem in done.problems:
        out.print(f"not in the sums: {problem}")
    if done.unusable > len(done.problems):
        out.print(f"... and {done.unusable - len(done.problems):,} more")


def _counting(row: ModelEstimate) -> str:
    if row.card:
        return f"{row.certainty} {row.dated}"
    return "no card" if row.image_tokens is None else "runs here"


def _picture_grid(rows: list[PictureEstimate]) -> Grid:
    from vlmops.cli.grid import Grid, GridRow

    head = ["model", "detail", "tokens", "seen as", "tiles", "patches", "cost", "counting"]
    title = f"one picture of {rows[0].width} x {rows[0].height} pixels"
    found = [GridRow(row.model, _picture_cells(row)) for row in rows]
    return Grid(head, [found], title, left=["counting"])


def _picture_cells(row: PictureEstimate) -> list[str]:
    counted = row.counted
    if counted is None:
        told = ("unknown", "no card") if row.image_tokens is None else ("$0", "runs here")
        return ["", _number(row.image_tokens), "", "", "", *told]
    return [
        counted.detail or "-",
        _number(row.image_tokens, "refused" if counted.rejected else "unknown"),
        f"{counted.seen_width} x {counted.seen_height}",
        _number(counted.tiles, "-"),
        _number(counted.patches, "-"),
        "-" if counted.rejected else "price unknown" if row.cost is None else f"${row.cost:.6f}",
        f"{counted.certainty} {counted.dated}",
    ]


def _number(value: int | None, absent: str = "unknown") -> str:
    return absent if value is None else f"{value:,}"


def _cost(row: ModelEstimate) -> str:
    if row.cost is None:
        return "price unknown"
    return f"${row.cost:,.4f}" if row.cost < 1 else f"${row.cost:,.2f}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
