"""Sending chosen cases to people."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vlmops.blocking import blocking
from vlmops.errors import UsageError
from vlmops.platforms.outcome import ItemFailure
from vlmops.platforms.port import KeepsReviews
from vlmops.platforms.records import ScoreTarget
from vlmops.platforms.reviews import ReviewReport, ReviewRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.platforms.port import Platform, Reviews
    from vlmops.platforms.records import Progress
    from vlmops.platforms.reviews import ReviewQueue
    from vlmops.reviews.choice import ChosenCase


def send_for_review(
    platform: Platform,
    queue: ReviewQueue,
    chosen: Sequence[ChosenCase],
    *,
    blind: bool = False,
    progress: Progress | None = None,
) -> ReviewReport:
    """Send cases to people; blocking form of :func:`send_for_review_async`."""
    return blocking(
        lambda: send_for_review_async(platform, queue, chosen, blind=blind, progress=progress), platform
    )


async def send_for_review_async(
    platform: Platform,
    queue: ReviewQueue,
    chosen: Sequence[ChosenCase],
    *,
    blind: bool = False,
    progress: Progress | None = None,
) -> ReviewReport:
    """Put cases into a queue of the platform; those that are in it already are left as they are.

    Interrupted and done again, it adds what is missing.

    Args:
        platform: Where the answers are.
        queue: Its name and questions.
        chosen: As :func:`~vlmops.reviews.choose` gives them.
        blind: Tell reviewers the rules that chose a case and not what judges said, which would sway them.
        progress: Told how many are done, of how many.

    Raises:
        UsageError: People cannot review on this platform, or it cannot ask that.
    """
    reviews = reviews_of(platform)
    untraced = [case for case in chosen if not case.run.trace_id]
    failures = [ItemFailure(case.run.case.id, "the answer has no trace to look at") for case in untraced]
    ids = {case.run.trace_id: case.run.case.id for case in chosen}
    requests = [_request(case, blind) for case in chosen if case.run.trace_id]
    if not requests:
        return ReviewReport(failures=failures)
    report = await reviews.request(queue, requests, progress)
    failures += [
        ItemFailure(ids.get(failure.id) or failure.id, failure.message) for failure in report.failures
    ]
    return replace(report, failures=failures)


def reviews_of(platform: Platform) -> Reviews:
    """What the platform offers for reviews.

    Raises:
        UsageError: Nothing.
    """
    if not isinstance(platform, KeepsReviews):
        raise UsageError(
            f"{platform.name} has no screens on which people could review: send the cases on a platform that "
            "has, or write what people say into a file of 'id' and 'label'"
        )
    return platform.reviews


def _request(case: ChosenCase, blind: bool) -> ReviewRequest:
    target = ScoreTarget("trace", str(case.run.trace_id))
    return ReviewRequest(target, ", ".join(case.rules) if blind else case.why, case.rules)
