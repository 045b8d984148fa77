"""Evaluating the answers of an experiment, and keeping the scores on Langfuse."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vlmops.concurrency import for_each
from vlmops.errors import PlatformError, RunStopped
from vlmops.evaluators import Evaluator, Failure, Score, applies, evaluate_in_thread
from vlmops.models import recorded_calls
from vlmops.platforms.outcome import ScoreReport
from vlmops.platforms.records import TargetedScore
from vlmops_langfuse.score_bodies import MACHINE_KEY, from_row, given_by, score_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vlmops_langfuse.evaluation_traces import EvaluationTraces
    from vlmops_langfuse.native_runner import NativeRunner
    from vlmops_langfuse.runs import AnsweredItem
    from vlmops_langfuse.scores import LangfuseScores

FAILURE_SCORE = "failure"
"""Name of the categorical score that says why there is no answer."""

_CONCURRENCY = 8
_GROUP = 50
_NAMED = 3


@dataclass
class _Board:
    """One answer with what is said of it: scores that are there, by evaluator, and what comes new."""

    answered: AnsweredItem
    rows: Sequence[Mapping[str, Any]]
    fresh: dict[str, list[Score] | Failure] = field(default_factory=dict)

    def has(self, evaluator: str) -> bool:
        """Whether all scores of the evaluator are there."""
        own = [given_by(row)[1] for row in self.rows if given_by(row)[0] == evaluator]
        return bool(own) and len(own) >= own[0]

    @property
    def results(self) -> list[Score | Failure]:
        kept: list[Score | Failure] = [
            from_row(row)
            for row in self.rows
            if given_by(row)[0] not in self.fresh and row["name"] != FAILURE_SCORE
        ]
        for result in self.fresh.values():
            kept += [result] if isinstance(result, Failure) else result
        return kept

    @property
    def outgoing(self) -> list[TargetedScore]:
        answered = self.answered
        if isinstance(answered.case.output, Failure):
            failure = answered.case.output
            kind = Score(FAILURE_SCORE, failure.kind.value, failure.message, "none", None)
            return [TargetedScore(answered.span, kind, timestamp=answered.started)]
        return [
            TargetedScore(answered.span, _noted(score, name, len(result)), timestamp=answered.started)
            for name, result in self.fresh.items()
            if not isinstance(result, Failure)
            for score in result
        ]

    @property
    def outdated(self) -> list[str]:
        """Ids of scores that an evaluator gave before and gives no longer."""
        now = {score_id(item.target, item.score.name) for item in self.outgoing}
        return [
            str(row["id"]) for row in self.rows if given_by(row)[0] in self.fresh and row["id"] not in now
        ]


class LangfuseEvaluation:
    """Evaluates answers, writes their scores and traces the evaluations."""

    def __init__(self, scores: LangfuseScores, runner: NativeRunner, traces: EvaluationTraces) -> None:
        self._scores = scores
        self._runner = runner
        self._traces = traces

    async def results(
        self,
        answers: Sequence[AnsweredItem],
        scored: Sequence[AnsweredItem],
        evaluators: Sequence[Evaluator],
        *,
        again: bool = False,
        progress: Any = None,
    ) -> list[list[Score | Failure]]:
        """What is said of each answer, evaluating what has not been yet.

        Args:
            answers: All answers.
            scored: Those that may have scores already.
            evaluators: What scores them; failed answers are passed over.
            again: Evaluate anew what has been evaluated.
            progress: Told how many answers are done, of how many.

        Raises:
            PlatformError: Langfuse did not keep every score; run it again.
            RunStopped: An evaluator ended the run; what was evaluated until then is kept.
        """
        there = await self._rows(scored)
        boards = [_Board(each, there.get(each.span.id, [])) for each in answers]
        report = ScoreReport(0)
        for start in range(0, len(boards), _GROUP):
            group = boards[start : start + _GROUP]
            try:
                await self._evaluate(group, evaluators, again)
            except RunStopped:
                # What was judged until then is paid for.
                await self._keep(group)
                raise
            report = _sum(report, await self._keep(group))
            if progress is not None:
                progress(min(start + _GROUP, len(boards)), len(boards))
        await self._runner.flush()
        if report.failures:
            named = "; ".join(f"{each.id}: {each.message}" for each in report.failures[:_NAMED])
            raise PlatformError(
                f"{len(report.failures)} scores were not kept by Langfuse ({named}); run it again"
            )
        return [board.results for board in boards]

    async def kept(self, answers: Sequence[AnsweredItem]) -> list[list[Score | Failure]]:
        """The scores that Langfuse has of each answer."""
        there = await self._rows(answers)
        return [_Board(each, there.get(each.span.id, [])).results for each in answers]

    async def _rows(self, answers: Sequence[AnsweredItem]) -> dict[str, list[Mapping[str, Any]]]:
        found: dict[str, list[Mapping[str, Any]]] = {}
        for row in await self._scores.rows([each.span.trace_id for each in answers]):
            found.setdefault(str(row["subject"]["id"]), []).append(row)
        return found

    async def _evaluate(self, boards: Sequence[_Board], evaluators: Sequence[Evaluator], again: bool) -> None:
        async def one(pair: tuple[_Board, Evaluator]) -> None:
            board, evaluator = pair
            started = datetime.now(UTC)
            with recorded_calls() as calls:
                result = await evaluate_in_thread(evaluator, board.answered.case)
            scores = result if isinstance(result, Failure | list) else [result]
            board.fresh[evaluator.name] = scores
            await self._traces.record(board.answered, evaluator.name, scores, calls, started)

        wanted = (
            (board, evaluator)
            for board in boards
            for evaluator in evaluators
            if not board.answered.failed
            and applies(evaluator, board.answered.case)
            and (again or not board.has(evaluator.name))
        )
        await for_each(wanted, one, limit=_CONCURRENCY)

    async def _keep(self, boards: Sequence[_Board]) -> ScoreReport:
        self._scores.trust(board.answered.span for board in boards)
        report = await self._scores.write([item for board in boards for item in board.outgoing])
        await self._scores.delete([identity for board in boards for identity in board.outdated])
        return report


def _noted(score: Score, evaluator: str, parts: int) -> Score:
    """With a note of who gave it, and with how many others: tells whether an evaluation was finished."""
    note = {"evaluator": evaluator, "parts": parts}
    return replace(score, metadata={**score.metadata, MACHINE_KEY: note})


def _sum(first: ScoreReport, second: ScoreReport) -> ScoreReport:
    return ScoreReport(first.written + second.written, [*first.failures, *second.failures])
