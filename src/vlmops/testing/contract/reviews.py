"""What must hold of reviews by people."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from vlmops.blocking import blocking
from vlmops.errors import UsageError
from vlmops.evaluators import Score
from vlmops.platforms import (
    ExecutionQuery,
    KeepsReviews,
    Question,
    ReviewQueue,
    ReviewRequest,
    ScoreTarget,
    TargetedScore,
)
from vlmops.testing.contract.base import Contract
from vlmops.testing.contract.evaluators import HALF, WHOLE
from vlmops.testing.contract.reading import executions_on, written
from vlmops.testing.pictures import picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.platforms import Execution, Platform, Review, ReviewReport

# The same names at each run: platforms keep what scores mean by name, and some never forget one.
RIGHT = Question("contract.right", text="Is it right?")
DETAIL = Question("contract.detail", "scale", "How detailed is it?", range=(1.0, 5.0))
DAMAGE = Question("contract.damage", "label", "Which damage is it?", labels=("none", "dent"))


class ReviewContract(Contract):
    """Requesting reviews, answering them, reading them back."""

    def finish_review(self, platform: Platform, queue: str, target: ScoreTarget) -> None:
        """Do what ends a review there beside answering; nothing by default."""

    def test_a_requested_case_comes_back_with_what_people_said(self, platform: Platform, name: str) -> None:
        target = self._trace(platform, name)
        report = requested(platform, self._queue(name), [self._request(target)])
        assert (report.requested, report.present, list(report.failures)) == (1, 0, [])
        (waiting,) = reviews_on(platform, name, [target])
        assert (waiting.target, waiting.done, list(waiting.answers)) == (target, False, [])
        assert (waiting.why, list(waiting.rules)) == (
            f'größer: "yes", <no> ✓ {WHOLE}',
            ["disagreement", "random"],
        )
        assert set(waiting.asked) == {"contract.right", "contract.detail", "contract.damage"}
        self._answer(platform, name, target)
        (reviewed,) = reviews_on(platform, name, [target])
        assert reviewed.done
        assert {each.score.name: each.score.value for each in reviewed.answers} == {
            "contract.right": True,
            "contract.detail": 4.0,
            "contract.damage": "dent",
        }
        assert {each.annotator for each in reviewed.answers} == {"HUMAN"}
        (right,) = (each for each in reviewed.answers if each.score.name == "contract.right")
        assert isinstance(right.score.value, bool)
        assert right.timestamp is not None

    def test_what_judges_say_is_no_answer_of_people(self, platform: Platform, name: str) -> None:
        execution = self._execution(platform, name)
        target = ScoreTarget("trace", execution.target.trace_id)
        requested(platform, self._queue(name), [self._request(target)])
        said = TargetedScore(execution.target, Score("contract.right", False), "LLM")
        assert written(platform, [said]).written == 1
        (review,) = reviews_on(platform, name, [target])
        assert (review.done, list(review.answers)) == (False, [])

    def test_a_case_is_put_into_a_queue_once(self, platform: Platform, name: str) -> None:
        target = self._trace(platform, name)
        requested(platform, self._queue(name), [self._request(target)])
        twice = [self._request(target), self._request(target)]
        again = requested(platform, self._queue(name), twice)
        assert (again.requested, again.present, list(again.failures)) == (0, 2, [])
        self._answer(platform, name, target)
        assert requested(platform, self._queue(name), twice).requested == 0
        (review,) = reviews_on(platform, name, [target])
        assert review.done, "what is reviewed stays so"

    def test_a_span_is_reviewed_as_a_trace_is(self, platform: Platform, name: str) -> None:
        target = self._execution(platform, name).target
        assert requested(platform, self._queue(name), [self._request(target)]).requested == 1
        self._answer(platform, name, target)
        (review,) = reviews_on(platform, name, [target])
        assert (review.target, review.done, len(review.answers)) == (target, True, 3)

    def test_what_cannot_be_reviewed_is_reported(self, platform: Platform, name: str) -> None:
        target = self._trace(platform, name)
        unknown = replace(target, id="0" * len(target.id))
        wrong = ScoreTarget("run", "a-run")
        report = requested(
            platform, self._queue(name), [self._request(each) for each in (unknown, wrong, target)]
        )
        assert (report.requested, report.present) == (1, 0)
        assert sorted(failure.id for failure in report.failures) == sorted([unknown.id, wrong.id])

    def test_queues_are_kept_apart(self, platform: Platform, name: str) -> None:
        target = self._trace(platform, name)
        other = f"{name}-other"
        for queue in (name, other):
            assert requested(platform, self._queue(queue), [self._request(target)]).requested == 1
        for queue in (name, other):
            assert len(reviews_on(platform, queue, [target])) == 1
        self.clean_up(platform, other)

    def test_a_question_that_means_something_else_is_refused(self, platform: Platform, name: str) -> None:
        target = self._trace(platform, name)
        requested(platform, self._queue(name), [self._request(target)])
        numbers = Question("contract.right", "scale", range=(0.0, 10.0))
        with pytest.raises(UsageError, match=r"contract\.right"):
            requested(platform, ReviewQueue(f"{name}-numbers", (numbers,)), [self._request(target)])

    def test_nothing_is_in_a_queue_that_is_not_there(self, platform: Platform, name: str) -> None:
        assert reviews_on(platform, name, [self._trace(platform, name)]) == []

    def _queue(self, name: str) -> ReviewQueue:
        return ReviewQueue(name, (RIGHT, DETAIL, DAMAGE), "made by a test")

    def _request(self, target: ScoreTarget) -> ReviewRequest:
        return ReviewRequest(target, f'größer: "yes", <no> ✓ {HALF}', ("disagreement", "random"))

    def _execution(self, platform: Platform, name: str) -> Execution:
        if not isinstance(platform, KeepsReviews):
            pytest.skip("people cannot review on this platform")
        if not self.record_execution(platform, name, picture(7), "seven"):
            pytest.skip("this suite cannot record an execution here")
        return executions_on(platform, ExecutionQuery(project=name))[0]

    def _trace(self, platform: Platform, name: str) -> ScoreTarget:
        return ScoreTarget("trace", self._execution(platform, name).target.trace_id)

    def _answer(self, platform: Platform, queue: str, target: ScoreTarget) -> None:
        said = [
            Score("contract.right", True, "as it should be"),
            Score("contract.detail", 4.0, range=(1.0, 5.0)),
            Score("contract.damage", "dent", range=None),
        ]
        report = written(platform, [TargetedScore(target, score, "HUMAN") for score in said])
        assert (report.written, list(report.failures)) == (3, [])
        self.finish_review(platform, queue, target)


def requested(platform: Platform, queue: ReviewQueue, requests: Sequence[ReviewRequest]) -> ReviewReport:
    """Report of requesting these reviews."""
    assert isinstance(platform, KeepsReviews)
    return blocking(lambda: platform.reviews.request(queue, requests), platform)


def reviews_on(platform: Platform, queue: str, targets: Sequence[ScoreTarget]) -> list[Review]:
    """Reviews as they stand."""
    assert isinstance(platform, KeepsReviews)

    async def gathered() -> list[Review]:
        return [review async for review in platform.reviews.read(queue, targets)]

    return blocking(gathered, platform)
