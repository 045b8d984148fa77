"""Reviews of a platform in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vlmops.errors import UsageError
from vlmops.platforms.outcome import ItemFailure
from vlmops.platforms.reviews import Question, Review, ReviewReport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from vlmops.platforms.records import Progress, ScoreTarget, TargetedScore
    from vlmops.platforms.reviews import ReviewQueue, ReviewRequest
    from vlmops.testing.memory import MemoryPlatform


@dataclass
class MemoryReviews:
    """Requests by queue and target; a review is done when people have answered all questions."""

    platform: MemoryPlatform
    questions: dict[str, Question] = field(default_factory=dict)
    queues: dict[str, ReviewQueue] = field(default_factory=dict)
    requests: dict[tuple[str, ScoreTarget], ReviewRequest] = field(default_factory=dict)

    async def request(
        self, queue: ReviewQueue, requests: Sequence[ReviewRequest], progress: Progress | None = None
    ) -> ReviewReport:
        """Keep those that are new."""
        for question in queue.questions:
            known = self.questions.setdefault(question.name, question)
            if (known.kind, known.range, known.labels) != (question.kind, question.range, question.labels):
                raise UsageError(f"{question.name!r} is asked as {known.kind} already")
        self.queues[queue.name] = queue
        new = present = 0
        failures: list[ItemFailure] = []
        for number, request in enumerate(requests, start=1):
            key = (queue.name, request.target)
            if request.target.kind == "run" or request.target.id.strip("0") == "":
                failures.append(ItemFailure(request.target.id, f"there is no such {request.target.kind}"))
            elif key in self.requests:
                present += 1
            else:
                new += 1
                self.requests[key] = request
            if progress is not None:
                progress(number, len(requests))
        return ReviewReport(new, present, failures, f"memory:{queue.name}")

    async def read(self, queue: str, targets: Sequence[ScoreTarget]) -> AsyncIterator[Review]:
        """Those that were requested."""
        asked = [question.name for question in self.queues[queue].questions] if queue in self.queues else []
        for target in targets:
            request = self.requests.get((queue, target))
            if request is not None:
                answers = [each for each in self._said(target) if each.score.name in asked]
                done = {each.score.name for each in answers} == set(asked)
                yield Review(target, done, asked, answers, request.why, request.rules)

    def _said(self, target: ScoreTarget) -> list[TargetedScore]:
        return [
            item
            for item in self.platform.given()
            if item.annotator == "HUMAN"
            and (item.target == target or (target.kind == "trace" and item.target.trace_id == target.id))
        ]
