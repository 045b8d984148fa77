"""Experiments in Langfuse's own screens: nothing dropped, nothing doubled, continued where they stopped."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from langfuse_server import RECORDED_VERSION, LangfuseServer
from vlmops.blocking import blocking
from vlmops.datasets import ImageDataset, Sample
from vlmops.errors import BudgetSpent, PlatformError, RunStopped
from vlmops.evaluators import Case, CharacterErrorRate, Failure, FailureKind, Score, Usage
from vlmops.experiments import Experiment, score_experiment
from vlmops.images import Image
from vlmops.models import ModelReply
from vlmops.platforms import push
from vlmops.platforms.answering import current_repetition
from vlmops.testing import picture
from vlmops.testing.contract import found_on, read_back, samples, scores_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from vlmops_langfuse import LangfusePlatform

CER = CharacterErrorRate(key="text")


async def read(sample: Sample) -> ModelReply:
    return ModelReply({"text": sample.id}, sample.id, Usage(120, 5, 100, 0.01), 0.5, "m")


def experiment(**options: Any) -> Experiment:
    chosen = {"dataset": "d", "name": "e", "task": read, "evaluators": [CER], "key": "k", **options}
    return Experiment(**chosen)


@pytest.fixture
def pushed(platform: LangfusePlatform) -> LangfusePlatform:
    push(ImageDataset.from_samples("d", samples(4)), platform)
    return platform


def test_langfuse_shows_the_run_with_version_metadata_and_scores(
    pushed: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    result = experiment(metadata={"model": "m", "prompt": {"version": 3}, "long": "x" * 300}).run(pushed)
    spans = [o for o in langfuse_server.observations if o.experiment is not None]
    tasks = [o for o in spans if o.id == o.experiment.root_observation_id]
    assert {o.experiment.id for o in spans} == {result.record.id}
    assert len(tasks) == 4
    said = tasks[0].experiment
    assert said.name == "e (k)"
    assert said.metadata["model"] == "m"
    assert said.metadata["prompt"] == '{"version": 3}'
    assert len(said.metadata["long"]) == 200
    assert said.metadata["dataset_version"] == result.record.dataset_version
    assert "vision" not in said.item_metadata
    attached = {s["name"]: s["datasetRunId"] for s in langfuse_server.scores if s["datasetRunId"]}
    assert attached == {"cer": result.record.id}
    on_spans = {s["observationId"] for s in langfuse_server.scores if s["observationId"]}
    assert on_spans == {task.id for task in tasks}


@pytest.mark.parametrize("key", ["k", ""])
def test_an_item_that_people_removed_in_langfuse_is_not_answered(
    pushed: LangfusePlatform, langfuse_server: LangfuseServer, key: str
) -> None:
    """Langfuse leaves no time behind when one goes: by its last change, the dataset is as it was."""
    first = experiment(name="before").run(pushed)
    assert len(first.record.runs) == 4
    (gone,) = [item["id"] for item in langfuse_server.items("d") if "s1" in json.dumps(item["metadata"])]
    httpx.delete(
        f"{langfuse_server.url}/api/public/dataset-items/{gone}",
        auth=(langfuse_server.public_key, langfuse_server.secret_key),
    ).raise_for_status()
    time.sleep(2.2)  # servers tell the time in whole seconds, and not at once
    result = experiment(key=key).run(pushed)
    assert {run.case.id for run in result.record.runs} == {"s0", "s2", "s3"}


def test_the_trace_page_draws_the_picture_and_knows_what_it_took(
    pushed: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    experiment().run(pushed)
    generation = next(o for o in langfuse_server.observations if o.type == "GENERATION")
    part = json.loads(generation.input or "")[0]["content"][0]
    assert part["image_url"]["url"].startswith("@@@langfuseMedia:")
    assert generation.usage["input"] == 20
    assert generation.usage["input_image"] == 100
    assert generation.model == "m"
    evaluators = [o for o in langfuse_server.observations if o.type == "EVALUATOR"]
    assert {o.name for o in evaluators} == {"cer"}
    assert {o.environment for o in langfuse_server.observations} == {"sdk-experiment"}
    assert {o.name for o in langfuse_server.observations if o.is_root} == {"experiment-item-run"}
    assert {o.trace_id for o in evaluators} == {
        o.trace_id for o in langfuse_server.observations if o.experiment
    }


def test_a_failed_answer_is_a_marked_item_with_a_categorical_score(
    pushed: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    async def task(sample: Sample) -> ModelReply | Failure:
        if sample.id == "s1":
            return Failure(FailureKind.CONTENT_FILTER, "not allowed")
        return await read(sample)

    result = experiment(task=task).run(pushed)
    assert len(result.record.runs) == 4
    failures = [s for s in langfuse_server.scores if s["name"] == "failure"]
    assert [(s["value"], s["comment"]) for s in failures] == [("content_filter", "not allowed")]
    span = next(o for o in langfuse_server.observations if o.id == failures[0]["observationId"])
    assert span.level == "ERROR"
    assert json.loads(span.output or "")["failure"] == "content_filter"
    cer = next(s for s in result.summary.scores if s.name == "cer")
    assert cer.n == 3


def test_each_failed_answer_counts_as_one_error(
    pushed: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    async def task(sample: Sample) -> Failure:
        return Failure(FailureKind.REFUSAL, "no")

    experiment(task=task).run(pushed)
    errors = [o for o in langfuse_server.observations if o.experiment and o.level == "ERROR"]
    assert {o.id for o in errors} == {o.experiment.root_observation_id for o in errors if o.experiment}
    assert len(errors) == 4


def test_the_table_of_results_shows_pictures_and_predictions(
    pushed: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    experiment().run(pushed)
    found = [o for o in langfuse_server.observations if o.experiment]
    items = [o for o in found if o.experiment and o.id == o.experiment.root_observation_id]
    assert [set(json.loads(item.output or "")) for item in items] == [{"text"}] * 4
    # SDK 4.14.0 has no span of the task's own, and sets the item's input itself, afterwards.
    for item in (each for each in items if each.name == "experiment-item-task"):
        assert len(item.input or "") <= 200
        shown = json.loads(item.input or "")
        assert shown["image"].startswith("@@@langfuseMedia:")
        assert shown["text"].startswith("question: Which number")


@pytest.mark.parametrize("output", ["7", 7.5, '{"a": 1}', {"a": 1}, None, "", True, [1, "x"], "Größe \n"])
def test_a_continued_experiment_keeps_the_kind_of_every_prediction(
    output: Any, platform: LangfusePlatform
) -> None:
    async def task(sample: Sample) -> ModelReply:
        return ModelReply(output, "", model="m", metadata={"lines": ["x" * 300]})

    push(ImageDataset.from_samples("d", samples(1)), platform)
    experiment(task=task, evaluators=[]).run(platform)
    again = experiment(task=task, evaluators=[]).run(platform)
    assert again.record.resumed == 1
    assert again.record.runs[0].case.output == output
    assert type(again.record.runs[0].case.output) is type(output)


def test_answers_are_computed_at_once_on_the_callers_loop(pushed: LangfusePlatform) -> None:
    together = asyncio.Event()
    loops = set()
    started = 0

    async def task(sample: Sample) -> ModelReply:
        nonlocal started
        loops.add(asyncio.get_running_loop())
        started += 1
        if started == 4:
            together.set()
        await asyncio.wait_for(together.wait(), 20)
        return await read(sample)

    async def ran() -> set[asyncio.AbstractEventLoop]:
        result = await experiment(task=task, concurrency=4).run_async(pushed)
        assert result.summary.failures == {}
        return loops - {asyncio.get_running_loop()}

    assert blocking(ran, pushed) == set()


def test_an_answer_that_takes_too_long_is_a_timeout(pushed: LangfusePlatform) -> None:
    async def task(sample: Sample) -> ModelReply:
        if sample.id == "s0":
            await asyncio.Event().wait()
        return await read(sample)

    result = experiment(task=task, timeout=0.2).run(pushed)
    assert result.summary.failures == {FailureKind.TIMEOUT: 1}


def test_pictures_in_answers_are_stored_and_come_back(
    pushed: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    async def task(sample: Sample) -> ModelReply:
        return ModelReply({"mask": picture(50), "text": sample.id}, "", model="m")

    first = experiment(task=task).run(pushed)
    again = experiment(task=task).run(pushed)
    assert again.record.resumed == 4
    for run in (*first.record.runs, *again.record.runs):
        assert isinstance(run.case.output["mask"], Image)
        assert run.case.output["mask"].read() == picture(50).read()
    assert "base64" not in "".join(o.output or "" for o in langfuse_server.observations)


def test_a_continued_experiment_keeps_scores_usage_and_version(
    pushed: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    first = experiment().run(pushed)
    push(ImageDataset.from_samples("d", samples(6)), pushed)
    langfuse_server.clear_log()
    again = experiment().run(pushed)
    assert again.record.dataset_version == first.record.dataset_version
    assert {run.case.id for run in again.record.runs} == {"s0", "s1", "s2", "s3"}
    assert [run.results[0].value for run in again.record.runs] == [0.0] * 4  # type: ignore[union-attr]
    assert again.record.runs[0].case.usage == Usage(120, 5, 100, 0.01)
    assert langfuse_server.count("POST /api/public/otel/v1/traces") == 0
    newer = experiment(key="k2").run(pushed)
    assert len(newer.record.runs) == 6


def test_scoring_again_replaces_and_takes_away_what_is_no_longer_given(
    pushed: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    first = experiment().run(pushed)
    relaxed = replace(CER, key="nothing-of-that-name", expected_key="text")
    second = score_experiment(pushed, first.record.id, [relaxed])
    failures = [r for run in second.record.runs for r in run.results]
    assert all(isinstance(failure, Failure) for failure in failures)
    left = [s for s in langfuse_server.scores if s["name"] == "cer" and s["observationId"]]
    assert left == []


def test_an_experiment_of_others_can_be_scored(
    pushed: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    from langfuse import Langfuse

    client = Langfuse(
        public_key=langfuse_server.public_key,
        secret_key=langfuse_server.secret_key,
        base_url=langfuse_server.url,
    )

    def task(*, item: Any, **_: Any) -> Any:
        if item.expected_output["text"] == "s0":
            raise ValueError("boom")
        return {"text": "s9"}

    native = client.get_dataset("d").run_experiment(name="theirs", task=task)
    client.flush()
    scored = score_experiment(pushed, native.experiment_id, [CER])
    assert len(scored.record.runs) == 4
    assert scored.summary.failures == {FailureKind.TASK_ERROR: 1}
    assert {r.value for run in scored.record.runs for r in run.results} == {0.5}  # type: ignore[union-attr]


@pytest.mark.parametrize("version", ["4.59.0", RECORDED_VERSION])
def test_experiments_wait_for_a_slow_ingestion(
    start_langfuse: Callable[..., LangfuseServer],
    connect_to: Callable[..., LangfusePlatform],
    version: str,
) -> None:
    platform = connect_to(start_langfuse(version=version, consistency_delay_ms=200))
    push(ImageDataset.from_samples("d", samples(2)), platform)
    result = experiment().run(platform)
    assert [s.value for s in result.summary.scores] == [0.0]


def test_answers_that_never_arrive_are_an_error(
    pushed: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    from langfuse_server import Fault

    refusal = Fault("answer", 400, {"error": "no"})
    langfuse_server.faults.add(refusal.on("POST /api/public/otel/v1/traces"))
    with pytest.raises(PlatformError, match="4 of 4 answers did not arrive"):
        experiment().run(pushed)
    langfuse_server.faults.clear()
    assert len(experiment().run(pushed).record.runs) == 4


def test_an_experiment_survives_faults(pushed: LangfusePlatform, langfuse_server: LangfuseServer) -> None:
    from langfuse_server import Fault

    for route in ("GET *", "POST /api/public/scores", "POST /api/public/media", "PATCH *"):
        for fault in (Fault.rate_limit(), Fault.error(500, applied=True), Fault.refuse(), Fault.disconnect()):
            langfuse_server.faults.add(fault.on(route, rate=0.03))
    result = experiment().run(pushed)
    assert [run.results[0].value for run in result.record.runs] == [0.0] * 4  # type: ignore[union-attr]
    assert len([s for s in langfuse_server.scores if s["observationId"]]) == 4


def test_scores_that_were_given_before_an_evaluator_ends_the_run_are_kept(
    pushed: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    @dataclass(frozen=True)
    class Paid:
        name: str = "paid"
        asked: list[str] = field(default_factory=list)

        async def evaluate(self, case: Case) -> Score:
            self.asked.append(case.id)
            if len(self.asked) == 3:
                await asyncio.sleep(0)
                raise BudgetSpent("the budget is spent")
            return Score("paid", 1.0)

    first = experiment(evaluators=[]).run(pushed)
    with pytest.raises(BudgetSpent, match="the budget is spent"):
        experiment(evaluators=[Paid()]).run(pushed)
    kept = scores_of(read_back(pushed, first.record.id))
    assert sum("paid" in given for given in kept.values()) in (2, 3)
    again = Paid()
    experiment(evaluators=[again]).run(pushed)
    assert len(again.asked) + sum("paid" in given for given in kept.values()) == 4


def test_several_runs_are_compared_on_one_page(pushed: LangfusePlatform) -> None:
    first, second = (experiment(key=key).run(pushed).record for key in ("a", "b"))
    url = pushed.experiments.compare_url([first, second])
    assert url.endswith(f"/experiments/results?baseline={first.id}&c={second.id}")


def test_what_langfuse_cannot_do_is_said(pushed: LangfusePlatform) -> None:
    with pytest.raises(PlatformError, match="push it first"):
        experiment(dataset="absent").run(pushed)
    push(ImageDataset.from_samples("empty", []), pushed)
    with pytest.raises(PlatformError, match="no active items"):
        experiment(dataset="empty").run(pushed)


def test_each_repetition_is_a_run_of_its_own_and_all_are_one_record(
    pushed: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    asked: list[tuple[str, int]] = []
    failing = {("s1", 2)}

    async def task(sample: Sample) -> ModelReply | Failure:
        asked.append((sample.id, current_repetition()))
        if asked[-1] in failing:
            return Failure(FailureKind.RATE_LIMIT, "slow down")
        return ModelReply({"text": sample.id}, sample.id)

    first = experiment(task=task, repetitions=3).run(pushed)
    assert sorted(asked) == [(f"s{i}", repetition) for i in range(4) for repetition in (1, 2, 3)]
    assert first.summary.failures == {FailureKind.RATE_LIMIT: 1}
    failing.clear()
    asked.clear()
    again = experiment(task=task, repetitions=3).run(pushed)
    assert asked == [("s1", 2)]
    assert again.record.resumed == 11
    assert (again.record.id, again.summary.failures) == (first.record.id, {})
    named = sorted({o.experiment.name for o in langfuse_server.observations if o.experiment})
    assert named == ["e (k)", "e (k) #2", "e (k) #3"]
    over_all = [s for s in langfuse_server.scores if s["datasetRunId"]]
    assert {s["datasetRunId"] for s in over_all} == {first.record.id}
    assert again.record.url.count("&c=") == 2
    scored = score_experiment(pushed, first.record.id, [CER])
    assert sorted((run.case.id, run.repetition) for run in scored.record.runs) == [
        (f"s{i}", repetition) for i in range(4) for repetition in (1, 2, 3)
    ]


def test_repetitions_are_found_as_one_experiment(pushed: LangfusePlatform) -> None:
    record = experiment(repetitions=2).run(pushed).record
    assert [header.id for header in found_on(pushed, "d")] == [record.id]
    further = record.url.partition("&c=")[2]
    for identity in (record.id, further):
        read = read_back(pushed, identity)
        assert (read.id, len(read.runs)) == (record.id, 8)


def test_a_task_that_ends_the_run_ends_it(pushed: LangfusePlatform, langfuse_server: LangfuseServer) -> None:
    spent = iter(["s"])

    async def task(sample: Sample) -> ModelReply:
        if next(spent, None) is None:
            raise RunStopped("the budget is spent")
        return ModelReply({"text": sample.id}, sample.id)

    first = experiment(task=task, concurrency=1, repetitions=2).run(pushed).record
    assert first.stopped == "the budget is spent"
    # Samples are pushed many at once, so which of them Langfuse lists first is its own affair.
    (answered,) = first.runs
    assert answered.case.output == {"text": answered.case.id}
    assert [run.case.id for run in read_back(pushed, first.id).runs] == [answered.case.id]
    waiting = [o for o in langfuse_server.observations if "not answered yet" in (o.status_message or "")]
    assert {o.status_message for o in waiting} == {"not answered yet: the budget is spent"}
    assert len([o for o in waiting if o.id == o.experiment.root_observation_id]) == 3
    assert {o.level for o in langfuse_server.observations} == {"DEFAULT"}
    again = experiment(repetitions=2).run(pushed).record
    assert (again.id, again.resumed, len(again.runs), again.stopped) == (first.id, 1, 8, "")
