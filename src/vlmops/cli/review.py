"""``vlmops review``: send cases to people, and bring back what they said."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from vlmops.cli.compare import EXPERIMENT_HELP, DatasetOption, read_experiments
from vlmops.cli.exit_codes import ExitCode
from vlmops.cli.judge_cases import made_judge
from vlmops.cli.options import PlatformOption, UrlOption, connected
from vlmops.cli.output import JsonOption, console, measured, print_failures, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.platforms import Question, ReviewReport
    from vlmops.reviews import ChosenCase, CollectedReviews, LabelChanges, ReviewRule

app = typer.Typer(
    help="People as judges: send cases to them, bring their verdicts back.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

ExperimentArgument = typer.Argument(help=f"Whose answers: {EXPERIMENT_HELP}.")
QueueOption = typer.Option(..., "--queue", help="Name of the queue; on Langfuse its annotation queue.")


@app.command("send")
def send_command(
    experiment: str = ExperimentArgument,
    queue: str = QueueOption,
    ask: list[str] = typer.Option(
        [],
        "--ask",
        help="What to ask: NAME (pass or fail), NAME=1..5, NAME=dent,scratch; repeatable.",
    ),
    judge: str | None = typer.Option(
        None, "--judge", help="Ask what this judge was asked, under its scores' names: NAME or NAME={json}."
    ),
    disagreement: list[str] = typer.Option(
        [], "--disagreement", help="Cases on which the judges of this panel disagree; its score's name."
    ),
    unsure: list[str] = typer.Option(
        [], "--unsure", help="Cases of which this judge is not sure, or abstained; its score's name."
    ),
    contradiction: list[str] = typer.Option(
        [], "--contradiction", help="Where judge and metric contradict: 'grounded=true,cer<=0.1'."
    ),
    failed: bool = typer.Option(False, "--failed", help="Answers and evaluations that failed."),
    random: float | None = typer.Option(
        None, "--random", help="A random share of all answers, above 0 to 1: for labels that stand for all."
    ),
    seed: int = typer.Option(0, "--seed", help="Another seed, another random share."),
    limit: int | None = typer.Option(None, "--limit", min=1, help="At most so many cases; rules take turns."),
    blind: bool = typer.Option(False, "--blind", help="Do not tell reviewers what judges said."),
    description: str = typer.Option("", "--description", help="Of a new queue, for people."),
    dataset: str | None = DatasetOption,
    on: str = PlatformOption,
    url: str | None = UrlOption,
    dry_run: bool = typer.Option(False, "--dry-run", help="Say which cases and why, and send nothing."),
    as_json: bool = JsonOption,
) -> None:
    """Send cases of an experiment to people. Run again, it adds what is new; nothing is sent twice."""
    from vlmops.platforms import ReviewQueue
    from vlmops.reviews import choose, require_scores, send_for_review
    from vlmops.reviews.sending import reviews_of

    rules = _rules(disagreement, unsure, contradiction, failed=failed, random=random, seed=seed)
    asked = ReviewQueue(queue, _questions(ask, judge), description)
    platform = connected(on, url)
    reviews_of(platform)
    (record,) = read_experiments(platform, [experiment], dataset)
    require_scores(record.runs, rules)
    chosen = choose(record.runs, rules, limit=limit)
    if dry_run:
        _print_chosen(chosen, len(record.runs), as_json)
        return
    with measured("sending", quiet=as_json) as progress:
        report = send_for_review(platform, asked, chosen, blind=blind, progress=progress)
    _print_sent(report, chosen, as_json)
    if report.failures:
        raise typer.Exit(ExitCode.SOME_FAILED)


@app.command("collect")
def collect_command(
    experiment: str = ExperimentArgument,
    queue: str = QueueOption,
    output: Path = typer.Option(
        ..., "--output", help="File of labels to write or add to, .jsonl or .csv, for 'judges calibrate'."
    ),
    question: str | None = typer.Option(
        None, "--question", help="Which question, where the queue asks several."
    ),
    rule: str | None = typer.Option(
        None, "--rule", help="Only cases that this rule chose: random, disagreement, ..."
    ),
    dataset: str | None = DatasetOption,
    on: str = PlatformOption,
    url: str | None = UrlOption,
    as_json: bool = JsonOption,
) -> None:
    """Bring back what people said. Run again, it adds what is new or changed and loses nothing."""
    from vlmops.reviews import collect_reviews, update_labels
    from vlmops.reviews.label_file import require_form

    require_form(output)
    platform = connected(on, url)
    (record,) = read_experiments(platform, [experiment], dataset)
    found = collect_reviews(platform, record, queue, question=question, rule=rule)
    changes = update_labels(output, found.labels)
    _print_collected(found, changes, output, as_json)


def _questions(ask: Sequence[str], judge: str | None) -> list[Question]:
    from vlmops.errors import UsageError
    from vlmops.reviews import parse_question, questions_of

    questions = [parse_question(text) for text in ask]
    if judge is not None:
        made = made_judge(judge)
        questions += questions_of(made.rubric, made.name)
    if not questions:
        raise UsageError("say what to ask the reviewers: --ask NAME, or --judge for a judge's own rubric")
    return questions


def _rules(
    disagreement: Sequence[str],
    unsure: Sequence[str],
    contradiction: Sequence[str],
    *,
    failed: bool,
    random: float | None,
    seed: int,
) -> list[ReviewRule]:
    from vlmops.errors import UsageError
    from vlmops.reviews import Disagreement, Failed, RandomShare, Unsure

    rules: list[ReviewRule] = [Disagreement(name) for name in disagreement]
    rules += [Unsure(name) for name in unsure]
    rules += [_contradiction(text) for text in contradiction]
    rules += [Failed()] if failed else []
    rules += [RandomShare(random, seed)] if random is not None else []
    if not rules:
        raise UsageError(
            "say which cases to send: --disagreement PANEL, --unsure JUDGE, --contradiction JUDGE,METRIC, "
            "--failed, --random SHARE"
        )
    return rules


def _contradiction(text: str) -> ReviewRule:
    from vlmops.errors import UsageError
    from vlmops.platforms import ScoreCondition
    from vlmops.reviews import Contradiction

    parts = text.split(",")
    if len(parts) != 2:
        raise UsageError(
            f"--contradiction takes when judge and metric are content, as in 'grounded=true,cer<=0.1'; "
            f"not {text!r}"
        )
    judge, metric = (ScoreCondition.parse(part) for part in parts)
    return Contradiction(judge, metric)


def _print_chosen(chosen: Sequence[ChosenCase], answers: int, as_json: bool) -> None:
    from rich.table import Table

    if as_json:
        print_json([{"id": case.run.case.id, "rules": case.rules, "why": case.why} for case in chosen])
        return
    table = Table()
    for column in ("case", "rules", "why"):
        table.add_column(column)
    for case in chosen:
        table.add_row(case.run.case.id, ", ".join(case.rules), case.why)
    out = console()
    out.print(table)
    out.print(f"{len(chosen)} of {answers} answers would be sent")


def _print_sent(report: ReviewReport, chosen: Sequence[ChosenCase], as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    out = console()
    out.print(f"{report.requested} sent for review, {report.present} there already, of {len(chosen)} chosen")
    if chosen:
        out.print(f"review at {report.url}")
    if chosen and report.filter:
        out.print(f"which is filtered by {report.filter}")
    print_failures(report.failures)


def _print_collected(found: CollectedReviews, changes: LabelChanges, output: Path, as_json: bool) -> None:
    if as_json:
        shown: dict[str, Any] = {
            "question": found.question,
            "requested": found.requested,
            "open": found.open,
            "labelled": len(found.labels),
            "disputed": found.disputed,
            "unanswered": found.unanswered,
            "file": changes,
        }
        print_json(shown)
        return
    out = console()
    labelled = len(found.labels)
    out.print(f"{found.question}: {found.requested} requested, {labelled} labelled, {found.open} still open")
    own = f", {changes.own} left as you wrote them" if changes.own else ""
    out.print(
        f"{output}: {changes.added} added, {changes.changed} changed, {changes.unchanged} unchanged{own}; "
        f"{changes.total} labels"
    )
    if found.disputed:
        sys.stderr.write(f"no majority: {', '.join(found.disputed)}\n")
    if found.unanswered:
        sys.stderr.write(f"completed without an answer: {', '.join(found.unanswered)}\n")
