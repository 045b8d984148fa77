"""What people said of the cases that were sent to them, one verdict a case."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vlmops.blocking import blocking
from vlmops.errors import UsageError
from vlmops.judges.human import agreed
from vlmops.platforms.records import ScoreTarget
from vlmops.reviews.sending import reviews_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from vlmops.evaluators.score import Value
    from vlmops.platforms.port import Platform
    from vlmops.platforms.records import ExperimentRecord, TargetedScore
    from vlmops.platforms.reviews import Review


@dataclass(frozen=True, slots=True)
class HumanLabel:
    """What people said of one case.

    Attributes:
        id: The case's.
        label: Their verdict: of several people the majority's, of numbers the mean.
        people: How many said something.
        at: When the last of them did.
        comment: What they wrote with it.
        rules: The rules by which the case was chosen.
    """

    id: str
    label: Value
    people: int
    at: datetime | None
    comment: str = ""
    rules: Sequence[str] = ()


@dataclass(slots=True)
class CollectedReviews:
    """How the reviews of an experiment stand.

    Attributes:
        question: Whose answers the labels are.
        requested: Cases that were sent for review.
        open: Those of them that the reviewers are not through with.
        labels: A verdict for each case that people agree on.
        disputed: Ids of cases on which people differ and have no majority.
        unanswered: Ids of cases that the reviewers are through with, without an answer to the question.
    """

    question: str
    requested: int = 0
    open: int = 0
    labels: list[HumanLabel] = field(default_factory=list)
    disputed: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)


def collect_reviews(
    platform: Platform,
    record: ExperimentRecord,
    queue: str,
    *,
    question: str | None = None,
    rule: str | None = None,
) -> CollectedReviews:
    """What people said; blocking form of :func:`collect_reviews_async`."""
    return blocking(
        lambda: collect_reviews_async(platform, record, queue, question=question, rule=rule), platform
    )


async def collect_reviews_async(
    platform: Platform,
    record: ExperimentRecord,
    queue: str,
    *,
    question: str | None = None,
    rule: str | None = None,
) -> CollectedReviews:
    """What people said of an experiment's answers that were put into a queue.

    Args:
        platform: Where it ran.
        record: The experiment; of several answers to a sample the first is meant.
        queue: Name of the queue.
        question: Which of the queue's questions; may be left out where it asks one.
        rule: Only cases that this rule chose. Figures that are to stand for all answers need ``"random"``.

    Raises:
        UsageError: People cannot review there, nothing of the experiment is in the queue, or it has no such
            question, or several and none was said.
    """
    reviews = reviews_of(platform)
    ids = {str(run.trace_id): run.case.id for run in record.runs if run.trace_id and run.repetition == 1}
    found = CollectedReviews(question or "")
    seen = 0
    async for review in reviews.read(queue, [ScoreTarget("trace", trace) for trace in ids]):
        found.question = found.question or _only(queue, review.asked)
        if found.question not in review.asked:
            raise UsageError(
                f"queue {queue!r} does not ask {found.question!r}; it asks {', '.join(review.asked)}"
            )
        seen += 1
        if rule is None or rule in review.rules:
            _note(found, ids[review.target.id], review)
    if not seen:
        raise UsageError(
            f"nothing of {record.name!r} is in the queue {queue!r}: name it as for 'vlmops review send'"
        )
    return found


def _note(found: CollectedReviews, identity: str, review: Review) -> None:
    found.requested += 1
    found.open += not review.done
    said = [each for each in review.answers if each.score.name == found.question]
    label = agreed([each.score.value for each in said]) if said else None
    if label is not None:
        found.labels.append(
            HumanLabel(identity, label, len(said), _last(said), _comments(said), tuple(review.rules))
        )
    elif said:
        found.disputed.append(identity)
    elif review.done:
        found.unanswered.append(identity)


def _only(queue: str, asked: Sequence[str]) -> str:
    if len(asked) != 1:
        raise UsageError(
            f"queue {queue!r} asks several questions: say which with --question: {', '.join(asked)}"
        )
    return asked[0]


def _last(said: Sequence[TargetedScore]) -> datetime | None:
    return max((each.timestamp for each in said if each.timestamp is not None), default=None)


def _comments(said: Sequence[TargetedScore]) -> str:
    return "; ".join(dict.fromkeys(each.score.explanation for each in said if each.score.explanation))
