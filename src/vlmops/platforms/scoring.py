"""Scoring what a platform has recorded: read executions, evaluate, write scores back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

from vlmops.blocking import blocking
from vlmops.concurrency import batches, map_each
from vlmops.evaluators import (
    Case,
    Evaluator,
    Failure,
    FailureKind,
    annotator_of,
    applies,
    evaluate_in_thread,
)
from vlmops.platforms.records import Execution, ExecutionQuery, TargetedScore

if TYPE_CHECKING:
    from vlmops.platforms.outcome import ItemFailure
    from vlmops.platforms.port import Platform

_BATCH = 100
_CONCURRENCY = 8

Adjust = Callable[[Case], Case]
"""Changes a case before it is evaluated, e.g. to add what was expected."""


@dataclass
class ScoringReport:
    """What came of scoring recorded executions.

    Attributes:
        executions: How many were read.
        written: Scores that the platform confirmed.
        not_applicable: Pairs of execution and evaluator where the evaluator had nothing to say, by evaluator:
            nothing is recorded of what was expected, for one.
        evaluator_failures: Evaluations without a score, by evaluator and kind.
        failures: Scores the platform did not accept.
    """

    executions: int = 0
    written: int = 0
    not_applicable: Counter[str] = field(default_factory=Counter)
    evaluator_failures: Counter[tuple[str, FailureKind]] = field(default_factory=Counter)
    failures: list[ItemFailure] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every evaluation gave a score that was written."""
        return not self.failures and not self.evaluator_failures


def score_executions(
    platform: Platform,
    query: ExecutionQuery,
    evaluators: Sequence[Evaluator],
    *,
    adjust: Adjust | None = None,
    progress: Callable[[int], None] | None = None,
) -> ScoringReport:
    """Score recorded executions; blocking form of :func:`score_executions_async`."""
    return blocking(
        lambda: score_executions_async(platform, query, evaluators, adjust=adjust, progress=progress),
        platform,
    )


async def score_executions_async(
    platform: Platform,
    query: ExecutionQuery,
    evaluators: Sequence[Evaluator],
    *,
    adjust: Adjust | None = None,
    progress: Callable[[int], None] | None = None,
) -> ScoringReport:
    """Evaluate recorded executions and write the scores to them.

    Scores have fixed identifiers: doing it again updates them and doubles none. Executions are streamed; at
    most one batch is in memory.

    Raises:
        PlatformError: The project is not there, or the platform broke down; run it again.
    """
    report = ScoringReport()
    async for batch in batches(platform.executions.read(query), _BATCH):
        scores = await _evaluate_all(batch, evaluators, adjust, report)
        outcome = await platform.scores.write(scores) if scores else None
        report.executions += len(batch)
        if outcome is not None:
            report.written += outcome.written
            report.failures.extend(outcome.failures)
        if progress is not None:
            progress(report.executions)
    return report


async def _evaluate_all(
    batch: Sequence[Execution], evaluators: Sequence[Evaluator], adjust: Adjust | None, report: ScoringReport
) -> list[TargetedScore]:
    async def one(pair: tuple[Execution, Evaluator]) -> list[TargetedScore]:
        execution, evaluator = pair
        case = adjust(execution.case) if adjust is not None else execution.case
        if not applies(evaluator, case):
            report.not_applicable[evaluator.name] += 1
            return []
        result = await evaluate_in_thread(evaluator, case)
        if isinstance(result, Failure):
            report.evaluator_failures[(evaluator.name, result.kind)] += 1
            return []
        scores = result if isinstance(result, list) else [result]
        given_by, moment = annotator_of(evaluator), execution.started_at
        return [TargetedScore(execution.target, score, given_by, moment) for score in scores]

    found = await map_each(product(batch, evaluators), one, limit=_CONCURRENCY)
    return [score for scores in found for score in scores]
