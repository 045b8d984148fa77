"""Annotation queues: what a reviewer finds there, and what is done about what Langfuse takes too lightly."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from judging_models import ScriptedModel, cases, colour_of, sees

from langfuse_server import Fault, LangfuseServer
from vlmops import Experiment, ImageDataset, Sample, function_task, push
from vlmops.blocking import blocking
from vlmops.errors import PlatformUnavailable, UsageError
from vlmops.evaluators import Score
from vlmops.judges import human_labels
from vlmops.models import register
from vlmops.platforms import (
    ExperimentRecord,
    Question,
    Review,
    ReviewQueue,
    ReviewReport,
    ReviewRequest,
    ScoreTarget,
    TargetedScore,
)
from vlmops.reviews import RandomShare, choose, collect_reviews, send_for_review
from vlmops_langfuse import LangfusePlatform

QUEUE = ReviewQueue("to check", (Question("right", text="Is it the colour?"),), "for people")
ITEMS = "POST /api/public/annotation-queues/{queueId}/items"
RUBRIC = """
task = "Judge colours."
[[criteria]]
name = "right"
kind = "yes_no"
question = "Is it the colour?"
"""


@register("seeing_judge_of_reviews")
class SeeingJudge(ScriptedModel):
    def __init__(self) -> None:
        super().__init__("right", sees)


@pytest.fixture
def record(platform: LangfusePlatform) -> ExperimentRecord:
    """Eight answers, every other four right."""
    given = {case.id: case for case in cases(8)}
    samples = [Sample(each.id, dict(each.inputs)) for each in given.values()]
    assert push(ImageDataset.from_samples("colours", samples), platform).ok
    return Experiment("colours", "said", function_task(lambda s: given[s.id].output)).run(platform).record


def request(platform: LangfusePlatform, *traces: str, queue: ReviewQueue = QUEUE) -> ReviewReport:
    wanted = [ReviewRequest(ScoreTarget("trace", trace), f"why {trace[:4]}", ("random",)) for trace in traces]
    return blocking(lambda: platform.reviews.request(queue, wanted), platform)


def reviews(platform: LangfusePlatform, *traces: str) -> list[Review]:
    async def read() -> list[Review]:
        targets = [ScoreTarget("trace", trace) for trace in traces]
        return [review async for review in platform.reviews.read(QUEUE.name, targets)]

    return blocking(read, platform)


def queue_on(server: LangfuseServer) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    queue = server.project.queues.named(QUEUE.name)
    assert queue is not None
    return queue, list(server.project.queues.items[queue["id"]].values())


def annotate(server: LangfuseServer, trace: str, value: int, **rest: Any) -> None:
    """Score a trace as Langfuse's own page does, and mark the item as completed."""
    queue, items = queue_on(server)
    body = {
        "id": f"by-hand-{trace}",
        "name": "right",
        "traceId": trace,
        "value": value,
        "dataType": "BOOLEAN",
        "configId": queue["scoreConfigIds"][0],
        "source": "ANNOTATION",
        "queueId": queue["id"],
        **rest,
    }
    keys = (server.public_key, server.secret_key)
    with httpx.Client(base_url=server.url, auth=keys) as client:
        client.post("/api/public/scores", json=body).raise_for_status()
        (item,) = (each for each in items if each["objectId"] == trace)
        path = f"/api/public/annotation-queues/{queue['id']}/items/{item['id']}"
        client.patch(path, json={"status": "COMPLETED"}).raise_for_status()


def traces_of(record: ExperimentRecord) -> dict[str, str]:
    return {run.case.id: str(run.trace_id) for run in record.runs}


def test_the_reviewer_finds_the_question_the_trace_and_the_reason(
    platform: LangfusePlatform, langfuse_server: LangfuseServer, record: ExperimentRecord
) -> None:
    trace = traces_of(record)["0"]
    report = request(platform, trace)
    queue, (item,) = queue_on(langfuse_server)
    assert report.url.endswith(f"/annotation-queues/{queue['id']}")
    assert (item["objectType"], item["objectId"], item["status"]) == ("TRACE", trace, "PENDING")
    (config,) = langfuse_server.project.score_configs.configs.values()
    assert (config["id"], config["dataType"]) == (queue["scoreConfigIds"][0], "BOOLEAN")
    assert config["description"] == "Is it the colour?"
    (comment,) = langfuse_server.comments
    assert comment["objectId"] == trace
    assert comment["content"] == f"Sent to review (to check): why {trace[:4]}"
    (mark,) = [score for score in langfuse_server.scores if score["name"] == "review"]
    assert (mark["value"], mark["traceId"], mark["source"]) == ("requested", trace, "API")


