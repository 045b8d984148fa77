"""What must hold of experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vlmops.datasets import ImageDataset
from vlmops.errors import PlatformError
from vlmops.evaluators import (
    CharacterErrorRate,
    Failure,
    FailureKind,
    Score,
    Usage,
    WordErrorRate,
)
from vlmops.models import ModelReply, ModelRequest, ask
from vlmops.platforms import push
from vlmops.testing.pictures import picture

if TYPE_CHECKING:
    from vlmops.datasets import Sample
    from vlmops.platforms import (
        Platform,
    )

from vlmops.testing.contract.base import Contract
from vlmops.testing.contract.evaluators import HALF, WHOLE, BreaksOff, Broken, HalfFailed, HalfSaid, TwoScores
from vlmops.testing.contract.reading import found_on, read_back, samples, scores_of


class ExperimentContract(Contract):
    """Running, continuing, scoring again, reading back, finding."""

    def test_an_experiment_answers_and_scores_every_sample(self, platform: Platform, name: str) -> None:
        result = self.ran(platform, name, evaluators=[CharacterErrorRate(key="text"), TwoScores()])
        assert {run.case.id for run in result.record.runs} == {"s0", "s1", "s2", "s3"}
        for run in result.record.runs:
            scores = {r.name: r.value for r in run.results if isinstance(r, Score)}
            assert scores == {"cer": 0.0, "two.length": float(len(str(run.case.output))), "two.seen": True}
            assert run.case.images[0].read() == picture(int(run.case.id[1:])).read()

    def test_failures_are_kept_apart_and_never_scores(self, platform: Platform, name: str) -> None:
        async def task(sample: Sample) -> ModelReply | Failure:
            if sample.id == "s1":
                return Failure(FailureKind.REFUSAL, "I would rather not", usage=Usage(90, 3, cost=0.25))
            if sample.id == "s2":
                raise ValueError("a bug in the task")
            return ModelReply({"text": sample.id}, sample.id, model="m")

        result = self.ran(platform, name, task=task, evaluators=[CharacterErrorRate(key="text"), Broken()])
        kinds = {
            run.case.id: run.case.output.kind
            for run in result.record.runs
            if isinstance(run.case.output, Failure)
        }
        assert kinds == {"s1": FailureKind.REFUSAL, "s2": FailureKind.TASK_ERROR}
        assert result.summary.failures == {FailureKind.REFUSAL: 1, FailureKind.TASK_ERROR: 1}
        cer = next(score for score in result.summary.scores if score.name == "cer")
        assert cer.n == 2
        broken = [r for run in result.record.runs for r in run.results if isinstance(r, Failure)]
        assert [f.kind for f in broken] == [FailureKind.EVALUATOR_ERROR] * 2
        for record in (result.record, read_back(platform, result.record.id)):
            paid = {run.case.id: run.case.usage for run in record.runs if run.case.usage is not None}
            assert paid == {"s1": Usage(90, 3, cost=0.25)}

    def test_words_that_break_off_within_a_character_cost_no_answer(
        self, platform: Platform, name: str
    ) -> None:
        async def task(sample: Sample) -> ModelReply | Failure:
            if sample.id == "s1":
                return Failure(FailureKind.REFUSAL, f"I would rather {HALF}")
            if sample.id == "s2":
                raise ValueError(f"cannot read {HALF}")
            if sample.id == "s3":
                return ModelReply({"text": "whole 😀"}, "whole 😀", model="m")
            return await ask(BreaksOff(), ModelRequest(f"Read it {HALF}", (sample.inputs["image"],)))

        ran = self.ran(platform, name, task=task, evaluators=[HalfSaid(), HalfFailed()])
        said = {score.name: score.explanation for score in ran.summary.scores}
        assert said["half_said.all"] == f"each {WHOLE}"
        for record in (ran.record, read_back(platform, ran.record.id)):
            runs = {run.case.id: run for run in record.runs}
            outputs = {key: run.case.output for key, run in runs.items()}
            assert outputs["s0"] == {"text": f"cut {WHOLE}", WHOLE: [1]}
            assert outputs["s1"] == Failure(FailureKind.REFUSAL, f"I would rather {WHOLE}")
            assert outputs["s2"] == Failure(FailureKind.TASK_ERROR, f"ValueError: cannot read {WHOLE}")
            assert outputs["s3"] == {"text": "whole 😀"}
            for run in (runs["s0"], runs["s3"]):
                scores = {each.name: each for each in run.results if isinstance(each, Score)}
                assert scores["half_said.mood"].value == f"smiling {WHOLE}"
                assert scores["half_said.polite"].explanation == f"because {WHOLE}"
                assert scores["half_said.polite"].metadata["said"] == [f"cut {WHOLE}"]

    def test_an_experiment_is_continued_not_repeated(self, platform: Platform, name: str) -> None:
        asked: list[str] = []
        broken = {"s1", "s3"}

        async def task(sample: Sample) -> ModelReply | Failure:
            asked.append(sample.id)
            if sample.id in broken:
                return Failure(FailureKind.RATE_LIMIT, "slow down")
            return ModelReply({"text": sample.id}, sample.id, model="m")

        first = self.ran(platform, name, task=task, key="k")
        broken.clear()
        asked.clear()
        second = self.ran(platform, name, task=task, key="k", pushed=True)
        assert sorted(asked) == ["s1", "s3"]
        assert second.record.id == first.record.id
        assert second.record.resumed == 2
        assert second.summary.failures == {}
        assert len(second.record.runs) == 4

    def test_a_dataset_that_has_grown_is_answered_as_it_is_now(self, platform: Platform, name: str) -> None:
        """But an experiment with a key of its own goes on with the samples it began with."""
        keyed = self.ran(platform, name, key="k").record
        made = self.ran(platform, name, pushed=True).record
        assert self.ran(platform, name, pushed=True).record.id == made.id
        assert push(ImageDataset.from_samples(name, samples(5)), platform).ok
        again = self.ran(platform, name, key="k", pushed=True).record
        assert (again.id, len(again.runs), again.resumed) == (keyed.id, 4, 4)
        anew = self.ran(platform, name, pushed=True).record
        assert anew.id != made.id
        assert {run.case.id for run in anew.runs} == {"s0", "s1", "s2", "s3", "s4"}

    def test_repetitions_are_kept_apart(self, platform: Platform, name: str) -> None:
        if not platform.capabilities.repetitions:
            pytest.skip("this platform keeps one answer a sample")
        result = self.ran(platform, name, repetitions=3)
        kept = sorted((run.case.id, run.repetition) for run in result.record.runs)
        assert kept == [(f"s{i}", repetition) for i in range(4) for repetition in (1, 2, 3)]

    def test_scoring_again_replaces(self, platform: Platform, name: str) -> None:
        from vlmops.experiments import score_experiment

        first = self.ran(platform, name, evaluators=[CharacterErrorRate(key="text")])
        evaluators = [CharacterErrorRate(key="text"), WordErrorRate(key="text")]
        second = score_experiment(platform, first.record.id, evaluators)
        for run in second.record.runs:
            assert sorted(r.name for r in run.results if isinstance(r, Score)) == ["cer", "wer"]

    def test_an_experiment_that_has_run_is_read_as_it_was(self, platform: Platform, name: str) -> None:
        record = self.ran(platform, name, evaluators=[CharacterErrorRate(key="text"), TwoScores()]).record
        read = read_back(platform, record.id)
        assert (read.id, read.dataset_id, read.url) == (record.id, record.dataset_id, record.url)
        assert read.name == record.name == f"experiment-{name}"
        assert read.metadata["model"] == "m"
        assert scores_of(read) == scores_of(record)
        latencies = [run.case.latency for run in read.runs]
        assert latencies == [0.01] * 4

    def test_reading_an_experiment_that_is_not_there_is_an_error(self, platform: Platform) -> None:
        with pytest.raises(PlatformError):
            read_back(platform, self.unknown_experiment())

    def test_experiments_are_found_by_name_and_metadata(self, platform: Platform, name: str) -> None:
        first = self.ran(platform, name, key="1", metadata={"model": "m", "git_branch": "main"}).record
        second = self.ran(platform, name, key="2", metadata={"git_branch": "main"}, pushed=True).record
        third = self.ran(platform, name, key="3", metadata={"git_branch": "next"}, pushed=True).record
        everything = found_on(platform, name)
        assert [header.id for header in everything] == [third.id, second.id, first.id]
        assert [h.id for h in found_on(platform, name, metadata={"git_branch": "main"})] == [
            second.id,
            first.id,
        ]
        both = {"git_branch": "main", "model": "m"}
        assert [h.id for h in found_on(platform, name, metadata=both)] == [first.id]
        assert {header.name for header in everything} == {f"experiment-{name}"}
        assert len(found_on(platform, name, name=f"experiment-{name}")) == 3
        assert found_on(platform, name, name="another") == []

    def test_the_history_of_an_experiment_that_is_read_back_holds_its_earlier_runs(
        self, platform: Platform, name: str
    ) -> None:
        from vlmops.reports import past_runs

        first = self.ran(platform, name, key="monday (1)").record
        second = self.ran(platform, name, key="tuesday", pushed=True).record
        past = past_runs(platform, name, [read_back(platform, second.id)])
        assert [run.id for run in past] == [first.id, second.id]

    def test_experiments_are_found_by_any_of_their_tags(self, platform: Platform, name: str) -> None:
        first = self.ran(platform, name, key="1", tags=["nightly", "release-1"]).record
        again = self.ran(platform, name, key="1", tags=["nightly", "release-1"], pushed=True).record
        second = self.ran(platform, name, key="1", tags=["nightly"], pushed=True).record
        assert (again.id, again.resumed) == (first.id, 4)
        assert [h.id for h in found_on(platform, name, metadata={"tags": "nightly"})] == [second.id, first.id]
        assert [h.id for h in found_on(platform, name, metadata={"tags": "release-1"})] == [first.id]
        assert found_on(platform, name, metadata={"tags": "release"}) == []
