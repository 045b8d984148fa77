"""Running an experiment, continuing it, and scoring it anew, on the platform in memory."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from vlmops.datasets import ImageDataset, Sample
from vlmops.evaluators import (
    Case,
    CharacterErrorRate,
    Failure,
    FailureKind,
    Score,
    SetScore,
    WordErrorRate,
)
from vlmops.experiments import Experiment, function_task, score_experiment_async
from vlmops.platforms import push
from vlmops.testing import MemoryPlatform, picture


@dataclass(frozen=True)
class Never:
    """Fails on every case."""

    name: str = "never"

    def evaluate(self, case: Case) -> Score:
        raise RuntimeError("out of order")


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("VLMOPS_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def platform() -> MemoryPlatform:
    platform = MemoryPlatform()
    samples = [Sample(f"s{n}", {"image": picture(n)}, expected=f"text {n}") for n in range(4)]
    push(ImageDataset.from_samples("d", samples), platform)
    return platform


def read(sample: Sample) -> str:
    return f"text {sample.id[1:]}"


def test_it_answers_every_sample_and_sums_up(platform: MemoryPlatform) -> None:
    result = Experiment("d", "reader", function_task(read), [CharacterErrorRate()]).run(platform)
    [score] = result.summary.scores
    assert (score.name, score.value, score.n) == ("cer", 0.0, 4)
    assert len(result.record.runs) == 4


def test_run_again_it_answers_only_what_failed(platform: MemoryPlatform) -> None:
    asked: list[str] = []
    broken = {"s2"}

    def task(sample: Sample) -> str:
        asked.append(sample.id)
        if sample.id in broken:
            raise ConnectionError("reset")
        return read(sample)

    first = Experiment("d", "reader", function_task(task), [CharacterErrorRate()]).run(platform)
    assert first.summary.failures == {FailureKind.TASK_ERROR: 1}
    asked.clear()
    broken.clear()
    second = Experiment("d", "reader", function_task(task), [CharacterErrorRate()]).run(platform)
    assert asked == ["s2"]
    assert second.record.id == first.record.id
    assert second.summary.failures == {}
    assert second.summary.scores[0].n == 4


@pytest.mark.parametrize(
    "changed", [{"name": "other"}, {"metadata": {"prompt": "v2"}}, {"repetitions": 2}, {"key": "mine"}]
)
def test_another_name_metadata_or_key_is_another_experiment(
    platform: MemoryPlatform, changed: dict[str, object]
) -> None:
    base: dict[str, object] = {"dataset": "d", "name": "reader", "task": function_task(read)}
    first = Experiment(**base).run(platform)
    second = Experiment(**(base | changed)).run(platform)
    assert first.record.id != second.record.id


def test_an_evaluator_without_any_score_is_shown_but_not_written(
    platform: MemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    async def keep(experiment_id: str, scores: list[SetScore]) -> None:
        written.extend(score.name for score in scores)

    monkeypatch.setattr(platform.experiments, "write_set_scores", keep)
    result = Experiment("d", "reader", function_task(read), [CharacterErrorRate(), Never()]).run(platform)
    never = next(score for score in result.summary.scores if score.name == "never")
    assert math.isnan(never.value)
    assert (never.n, never.failures) == (0, 4)
    assert written == ["cer"]


@pytest.mark.parametrize(("key", "answered"), [("", 5), ("mine", 4)])
def test_a_dataset_that_has_changed_is_answered_as_it_is_now(
    platform: MemoryPlatform, key: str, answered: int
) -> None:
    """Who gives a key says that the experiment goes on, with the samples it began with."""
    experiment = Experiment("d", "reader", function_task(read), key=key)
    first = experiment.run(platform)
    push(ImageDataset.from_samples("d", [Sample("s9", {"image": picture(9)})]), platform)
    again = experiment.run(platform)
    assert len(again.record.runs) == answered
    assert (again.record.id == first.record.id) is bool(key)


async def test_scoring_again_adds_a_metric_to_answers_that_are_there(platform: MemoryPlatform) -> None:
    done = await Experiment("d", "reader", function_task(read)).run_async(platform)
    assert done.summary.scores == []
    scored = await score_experiment_async(platform, done.record.id, [CharacterErrorRate()])
    assert [(score.name, score.n) for score in scored.summary.scores] == [("cer", 4)]


async def test_scoring_with_another_evaluator_leaves_what_the_run_has(
    platform: MemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = await Experiment("d", "reader", function_task(read), [CharacterErrorRate()]).run_async(platform)
    written: list[str] = []

    async def keep(experiment_id: str, scores: list[SetScore]) -> None:
        written.extend(score.name for score in scores)

    monkeypatch.setattr(platform.experiments, "write_set_scores", keep)
    again = await score_experiment_async(platform, done.record.id, [WordErrorRate()])
    assert written == ["wer"]
    assert [score.name for score in again.summary.scores] == ["wer"]


def test_a_push_without_one_usable_row_leaves_what_the_platform_says_of_the_dataset(
    platform: MemoryPlatform, tmp_path
) -> None:
    before = platform.stored["d"].header
    table = tmp_path / "d.jsonl"
    table.write_text('{"image": "missing.png", "expected": "x"}\n')
    report = push(ImageDataset.from_file(table, description="emptied"), platform)
    assert len(report.failures) == 1
    assert platform.stored["d"].header == before


def test_failures_of_tasks_are_not_scored(platform: MemoryPlatform) -> None:
    async def fails(sample: Sample) -> Failure:
        return Failure(FailureKind.REFUSAL, "no")

    result = Experiment("d", "refuser", fails, [CharacterErrorRate()]).run(platform)
    assert result.summary.failures == {FailureKind.REFUSAL: 4}
    (score,) = result.summary.scores
    assert (score.name, score.n, score.failures, math.isnan(score.value)) == ("cer", 0, 4, True)