def test_a_fitting_config_is_reused_and_another_is_told(
    platform: LangfusePlatform, langfuse_server: LangfuseServer, record: ExperimentRecord
) -> None:
    trace = traces_of(record)["0"]
    request(platform, trace)
    request(platform, trace, queue=ReviewQueue("another", QUEUE.questions))
    assert len(langfuse_server.project.score_configs.configs) == 1
    numbers = Question("right", "scale", range=(1.0, 5.0))
    with pytest.raises(UsageError, match="'right' in Langfuse is BOOLEAN, not NUMERIC from 1 to 5: archive"):
        request(platform, trace, queue=ReviewQueue("third", (numbers,)))


def test_a_queue_that_lacks_a_question_is_told(platform: LangfusePlatform, record: ExperimentRecord) -> None:
    trace = traces_of(record)["0"]
    request(platform, trace)
    more = ReviewQueue(QUEUE.name, (*QUEUE.questions, Question("clear")))
    with pytest.raises(UsageError, match="'to check' asks right, not clear: add it in Langfuse"):
        request(platform, trace, queue=more)


@pytest.mark.parametrize("name", ["x" * 36, "grounded/totals"])
def test_names_that_no_config_can_have_are_told_before_anything_is_made(
    platform: LangfusePlatform, langfuse_server: LangfuseServer, record: ExperimentRecord, name: str
) -> None:
    with pytest.raises(UsageError, match=f"score config '{name}'"):
        request(platform, traces_of(record)["0"], queue=ReviewQueue("q", (Question(name),)))
    assert langfuse_server.project.queues.queues == {}


def test_an_answer_that_was_lost_leaves_no_double(
    platform: LangfusePlatform, langfuse_server: LangfuseServer, record: ExperimentRecord
) -> None:
    lost = Fault.error(applied=True)
    langfuse_server.faults.add(lost.on(ITEMS, times=1))
    assert request(platform, *traces_of(record).values()).requested == 8
    _, items = queue_on(langfuse_server)
    assert sorted(item["objectId"] for item in items) == sorted(traces_of(record).values())


def test_what_is_refused_is_listed_and_added_by_the_next_call(
    platform: LangfusePlatform, langfuse_server: LangfuseServer, record: ExperimentRecord
) -> None:
    bad = traces_of(record)["3"]
    refusal = Fault("answer", 400, {"message": "not this one"})
    langfuse_server.faults.add(refusal.on(ITEMS, item=f'"{bad}"', times=1))
    report = request(platform, *traces_of(record).values())
    assert (report.requested, [failure.id for failure in report.failures]) == (7, [bad])
    again = request(platform, *traces_of(record).values())
    assert (again.requested, again.present, list(again.failures)) == (1, 7, [])
    assert len([c for c in langfuse_server.comments if c["objectId"] == bad]) == 1


def test_two_processes_at_once_make_one_queue_and_no_doubles(
    langfuse_server: LangfuseServer, connect_to: Callable[..., LangfusePlatform], record: ExperimentRecord
) -> None:
    async def both() -> None:
        wanted = [ReviewRequest(ScoreTarget("trace", t), "why") for t in traces_of(record).values()]
        platforms = [connect_to(langfuse_server) for _ in range(2)]
        for each in platforms:
            await each.__aenter__()
        await asyncio.gather(*(each.reviews.request(QUEUE, wanted) for each in platforms))
        for each in platforms:
            await each.__aexit__(None, None, None)

    asyncio.run(both())
    _, items = queue_on(langfuse_server)
    assert sorted(item["objectId"] for item in items) == sorted(traces_of(record).values())


