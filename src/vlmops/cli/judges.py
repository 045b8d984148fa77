"""``vlmops judges``: which there are, and what people say of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from vlmops.cli.compare import EXPERIMENT_HELP, DatasetOption
from vlmops.cli.exit_codes import ExitCode
from vlmops.cli.judge_audits import audit_command
from vlmops.cli.judge_calls import announce_single
from vlmops.cli.judge_cases import PAIRWISE, annotated, answered_cases, human_verdicts, made_single
from vlmops.cli.judge_platforms import deploy_command, publish_command
from vlmops.cli.judge_ranking import rank_command
from vlmops.cli.model_care import BudgetOption, FreshOption, NoCacheOption, model_care
from vlmops.cli.options import PlatformOption, UrlOption
from vlmops.cli.output import JsonOption, console, measured, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.evaluators import Case, Failure, Score
    from vlmops.judges import Judge, Panel

app = typer.Typer(
    help="Models as judges: list, audit, calibrate, rank, publish, deploy.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("audit")(audit_command)
app.command("rank")(rank_command)
app.command("publish")(publish_command)
app.command("deploy")(deploy_command)

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
    from vlmops.judges import PairwiseJudge

    chosen = [entry for entry in entries() if not entry.error and _is_judge(entry.load())]
    known = {entry.name: entry.summary for entry in chosen}
    known[PAIRWISE] = (PairwiseJudge.__doc__ or "").partition("\n")[0].replace("``", "")
    if as_json:
        print_json([{"name": name, "summary": summary} for name, summary in known.items()])
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, summary in known.items():
        table.add_row(name, summary)
    console().print(table)


@app.command("calibrate")
def calibrate_command(
    judge: str = JudgeArgument,
    cases: Path | None = CasesOption,
    experiment: str | None = typer.Option(
        None, "--experiment", help=f"Or the answers of an experiment: {EXPERIMENT_HELP}."
    ),
    dataset: str | None = DatasetOption,
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

    made = made_single(judge)
    answered = answered_cases(cases, experiment, dataset, on, url, limit)
    said = human_verdicts(answered, labels)
    if human is not None:
        said = annotated(experiment, dataset, on, url, human, project)
    if not said:
        raise _usage("say what people said: --labels FILE, --human NAME, or 'human' in the cases")
    announce_single(made, answered.cases, len(answered.cases), quiet=as_json)
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
        if found.warning:
            out.print(f"warning: {found.warning}")
    if found.failures:
        raise typer.Exit(ExitCode.SOME_FAILED)


def _is_judge(cls: type) -> bool:
    from vlmops.judges import Judge, Panel

    return issubclass(cls, Judge | Panel)


def _judged(
    judge: Judge | Panel, cases: Sequence[Case], score: str | None, concurrency: int, bar: Any
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


def _usage(message: str) -> Exception:
    from vlmops.errors import UsageError

    return UsageError(message)
