"""What ``vlmops judges`` finds, as tables for people and as JSON for machines."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from vlmops.cli.grid import Grid
    from vlmops.evaluators.score import Interval
    from vlmops.judges import Calibration, JudgedPair, Tournament
    from vlmops.judges.audit import Control

_VERDICTS = {True: "passed", False: "FAILED", None: "too few cases"}


def control_table(controls: Sequence[Control]) -> Table:
    """A row a control: what was measured, its limit, and the verdict."""
    from rich.table import Table

    table = Table()
    for column in ("control", "value", "limit", "n", "verdict", "what it is"):
        table.add_column(column, overflow="fold")
    for control in controls:
        failures = "".join(f", {count} {kind}" for kind, count in control.failures.items())
        sign = "≥" if control.name == "consistency" else "≤"
        table.add_row(
            control.name,
            _figure(control.value, control.interval),
            f"{sign} {control.limit:g}" if control.name != "answer_only" else "> 0",
            f"{control.n}{failures}",
            _VERDICTS[control.passed],
            control.explanation,
        )
    return table


def calibration_tables(judge: str, found: Calibration) -> Iterator[Table]:
    """The figures, and how often people said what where the judge said what."""
    from rich.table import Table

    table = Table(title=f"{judge} and people on {found.n} cases ({found.kind})")
    for column in ("figure", "value"):
        table.add_column(column)
    named = {"agreement": found.agreement, "kappa": found.kappa, **found.correlation}
    named |= {
        name: each
        for name, each in (
            ("bias", found.bias),
            ("sensitivity", found.sensitivity),
            ("specificity", found.specificity),
        )
        if each is not None
    }
    for name, measured in named.items():
        table.add_row(name, _figure(measured.value, measured.interval))
    what = "pass rate" if found.kind == "pass/fail" else "mean"
    if found.uncorrected is not None:
        table.add_row(f"{what} as judged", f"{found.uncorrected:.3f}")
        if found.corrected is None:
            table.add_row(f"{what} corrected", "its errors do not allow an estimate")
        else:
            table.add_row(f"{what} corrected", _figure(found.corrected.value, found.corrected.interval))
    for kind, count in found.failures.items():
        table.add_row(f"no verdict: {kind}", str(count))
    yield table
    columns = list(dict.fromkeys(sorted((told for _, told in found.confusion), key=str)))
    confusion = Table(title="people (rows) and judge (columns)")
    confusion.add_column("")
    for told in columns:
        confusion.add_column(str(told), justify="right")
    for truth in dict.fromkeys(sorted((truth for truth, _ in found.confusion), key=str)):
        confusion.add_row(str(truth), *(str(found.confusion.get((truth, told), 0)) for told in columns))
    yield confusion


def calibration_json(found: Calibration) -> dict[str, Any]:
    """Pairs of verdicts are no keys of JSON: the confusion is a list."""
    pairs = [
        {"human": truth, "judge": told, "count": count} for (truth, told), count in found.confusion.items()
    ]
    return {**asdict(found), "confusion": pairs}


def ranking_grids(found: Tournament) -> Iterator[Grid]:
    """The ratings, best first, and every duel."""
    from vlmops.cli.grid import Grid, GridRow

    rated = [
        GridRow(each.variant, [_figure(each.rating, each.interval, digits=0), str(each.n)])
        for each in found.ratings
    ]
    above = "Bradley-Terry ratings: 1000 on average, 400 apart at odds of ten to one"
    yield Grid(["experiment", "rating", "comparisons"], [rated], above)
    duels = [
        GridRow(
            f"{duel.first} against {duel.second}",
            [
                f"{duel.wins} / {duel.losses} / {duel.ties}",
                _figure(duel.win_rate.value, duel.win_rate.interval),
                _figure(duel.consistency.value, duel.consistency.interval),
                ", ".join(f"{kind.value}: {count}" for kind, count in duel.failures.items()) or "0",
                str(found.unpaired.get((duel.first, duel.second), 0)),
            ],
        )
        for duel in found.duels
    ]
    head = ["duel", "won / lost / tied", "win rate", "consistency", "no verdict", "unpaired"]
    yield Grid(head, [duels], "both orders; a win is one from both places")


def asked_pairs(found: Tournament) -> list[JudgedPair]:
    """The pairs on which the judge was asked: equal answers are ties without it."""
    return [pair for pair in found.pairs if pair.case.output != pair.other.output]


def tournament_json(found: Tournament) -> dict[str, Any]:
    """Ratings and duels, whether the judge goes by place, and who won which sample."""
    from vlmops.judges.audit import place_controls

    return {
        "judge": found.judge,
        "ratings": found.ratings,
        "duels": [
            {
                **asdict(duel),
                "failures": {kind.value: count for kind, count in duel.failures.items()},
                "unpaired": found.unpaired.get((duel.first, duel.second), 0),
            }
            for duel in found.duels
        ],
        "controls": place_controls([pair.judgment for pair in asked_pairs(found)]),
        "pairs": [
            {
                "id": pair.case.id,
                "first": pair.first,
                "second": pair.second,
                "score": pair.score_of(pair.first),
                "consistent": pair.judgment.consistent,
                "reasons": pair.judgment.reasons,
            }
            for pair in found.pairs
        ],
    }


def _figure(value: float, interval: Interval | None, digits: int = 3) -> str:
    if math.isnan(value):
        return "undefined"
    shown = f"{value:.{digits}f}"
    if interval is None or math.isnan(interval.low):
        return shown
    return f"{shown} [{interval.low:.{digits}f}, {interval.high:.{digits}f}]"