def test_what_people_say_in_the_queue_comes_back(
    platform: LangfusePlatform, langfuse_server: LangfuseServer, record: ExperimentRecord
) -> None:
    traces = traces_of(record)
    send_for_review(platform, QUEUE, choose(record.runs, [RandomShare(1.0)]))
    annotate(langfuse_server, traces["0"], 0, comment="it is red")
    annotate(langfuse_server, traces["4"], 1)
    found = collect_reviews(platform, record, QUEUE.name)
    assert (found.requested, found.open) == (8, 6)
    assert {each.id: each.label for each in found.labels} == {"0": False, "4": True}
    assert {each.comment for each in found.labels} == {"it is red", ""}
    assert all(each.rules == ("random",) for each in found.labels)
    assert [review.why for review in reviews(platform, traces["0"])] == ["one of a random share of 1"]


def test_second_thoughts_are_a_change(
    platform: LangfusePlatform, langfuse_server: LangfuseServer, record: ExperimentRecord
) -> None:
    trace = traces_of(record)["0"]
    request(platform, trace)
    annotate(langfuse_server, trace, 0)
    (before,) = collect_reviews(platform, record, QUEUE.name).labels
    langfuse_server.advance(5)
    annotate(langfuse_server, trace, 1)
    (after,) = collect_reviews(platform, record, QUEUE.name).labels
    assert (before.label, after.label) == (False, True)
    assert before.at is not None
    assert after.at is not None
    assert after.at > before.at


def test_peoples_scores_are_not_among_the_judges(
    platform: LangfusePlatform, langfuse_server: LangfuseServer, record: ExperimentRecord
) -> None:
    request(platform, traces_of(record)["0"])
    annotate(langfuse_server, traces_of(record)["0"], 0)
    read = blocking(lambda: platform.experiments.read(record.id), platform)
    assert [result for run in read.runs for result in run.results] == []


def test_more_items_than_a_page_are_known(
    platform: LangfusePlatform, langfuse_server: LangfuseServer, record: ExperimentRecord
) -> None:
    trace = traces_of(record)["0"]
    request(platform, trace)
    queue, _ = queue_on(langfuse_server)
    keys = (langfuse_server.public_key, langfuse_server.secret_key)
    with httpx.Client(base_url=langfuse_server.url, auth=keys) as client:
        for number in range(130):
            body = {"objectId": f"other-{number}", "objectType": "TRACE"}
            client.post(f"/api/public/annotation-queues/{queue['id']}/items", json=body).raise_for_status()
    assert request(platform, trace).present == 1
    assert len(reviews(platform, trace)) == 1


LISTED = "GET /api/public/annotation-queues/{queueId}/items"


def fill(server: LangfuseServer, count: int) -> None:
    """Items of a minute each, long ago."""
    queue, _ = queue_on(server)
    for number in range(count):
        moment = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)).isoformat()
        server.project.queues.items[queue["id"]][f"other-{number}"] = {
            "id": f"other-{number}",
            "queueId": queue["id"],
            "objectId": f"trace-{number}",
            "objectType": "TRACE",
            "status": "PENDING",
            "completedAt": None,
            "createdAt": moment,
            "updatedAt": moment,
        }


def test_a_long_queue_is_listed_once_and_then_only_what_is_new(
    platform: LangfusePlatform, langfuse_server: LangfuseServer, record: ExperimentRecord
) -> None:
    request(platform)
    fill(langfuse_server, 950)
    langfuse_server.clear_log()
    traces = traces_of(record)
    known = [f"trace-{number}" for number in range(950)]
    report = request(platform, *known, *traces.values())
    assert (report.requested, report.present) == (8, 950)
    assert langfuse_server.count(LISTED) == 10 + 1
    langfuse_server.clear_log()
    found = reviews(platform, *known, *traces.values())
    assert len(found) == 958
    assert langfuse_server.count(LISTED) == 10


def test_progress_counts_what_is_in_the_queue_already(
    platform: LangfusePlatform, record: ExperimentRecord
) -> None:
    told: list[tuple[int, int]] = []
    wanted = [ReviewRequest(ScoreTarget("trace", trace), "why") for trace in traces_of(record).values()]
    request(platform, *(each.target.id for each in wanted[:3]))
    for _ in range(2):
        blocking(lambda: platform.reviews.request(QUEUE, wanted, lambda *done: told.append(done)), platform)
    assert told == [(8, 8), (8, 8)]


