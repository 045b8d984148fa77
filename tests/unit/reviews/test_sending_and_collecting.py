"""From chosen cases to people's labels, on the platform in memory."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from vlmops.errors import UsageError
from vlmops.evaluators import Case, Failure, FailureKind, Score
from vlmops.judges import Choice, Rubric, Scale, YesNo
from vlmops.platforms import ExperimentRecord, Question, ReviewQueue, Run, ScoreTarget, TargetedScore
from vlmops.platforms.folder import FolderPlatform
from vlmops.reviews import (
    Failed,
    RandomShare,
    Unsure,
    choose,
    collect_reviews,
    parse_question,
    questions_of,
    send_for_review,
)
from vlmops.testing import MemoryPlatform
from vlmops.testing.memory_reviews import MemoryReviews

QUEUE = ReviewQueue("q", (Question("right"),))
LOW = Score("right", False, "the total is blurred", metadata={"confidence": "low"})


def record(count: int = 6) -> ExperimentRecord:
    runs = [Run(Case("a", id=f"s{n}"), 1, [LOW], trace_id=f"t{n}") for n in range(count)]
    return ExperimentRecord("e", "reader", "", "d", "1", runs)


def says(platform: MemoryPlatform, trace: str, value: Any, span: str = "") -> None:
    target = ScoreTarget("span", span, trace) if span else ScoreTarget("trace", trace)
    asyncio.run(platform.scores.write([TargetedScore(target, Score("right", value, "so"), "HUMAN")]))


def test_what_is_sent_comes_back() -> None:
    platform, found = MemoryPlatform(), record()
    report = send_for_review(platform, QUEUE, choose(found.runs, [Unsure("right")], limit=4))
    assert (report.requested, report.present) == (4, 0)
    waiting = collect_reviews(platform, found, "q")
    assert (waiting.requested, waiting.open, waiting.labels) == (4, 4, [])
    sent = [key[1].id for key in platform.reviews.requests]
    says(platform, sent[0], True)
    says(platform, sent[1], False)
    collected = collect_reviews(platform, found, "q", question="right")
    assert (collected.requested, collected.open) == (4, 2)
    assert {each.id: each.label for each in collected.labels} == {
        f"s{sent[0][1:]}": True,
        f"s{sent[1][1:]}": False,
    }
    assert {each.comment for each in collected.labels} == {"so"}
    assert all(each.rules == ("unsure",) for each in collected.labels)


def test_sending_again_adds_what_is_new() -> None:
    platform, found = MemoryPlatform(), record()
    send_for_review(platform, QUEUE, choose(found.runs[:3], [RandomShare(1.0)]))
    again = send_for_review(platform, QUEUE, choose(found.runs, [RandomShare(1.0)]))
    assert (again.requested, again.present) == (3, 3)


def test_many_are_sent_with_progress() -> None:
    told: list[tuple[int, int]] = []
    chosen = choose(record(250).runs, [RandomShare(1.0)])
    report = send_for_review(MemoryPlatform(), QUEUE, chosen, progress=lambda *done: told.append(done))
    assert report.requested == 250
    assert told == sorted(told)
    assert told[-1] == (250, 250)


def test_the_platform_is_asked_once_for_all() -> None:
    asked: list[int] = []

    class Counting(MemoryReviews):
        async def request(self, queue, requests, progress=None):
            asked.append(len(requests))
            return await super().request(queue, requests, progress)

        async def read(self, queue, targets):
            asked.append(len(targets))
            async for review in super().read(queue, targets):
                yield review

    platform, found = MemoryPlatform(), record(450)
    platform.reviews = Counting(platform)
    send_for_review(platform, QUEUE, choose(found.runs, [RandomShare(1.0)]))
    assert collect_reviews(platform, found, QUEUE.name, question="right").requested == 450
    assert asked == [450, 450]


def test_blind_reviewers_are_told_the_rule_alone() -> None:
    platform, found = MemoryPlatform(), record(1)
    send_for_review(platform, QUEUE, choose(found.runs, [Unsure("right")]), blind=True)
    (request,) = platform.reviews.requests.values()
    assert (request.why, request.rules) == ("unsure", ("unsure",))


def test_answers_without_a_trace_are_failures_by_the_cases_id() -> None:
    found = record(2)
    runs = [found.runs[0], replace(found.runs[1], trace_id=None)]
    report = send_for_review(MemoryPlatform(), QUEUE, choose(runs, [RandomShare(1.0)]))
    assert report.requested == 1
    assert [(failure.id, "no trace" in failure.message) for failure in report.failures] == [("s1", True)]


def test_people_who_differ_have_no_label() -> None:
    platform, found = MemoryPlatform(), record(2)
    send_for_review(platform, QUEUE, choose(found.runs, [RandomShare(1.0)]))
    says(platform, "t0", True)
    says(platform, "t0", False, span="1")
    says(platform, "t1", True)
    says(platform, "t1", True, span="1")
    collected = collect_reviews(platform, found, "q")
    assert collected.disputed == ["s0"]
    assert [(each.id, each.people) for each in collected.labels] == [("s1", 2)]


def test_labels_of_one_rule_alone() -> None:
    platform, found = MemoryPlatform(), record(8)
    runs = [replace(run, results=[LOW] if n % 2 else []) for n, run in enumerate(found.runs)]
    refused = replace(runs[0], case=Case(Failure(FailureKind.REFUSAL, "no"), id="s0"))
    found = replace(found, runs=[refused, *runs[1:]])
    send_for_review(platform, QUEUE, choose(found.runs, [Failed(), RandomShare(0.6)]))
    drawn = collect_reviews(platform, found, "q", rule="random").requested
    failed = collect_reviews(platform, found, "q", rule="failed").requested
    assert failed == 1
    assert 0 < drawn < 8


def test_mistakes_are_told() -> None:
    platform, found = MemoryPlatform(), record(1)
    with pytest.raises(UsageError, match="nothing of 'reader' is in the queue 'other'"):
        collect_reviews(platform, found, "other")
    two = ReviewQueue("two", (Question("right"), Question("clear", "scale", range=(1.0, 5.0))))
    send_for_review(platform, two, choose(found.runs, [RandomShare(1.0)]))
    with pytest.raises(UsageError, match="asks several questions: say which with --question: right, clear"):
        collect_reviews(platform, found, "two")
    with pytest.raises(UsageError, match="does not ask 'sharp'; it asks right, clear"):
        collect_reviews(platform, found, "two", question="sharp")


def test_a_folder_has_no_reviewers(tmp_path: Any) -> None:
    with pytest.raises(UsageError, match="folder has no screens"):
        send_for_review(FolderPlatform(tmp_path), QUEUE, [])


class TestQuestions:
    def test_criteria_become_questions_under_the_scores_names(self) -> None:
        rubric = Rubric(
            "Judge.",
            (
                YesNo("right", "Is it right?"),
                Scale("clear", "How clear?", {1: "not", 5: "very"}),
                Choice("damage", "Which?", {"none": "", "dent": ""}),
            ),
        )
        right, clear, damage = questions_of(rubric, "j")
        assert (right.name, right.kind) == ("j.right", "pass/fail")
        assert (clear.name, clear.kind, clear.range) == ("j.clear", "scale", (1.0, 5.0))
        assert (damage.name, damage.kind, damage.labels) == ("j.damage", "label", ("none", "dent"))
        assert "very" in clear.text

    @pytest.mark.parametrize(
        "text", ["", "=1..5", "a=", "a=dent", "a=5..1", "a=dent,dent", "a=dent,", "a=1..x"]
    )
    def test_what_is_no_question_is_told(self, text: str) -> None:
        with pytest.raises(UsageError):
            parse_question(text)

    def test_a_queue_asks_something_once(self) -> None:
        with pytest.raises(UsageError, match="say what to ask"):
            ReviewQueue("q", ())
        with pytest.raises(UsageError, match="one name"):
            ReviewQueue("q", (Question("a"), Question("a")))
        with pytest.raises(UsageError, match="needs a name"):
            ReviewQueue(" ", (Question("a"),))
