"""``vlmops judges``: which there are, whether one can be trusted, and ranking experiments by one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from vlmops.cli.exit_codes import ExitCode
from vlmops.cli.judge_cases import (
    annotated,
    answered_cases,
    experiment_records,
    first_answers,
    human_verdicts,
    made_judge,
)
from vlmops.cli.model_care import BudgetOption, FreshOption, NoCacheOption, model_care
from vlmops.cli.options import PlatformOption, UrlOption, connected
from vlmops.cli.output import JsonOption, console, measured, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vlmops.evaluators import Case, Failure, Score
    from vlmops.judges import Judge
    from vlmops.models import Model

app = typer.Typer(
    help="Models as judges: list, audit, calibrate, rank.", no_args_is_help=True, rich_markup_mode=None
)

JudgeArgument = typer.Argument(
    help="Judge by name, with parameters as JSON after '=': 'judge_grounded={\"model\": \"openai:gpt-4.1\"}'."
)
CasesOption = typer.Option(
    None, "--cases", help="Answered cases: a table or manifest whose column 'output' holds the answer."
)
LabelsOption = typer.Option(None, "--labels", help="People's verdicts: .csv or .jsonl with 'id' and 'label'.")
ConcurrencyOption = typer.Option(8, "--concurrency", min=1, help="Cases judged at once.")


@app.command("list")
def list_command(as_json: bool = JsonOption) -> None:
    """List the judges that are known by name."""
    from rich.table import Table

    from vlmops.evaluators import entries

    chosen = [entry for entry in entries() if not entry.error and _is_judge(entry.load())]
    if as_json:
        print_json([{"name": entry.name, "summary": entry.summary} for entry in chosen])
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for entry in chosen:
        table.add_row(entry.name, entry.summary)
    console().print(table)


@app.command("audit")
def audit_command(
    judge: str = JudgeArgument,
    cases: Path | None = CasesOption,
    experiment: str | None = typer.Option(
        None, "--experiment", help="Or the answers of an experiment: its id."
    ),
    on: str = PlatformOption,
    url: str | None = UrlOption,
    labels: Path | None = LabelsOption,
    family: str = typer.Option(
        "", "--family", help="Family of the judge's model, as 'family' in the cases has it."
    ),
    repeats: int = typer.Option(3, "--repeats", min=2, help="How often each case is judged as it is."),
    limit: int | None = typer.Option(None, "--limit", min=1, help="Only so many cases, the first."),
    concurrency: int = ConcurrencyOption,
    budget: float | None = BudgetOption,
    fresh: bool = FreshOption,
    no_cache: bool = NoCacheOption,
    output: Path | None = typer.Option(None, "--output", help="Write the report here; scores can carry it."),
    as_json: bool = JsonOption,
) -> None:
    """Find out whether a judge sees the picture and keeps to its rubric: exit code 1 when it does not."""
    from dataclasses import asdict

    from vlmops.cli.judge_tables import control_table
    from vlmops.judges.audit import audit, audit_calls
    from vlmops.judges.audit.points import main_range
    from vlmops.judges.cases import shares_of

    made = made_judge(judge)
    answered = answered_cases(cases, experiment, on, url, limit)
    human = shares_of(human_verdicts(answered, labels), main_range(made))
    calls = audit_calls(len(answered.cases), repeats=repeats, labelled=bool(human))
    _announce(made.models[0], calls, _requests(made, answered.cases), quiet=as_json)
    with (
        model_care(budget=budget, fresh=fresh, no_cache=no_cache) as engine,
        measured(f"auditing {made.name}", quiet=as_json) as bar,
    ):
        report = audit(
            made.asking(engine.model),
            answered.cases,
            labels=human or None,
            families=answered.families or None,
            own_family=family,
            repeats=repeats,
            concurrency=concurrency,
            progress=None if bar is None else lambda done: bar(done, calls),
        )
    if output is not None:
        report.save(output)
    if as_json:
        print_json(asdict(report) | {"verdict": report.verdict})
    else:
        out = console()
        out.print(control_table(report.controls))
        out.print(f"{report.judge} with {report.model}: {report.verdict}")
        if report.undecided:
            out.print(f"too few cases to decide: {', '.join(report.undecided)}")
        kept = f"{engine.tally.cached} kept answers used"
        out.print(f"{engine.tally.calls} calls, {kept}, {_dollars(report.cost)}")
    if report.failed:
        sys.stderr.write(f"not trusted: {report.judge} fails {', '.join(report.failed)}\n")
        raise typer.Exit(ExitCode.GATE_FAILED)
    if report.verdict != "trusted":
        raise typer.Exit(ExitCode.SOME_FAILED)


@app.command("calibrate")
def calibrate_command(
    judge: str = JudgeArgument,
    cases: Path | None = CasesOption,
    experiment: str | None = typer.Option(
        None, "--experiment", help="Or the answers of an experiment: its id."
    ),
    on: str = PlatformOption,
    url: str | None = UrlOption,
    labels: Path | None = LabelsOption,
    human: str | None = typer.Option(
        None, "--human", help="Name under which people annotated the experiment's answers on the platform."
    ),
    project: str | None = typer.Option(None, "--project", help="Project of the experiment's traces."),
    score: str | None = typer.Option(
        None, "--score", help="Which of the judge's several scores; the one for the whole otherwise."
    ),
    limit: int | None = typer.Option(None, "--limit", min=1, help="Only so many cases, the first."),
    concurrency: int = ConcurrencyOption,
    budget: float | None = BudgetOption,
    fresh: bool = FreshOption,
    no_cache: bool = NoCacheOption,
    as_json: bool = JsonOption,
) -> None:
    """Compare a judge with people: agreement, bias, and the pass rate corrected for its errors."""
    from vlmops.cli.judge_tables import calibration_json, calibration_tables
    from vlmops.evaluators import picture_clusters
    from vlmops.judges import calibrate

    made = made_judge(judge)
    answered = answered_cases(cases, experiment, on, url, limit)
    said = human_verdicts(answered, labels)
    if human is not None:
        said = annotated(experiment, on, url, human, project)
    if not said:
        raise _usage("say what people said: --labels FILE, --human NAME, or 'human' in the cases")
    _announce(made.models[0], len(answered.cases), _requests(made, answered.cases), quiet=as_json)
    with (
        model_care(budget=budget, fresh=fresh, no_cache=no_cache) as engine,
        measured(f"judging with {made.name}", quiet=as_json) as bar,
    ):
        judged = _judged(made.asking(engine.model), answered.cases, score, concurrency, bar)
    clusters = dict(zip((case.id for case in answered.cases), picture_clusters(answered.cases), strict=True))
    found = calibrate(judged, said, clusters)
    if as_json:
        print_json(calibration_json(found))
    else:
        out = console()
        for table in calibration_tables(made.name, found):
            out.print(table)
    if found.failures:
        raise typer.Exit(ExitCode.SOME_FAILED)


@app.command("rank")
def rank_command(
    experiment: list[str] = typer.Option(..., "--experiment", help="Id of an experiment; two at least."),
    judge_model: str = typer.Option(..., "--judge-model", help="Model by name, or as JSON with its options."),
    question: str = typer.Option("Which answer is better?", "--question", help="What is compared."),
    criteria: str = typer.Option(
        "", "--criteria", help="What makes an answer better, what counts for nothing."
    ),
    name: str = typer.Option("preference", "--name", help="Name of the scores."),
    key: str | None = typer.Option(None, "--key", help="Dotted path of the part of the answers to compare."),
    view: str | None = typer.Option(
        None, "--view", help='What of a case is shown, as JSON: {"expected": true}.'
    ),
    on: str = PlatformOption,
    url: str | None = UrlOption,
    record: bool = typer.Option(True, "--record/--no-record", help="Write the results to the experiments."),
    concurrency: int = ConcurrencyOption,
    budget: float | None = BudgetOption,
    fresh: bool = FreshOption,
    no_cache: bool = NoCacheOption,
    as_json: bool = JsonOption,
) -> None:
    """Rank experiments: every two compared on every sample, in both orders. Ranking again updates.

    Exit code 1 when the judge goes by the place in which an answer stands.
    """
    from vlmops.blocking import blocking
    from vlmops.cli.judge_tables import asked_pairs, control_table, ranking_tables, tournament_json
    from vlmops.judges import PairwiseJudge, compare_answers, record_tournament
    from vlmops.judges.audit import place_controls
    from vlmops.judges.model_judge import named_model
    from vlmops.judges.rubric_file import view_of
    from vlmops.models import ModelRequest

    if len(experiment) < 2 or len(set(experiment)) < len(experiment):
        raise _usage("name two different experiments at least, each by --experiment")
    judge = PairwiseJudge(
        name=name,
        model=named_model(_model_of(judge_model)),
        question=question,
        criteria=criteria,
        key=key,
        view=view_of(_json(view, "--view") if view else {}),
    )
    records = experiment_records(experiment, on, url)
    answers = {variant: first_answers(each) for variant, each in records.items()}
    total = sum(1 for _ in _shared(answers))
    asked = [
        judge.request(case, (case.output, case.output)) for case in next(iter(answers.values()))[:_LOOKED_AT]
    ]
    _announce(
        judge.models[0], 2 * total, (each for each in asked if isinstance(each, ModelRequest)), quiet=as_json
    )
    with (
        model_care(budget=budget, fresh=fresh, no_cache=no_cache) as engine,
        measured("comparing", quiet=as_json) as bar,
    ):
        found = compare_answers(
            judge.asking(engine.model),
            answers,
            concurrency=concurrency,
            progress=None if bar is None else lambda done: bar(done, total),
        )
    controls = place_controls([pair.judgment for pair in asked_pairs(found)])
    if record:
        platform, ids = connected(on, url), {variant: each.id for variant, each in records.items()}
        blocking(lambda: record_tournament(platform, found, ids), platform)
    if as_json:
        print_json(tournament_json(found))
    else:
        out = console()
        for table in ranking_tables(found):
            out.print(table)
        out.print(control_table(controls))
    if failed := [control.name for control in controls if control.passed is False]:
        sys.stderr.write(f"not trusted: {name} goes by the place of an answer: {', '.join(failed)}\n")
        raise typer.Exit(ExitCode.GATE_FAILED)
    if any(duel.failures for duel in found.duels):
        raise typer.Exit(ExitCode.SOME_FAILED)


def _is_judge(cls: type) -> bool:
    from vlmops.judges import Judge

    return issubclass(cls, Judge)


def _model_of(text: str) -> str | Mapping[str, Any]:
    found: str | Mapping[str, Any] = _json(text, "--judge-model") if text.startswith("{") else text
    return found


def _json(text: str, option: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise _usage(f"{option} is no JSON: {error}") from error


def _judged(
    judge: Judge, cases: Sequence[Case], score: str | None, concurrency: int, bar: Any
) -> dict[str, Score | Failure]:
    import asyncio

    from vlmops.concurrency import for_each
    from vlmops.evaluators import evaluate
    from vlmops.judges.audit.points import main_score

    found: dict[str, Score | Failure] = {}

    async def one(case: Case) -> None:
        result = await evaluate(judge, case)
        if isinstance(result, list):
            named = next((each for each in result if each.name in (score, f"{judge.name}.{score}")), None)
            if score is not None and named is None:
                raise _usage(
                    f"the judge gives no {score!r}; it gives {', '.join(each.name for each in result)}"
                )
            result = named or main_score(result)
        found[case.id] = result
        if bar is not None:
            bar(len(found), len(cases))

    asyncio.run(for_each(cases, one, limit=concurrency))
    return found


def _requests(judge: Judge, cases: Sequence[Case]) -> Iterator[Any]:
    from vlmops.models import ModelRequest

    return (made for case in cases[:_LOOKED_AT] if isinstance(made := judge.request(case), ModelRequest))


_LOOKED_AT = 5


def _announce(model: Model, calls: int, examples: Iterator[Any], quiet: bool) -> None:
    """How many calls it will be, and about what they cost, before the first is made."""
    from vlmops.models.cards import CardEstimator

    if quiet:
        return
    costs = [CardEstimator().expected(model, request).cost for request in examples]
    known = [cost for cost in costs if cost is not None]
    about = f", about ${calls * sum(known) / len(known):.2f}" if known else ", at a price that is not known"
    sys.stderr.write(f"at most {calls} calls of {model.name}{about}\n")


def _shared(answers: Mapping[str, Sequence[Case]]) -> Iterator[str]:
    from itertools import combinations

    for first, second in combinations(answers.values(), 2):
        yield from {case.id for case in first} & {case.id for case in second}


def _dollars(cost: float | None) -> str:
    return "cost not known" if cost is None else f"${cost:.4f}"


def _usage(message: str) -> Exception:
    from vlmops.errors import UsageError

    return UsageError(message)
