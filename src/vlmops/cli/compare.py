"""``vlmops compare``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from vlmops.cli.options import PlatformOption, SlicesOption, UrlOption, connected, made_evaluators
from vlmops.cli.output import JsonOption, console, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.platforms import ExperimentRecord, Platform

EXPERIMENT_HELP = "id, or name:NAME, tag:TAG, branch:BRANCH, commit:SHA (the newest such; needs --dataset)"
DatasetOption = typer.Option(None, "--dataset", help="Dataset to find experiments of by name, tag, branch...")
CorpusOption = typer.Option(
    [],
    "--evaluator",
    "-e",
    help="Evaluator that scored them, for values of the whole set (micro CER, mAP, F1); no model is asked.",
)
ConfidenceOption = typer.Option(0.95, "--confidence", min=0.5, max=0.999, help="Level of the intervals.")


def compare_command(
    experiments: list[str] = typer.Argument(help=f"Experiments, the baseline first: {EXPERIMENT_HELP}."),
    on: str = PlatformOption,
    url: str | None = UrlOption,
    dataset: str | None = DatasetOption,
    evaluator: list[str] = CorpusOption,
    by: list[str] = SlicesOption,
    confidence: float = ConfidenceOption,
    record: bool = typer.Option(False, "--record", help="Write the differences to the platform as well."),
    as_markdown: bool = typer.Option(False, "--markdown", help="Print Markdown, for a pull request."),
    as_json: bool = JsonOption,
) -> None:
    """Compare experiments sample by sample: paired differences, with what they show and what they cannot."""
    from vlmops.cli.comparison_table import print_comparison
    from vlmops.errors import UsageError
    from vlmops.experiments import compare, comparison_markdown, record_comparison

    if len(experiments) < 2:
        raise UsageError("name at least two experiments to compare")
    platform = connected(on, url)
    records = read_experiments(platform, experiments, dataset)
    found = compare(records, made_evaluators(evaluator), slices=by, confidence=confidence)
    if record:
        record_comparison(platform, found)
    if as_json:
        print_json(found)
    elif as_markdown:
        typer.echo(comparison_markdown(found), nl=False)
    else:
        out = console()
        print_comparison(out, found)
        out.print(f"side by side: {platform.experiments.compare_url(records)}")


def read_experiments(
    platform: Platform, selectors: Sequence[str], dataset: str | None
) -> list[ExperimentRecord]:
    """The experiments that are meant, each in full."""
    from vlmops.blocking import blocking
    from vlmops.experiments.selector import ExperimentSelector

    chosen = [ExperimentSelector.parse(text) for text in selectors]

    async def read() -> list[ExperimentRecord]:
        records: list[ExperimentRecord] = []
        for selector in chosen:
            known = [record.id for record in records]
            records.append(await selector.read(platform, dataset, exclude=known))
        return records

    return blocking(read, platform)


def experiment_id(platform: Platform, selector: str, dataset: str | None) -> str:
    """The id of the experiment that is meant."""
    from vlmops.blocking import blocking
    from vlmops.experiments.selector import ExperimentSelector

    chosen = ExperimentSelector.parse(selector)
    return blocking(lambda: chosen.find(platform, dataset), platform)