def test_doubles_of_a_call_that_was_interrupted_are_removed_by_the_next(
    platform: LangfusePlatform, langfuse_server: LangfuseServer, record: ExperimentRecord
) -> None:
    trace = traces_of(record)["0"]
    request(platform, trace)
    queue, (first,) = queue_on(langfuse_server)
    keys = (langfuse_server.public_key, langfuse_server.secret_key)
    with httpx.Client(base_url=langfuse_server.url, auth=keys) as client:
        body = {"objectId": trace, "objectType": "TRACE"}
        client.post(f"/api/public/annotation-queues/{queue['id']}/items", json=body).raise_for_status()
    assert request(platform, trace).present == 1
    assert [item["id"] for item in queue_on(langfuse_server)[1]] == [first["id"]]


def test_nothing_is_added_any_more_once_langfuse_is_gone(
    langfuse_server: LangfuseServer, connect_to: Callable[..., LangfusePlatform], record: ExperimentRecord
) -> None:
    traces = list(traces_of(record).values())
    platform = connect_to(langfuse_server)
    langfuse_server.faults.add(Fault("answer", 503, {}).on(ITEMS, item=f'"{traces[0]}"'))
    langfuse_server.faults.add(Fault.slow(3_000).on(ITEMS))
    wanted = [ReviewRequest(ScoreTarget("trace", trace), "why") for trace in traces]

    async def refused() -> set[str]:
        before = asyncio.all_tasks()
        async with platform:
            with pytest.raises(PlatformUnavailable):
                await platform.reviews.request(QUEUE, wanted)
            return {task.get_name() for task in asyncio.all_tasks() - before}

    assert asyncio.run(refused()) == set()


def test_a_session_is_reviewed(platform: LangfusePlatform, langfuse_server: LangfuseServer) -> None:
    from langfuse import Langfuse, propagate_attributes

    server = langfuse_server
    client = Langfuse(public_key=server.public_key, secret_key=server.secret_key, base_url=server.url)
    with propagate_attributes(session_id="visit-7"), client.start_as_current_observation(name="turn"):
        pass
    client.flush()
    target = ScoreTarget("session", "visit-7")
    wanted = [ReviewRequest(target, "a long one")]
    assert blocking(lambda: platform.reviews.request(QUEUE, wanted), platform).requested == 1
    said = TargetedScore(target, Score("right", True), "HUMAN")
    assert blocking(lambda: platform.scores.write([said]), platform).written == 1

    async def read() -> list[Review]:
        return [review async for review in platform.reviews.read(QUEUE.name, [target])]

    (review,) = blocking(read, platform)
    assert [answer.score.value for answer in review.answers] == [True]
    assert review.why == "a long one"


class TestCalibration:
    """``--human`` on Langfuse: what people annotated, against a judge."""

    def test_labels_by_sample(
        self, platform: LangfusePlatform, langfuse_server: LangfuseServer, record: ExperimentRecord
    ) -> None:
        traces = traces_of(record)
        request(platform, *traces.values())
        annotate(langfuse_server, traces["1"], 0)
        annotate(langfuse_server, traces["5"], 1)
        said = blocking(lambda: human_labels(platform, record, "right"), platform)
        assert said == {"1": False, "5": True}
        with pytest.raises(UsageError, match="nobody said anything by the name 'wrong'"):
            blocking(lambda: human_labels(platform, record, "wrong"), platform)

    def test_the_command(
        self,
        platform: LangfusePlatform,
        langfuse_server: LangfuseServer,
        record: ExperimentRecord,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        from vlmops.cli import main

        traces = traces_of(record)
        request(platform, *traces.values())
        for run in record.runs:
            right = run.case.output.split()[0] == colour_of(run.case.images[0])
            annotate(langfuse_server, traces[run.case.id], int(right))
        (tmp_path / "rubric.toml").write_text(RUBRIC)
        for name, value in langfuse_server.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        made = {"rubric": "rubric.toml", "model": "seeing_judge_of_reviews", "name": "right"}
        command = ["judges", "calibrate", f"judge={json.dumps(made)}", "--experiment", record.id]
        options = ["--on", "langfuse", "--human", "right", "--json"]
        monkeypatch.setattr(sys, "argv", ["vlmops", *command, *options])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        found = json.loads(capsys.readouterr().out)
        assert (found["n"], found["kind"], found["agreement"]["value"]) == (8, "pass/fail", 1.0)
