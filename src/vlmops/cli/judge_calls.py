"""What a judge's calls will take, said before the first is made, and what they took."""

from __future__ import annotations

import sys
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from vlmops.evaluators import Case
    from vlmops.judges import Judge, PairwiseJudge, Panel
    from vlmops.judges.audit import AuditReport
    from vlmops.models import Model, ModelRequest

_LOOKED_AT = 5


def announce(model: Model, calls: int, examples: Iterable[ModelRequest], *, quiet: bool) -> None:
    """How many calls it will be, and about what they cost."""
    from vlmops.models.cards import CardEstimator

    if quiet:
        return
    costs = [CardEstimator().expected(model, request).cost for request in examples]
    known = [cost for cost in costs if cost is not None]
    about = f", about ${calls * sum(known) / len(known):.2f}" if known else ", at a price that is not known"
    sys.stderr.write(f"at most {calls} calls of {model.name}{about}\n")


def announce_single(judge: Judge | Panel, cases: Sequence[Case], calls: int, *, quiet: bool) -> None:
    """The same for a judge of single answers; of a panel for each member's model."""
    from vlmops.judges import Judge, Panel

    members = judge.judges if isinstance(judge, Panel) else [judge]
    for member in members:
        if isinstance(member, Judge):
            announce(member.models[0], calls, single_requests(member, cases), quiet=quiet)


def single_requests(judge: Judge, cases: Sequence[Case]) -> Iterator[ModelRequest]:
    """What would be asked of the first cases."""
    from vlmops.models import ModelRequest

    asked = (judge.request(case) for case in cases[:_LOOKED_AT])
    return (request for request in asked if isinstance(request, ModelRequest))


def pair_requests(judge: PairwiseJudge, pairs: Sequence[tuple[Case, Case]]) -> Iterator[ModelRequest]:
    """What would be asked of the first pairs."""
    from vlmops.models import ModelRequest

    asked = (judge.request(case, (case.output, other.output)) for case, other in pairs[:_LOOKED_AT])
    return (request for request in asked if isinstance(request, ModelRequest))


def shared_pairs(answers: Mapping[str, Sequence[Case]]) -> list[tuple[Case, Case]]:
    """Every two answers to one sample."""
    found: list[tuple[Case, Case]] = []
    for first, second in combinations(answers.values(), 2):
        others = {case.id: case for case in second}
        found += [(case, others[case.id]) for case in first if case.id in others]
    return found


def spent(report: AuditReport) -> str:
    """What an audit cost, and of how many verdicts that is not known."""
    if report.cost is None:
        return "cost not known"
    more = f" and {report.unpriced} verdicts of unknown cost" if report.unpriced else ""
    return f"${report.cost:.4f}{more}"
