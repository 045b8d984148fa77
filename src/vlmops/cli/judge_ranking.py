"""``vlmops judges rank``: experiments against each other, by a judge of pairs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from vlmops.cli.compare import EXPERIMENT_HELP, DatasetOption
from vlmops.cli.exit_codes import ExitCode
from vlmops.cli.judge_calls import announce, pair_requests, shared_pairs
from vlmops.cli.judge_cases import experiment_records, first_answers, made_pairwise
from vlmops.cli.model_care import BudgetOption, FreshOption, NoCacheOption, model_care
from vlmops.cli.options import PlatformOption, UrlOption, connected
from vlmops.cli.output import JsonOption, console, measured, print_json
from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

PairwiseArgument = typer.Argument(
    help="'pairwise' with parameters as JSON after '=', or a TOML file: "
    '\'pairwise={"model": "openai:gpt-4.1", "rubric": "better.toml"}\'.'
)


def rank_command(
    judge: str = PairwiseArgument,
    experiment: list[str] = typer.Option(..., "--experiment", help=f"Two at least: {EXPERIMENT_HELP}."),
    dataset: str | None = DatasetOption,
    on: str = PlatformOption,
    url: str | None = UrlOption,
    record: bool = typer.Option(True, "--record/--no-record", help="Write the results to the experiments."),
    concurrency: int = typer.Option(8, "--concurrency", min=1, help="Pairs judged at once."),
    budget: float | None = BudgetOption,
    fresh: bool = FreshOption,
    no_cache: bool = NoCacheOption,
    as_json: bool = JsonOption,
) -> None:
    """Rank experiments: every two compared on every sample, in both orders. Ranking again updates.

    Exit code 1 when the judge goes by the place in which an answer stands.
    """
    from vlmops.blocking import blocking
    from vlmops.cli.grid import print_grid
    from vlmops.cli.judge_tables import asked_pairs, control_table, ranking_grids, tournament_json
    from vlmops.judges import compare_answers, record_tournament
    from vlmops.judges.audit import place_controls

    _require_two(experiment)
    made = made_pairwise(judge)
    records = experiment_records(experiment, dataset, on, url)
    _require_two([each.id for each in records.values()])
    answers = {variant: first_answers(each) for variant, each in records.items()}
    pairs = shared_pairs(answers)
    announce(made.models[0], 2 * len(pairs), pair_requests(made, pairs), quiet=as_json)
    with (
        model_care(budget=budget, fresh=fresh, no_cache=no_cache) as engine,
        measured("comparing", quiet=as_json) as bar,
    ):
        found = compare_answers(
            made.asking(engine.model),
            answers,
            concurrency=concurrency,
            progress=None if bar is None else lambda done: bar(done, len(pairs)),
        )
    controls = place_controls([pair.judgment for pair in asked_pairs(found)])
    if record:
        platform, ids = connected(on, url), {variant: each.id for variant, each in records.items()}
        blocking(lambda: record_tournament(platform, found, ids), platform)
    if as_json:
        print_json(tournament_json(found))
    else:
        out = console()
        for grid in ranking_grids(found):
            print_grid(out, grid)
        out.print(control_table(controls))
    if failed := [control.name for control in controls if control.passed is False]:
        sys.stderr.write(f"not trusted: {made.name} goes by the place of an answer: {', '.join(failed)}\n")
        raise typer.Exit(ExitCode.GATE_FAILED)
    if any(duel.failures for duel in found.duels):
        raise typer.Exit(ExitCode.SOME_FAILED)


def _require_two(experiments: Sequence[str]) -> None:
    """Raise unless there are two; what is found by name or tag may be the same one twice."""
    from vlmops.experiments import ExperimentSelector

    ids = [each for each in experiments if ExperimentSelector.parse(each).kind == "id"]
    if len(experiments) < 2 or len(set(ids)) < len(ids):
        raise UsageError("name two different experiments at least, each by --experiment")
