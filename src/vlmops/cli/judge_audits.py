"""``vlmops judges audit``: whether a judge, of single answers or of pairs, can be trusted."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from vlmops.cli.compare import EXPERIMENT_HELP, DatasetOption
from vlmops.cli.exit_codes import ExitCode
from vlmops.cli.judge_calls import announce, announce_single, pair_requests, shared_pairs, spent
from vlmops.cli.judge_cases import (
    answered_cases,
    answers_to_compare,
    human_verdicts,
    made_any_judge,
    preferences,
)
from vlmops.cli.model_care import BudgetOption, FreshOption, NoCacheOption, model_care
from vlmops.cli.options import PlatformOption, UrlOption
from vlmops.cli.output import JsonOption, console, measured, print_json
from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from vlmops.engine import Engine
    from vlmops.evaluators import Case
    from vlmops.judges import AnsweredCases, Judge, PairwiseJudge
    from vlmops.judges.audit import AuditReport

    Progress = Callable[[int], None]

AuditedArgument = typer.Argument(
    help="Judge by name, with parameters as JSON after '=': 'judge_grounded={\"model\": \"openai:o3\"}', "
    '\'pairwise={"model": ..., "rubric": "better.toml"}\'; or a TOML file of them.'
)


def audit_command(
    judge: str = AuditedArgument,
    cases: list[Path] = typer.Option(
        [],
        "--cases",
        help="Answered cases: a table or manifest whose column 'output' holds the answer; two for pairs.",
    ),
    experiment: list[str] = typer.Option(
        [],
        "--experiment",
        help=f"Or the answers of an experiment: {EXPERIMENT_HELP}; two experiments for pairs.",
    ),
    dataset: str | None = DatasetOption,
    on: str = PlatformOption,
    url: str | None = UrlOption,
    labels: Path | None = typer.Option(
        None,
        "--labels",
        help="People's verdicts: .csv or .jsonl with 'id' and 'label'; of pairs first, second or tie.",
    ),
    family: str = typer.Option(
        "", "--family", help="Family of the judge's model, as 'family' in the cases has it."
    ),
    own: str = typer.Option(
        "", "--own", help="Of pairs, which come from the family of the judge's model: first or second."
    ),
    repeats: int = typer.Option(3, "--repeats", min=2, help="How often each case is judged as it is."),
    limit: int | None = typer.Option(None, "--limit", min=1, help="Only so many cases, the first."),
    concurrency: int = typer.Option(8, "--concurrency", min=1, help="Cases judged at once."),
    budget: float | None = BudgetOption,
    fresh: bool = FreshOption,
    no_cache: bool = NoCacheOption,
    output: Path | None = typer.Option(None, "--output", help="Write the report here; scores can carry it."),
    as_json: bool = JsonOption,
) -> None:
    """Find out whether a judge sees the picture and keeps to its rubric: exit code 1 when it does not."""
    from vlmops.judges import PairwiseJudge, Panel

    made = made_any_judge(judge)
    if isinstance(made, Panel):
        raise UsageError("a panel is as good as its members: audit each of them")
    audited: _Pairs | _Singles
    if isinstance(made, PairwiseJudge):
        if family:
            raise UsageError("--family is for single answers: of pairs, say which are its own: --own first")
        audited = _Pairs(
            made, answers_to_compare(cases, experiment, dataset, on, url, limit), labels, own, repeats
        )
    else:
        if len(cases) > 1 or len(experiment) > 1 or own:
            raise UsageError(f"{made.name} judges single answers: give one --cases or --experiment, no --own")
        one = cases[0] if cases else None, experiment[0] if experiment else None
        audited = _Singles(made, answered_cases(*one, dataset, on, url, limit), labels, family, repeats)
    calls = audited.announce(quiet=as_json)
    with (
        model_care(budget=budget, fresh=fresh, no_cache=no_cache) as engine,
        measured(f"auditing {made.name}", quiet=as_json) as bar,
    ):
        report = audited.audit(engine, concurrency, None if bar is None else lambda done: bar(done, calls))
    if output is not None:
        report.save(output)
    if as_json:
        print_json(asdict(report) | {"verdict": report.verdict})
    else:
        _print(report, engine)
    if report.failed:
        sys.stderr.write(f"not trusted: {report.judge} fails {', '.join(report.failed)}\n")
        raise typer.Exit(ExitCode.GATE_FAILED)
    if report.verdict != "trusted":
        raise typer.Exit(ExitCode.SOME_FAILED)


class _Singles:
    """The audit of a judge of single answers."""

    def __init__(
        self, judge: Judge, answered: AnsweredCases, labels: Path | None, family: str, repeats: int
    ) -> None:
        from vlmops.judges.audit.points import main_range
        from vlmops.judges.cases import shares_of

        self._judge, self._answered, self._family, self._repeats = judge, answered, family, repeats
        self._human = shares_of(human_verdicts(answered, labels), main_range(judge))

    def announce(self, *, quiet: bool) -> int:
        """Say how many calls it will be."""
        from vlmops.judges.audit import audit_calls

        cases = self._answered.cases
        calls = audit_calls(len(cases), repeats=self._repeats, labelled=bool(self._human))
        announce_single(self._judge, cases, calls, quiet=quiet)
        return calls

    def audit(self, engine: Engine, concurrency: int, progress: Progress | None) -> AuditReport:
        """Make them."""
        from vlmops.judges.audit import audit

        return audit(
            self._judge.asking(engine.model),
            self._answered.cases,
            labels=self._human or None,
            families=self._answered.families or None,
            own_family=self._family,
            repeats=self._repeats,
            concurrency=concurrency,
            progress=progress,
        )


class _Pairs:
    """The audit of a judge of pairs."""

    def __init__(
        self,
        judge: PairwiseJudge,
        answers: Mapping[str, Sequence[Case]],
        labels: Path | None,
        own: str,
        repeats: int,
    ) -> None:
        if own not in ("", "first", "second"):
            raise UsageError(f"--own is {own!r}: say first or second, in the order in which they are named")
        if own and labels is None:
            raise UsageError("--own needs to know what people prefer: --labels FILE")
        self._judge, self._own, self._repeats = judge, own, repeats
        self._pairs = shared_pairs(answers)
        if not self._pairs:
            raise UsageError("the two have no sample in common: their cases share no id")
        self._preferred = {} if labels is None else preferences(labels, self._pairs)

    def announce(self, *, quiet: bool) -> int:
        """Say how many calls it will be; gives how many verdicts, of two calls each."""
        from vlmops.judges.audit import audit_pairwise_calls

        calls = audit_pairwise_calls(len(self._pairs), repeats=self._repeats)
        announce(self._judge.models[0], calls, pair_requests(self._judge, self._pairs), quiet=quiet)
        return calls // 2

    def audit(self, engine: Engine, concurrency: int, progress: Progress | None) -> AuditReport:
        """Make them."""
        from vlmops.judges.audit import audit_pairwise

        return audit_pairwise(
            self._judge.asking(engine.model),
            self._pairs,
            preferred=self._preferred or None,
            own="first" if self._own == "first" else "second" if self._own else None,
            repeats=self._repeats,
            concurrency=concurrency,
            progress=progress,
        )


def _print(report: AuditReport, engine: Engine) -> None:
    from vlmops.cli.judge_tables import control_table

    out = console()
    out.print(control_table(report.controls))
    out.print(f"{report.judge} with {report.model}: {report.verdict}")
    if report.undecided:
        out.print(f"too few cases to decide: {', '.join(report.undecided)}; {_wanted(report.undecided)}")
    kept = f"{engine.tally.cached} kept answers used"
    out.print(f"{engine.tally.calls} calls, {kept}, {spent(report)}")


_NEEDED = {
    "blank_picture": "that the judge approves",
    "swapped_picture": "that the judge approves",
    "injected_answer": "that the judge rejects",
    "injected_picture": "that the judge rejects",
    "position": "on which the two differ",
    "consistency": "on which the two differ",
}
"""What the cases of a control must be; those of others may be any."""


def _wanted(controls: Sequence[str]) -> str:
    """The cases that would decide the controls."""
    kinds = dict.fromkeys(_NEEDED.get(control, "") for control in controls)
    wanted = " and ".join(kind for kind in kinds if kind) if all(kinds) else ""
    return f"audit on more cases{' ' * bool(wanted)}{wanted}"
