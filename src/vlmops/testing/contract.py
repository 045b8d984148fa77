"""The contract every adapter must pass; an adapter's suite inherits it and gives a platform.

::

    class TestMyPlatform(PlatformContract):
        @pytest.fixture
        def platform(self):
            return MyPlatform(...)

Everything runs under names with a random suffix; :meth:`PlatformContract.clean_up` is called with the names
used, for platforms that outlive the tests.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from vlmops.datasets import ImageDataset, Sample, digest
from vlmops.errors import PlatformError, UsageError
from vlmops.evaluators import (
    Case,
    CharacterErrorRate,
    Evaluator,
    Failure,
    FailureKind,
    Score,
    Usage,
    WordErrorRate,
)
from vlmops.experiments import Experiment, ExperimentResult
from vlmops.images import Image
from vlmops.models import ModelReply
from vlmops.platforms import (
    ExecutionLink,
    ExecutionQuery,
    KeepsPrompts,
    Platform,
    Prompt,
    PromptTurn,
    PromptVersion,
    ScoreCondition,
    ScoreReport,
    answered,
    collect,
    execution_link,
    pull,
    push,
    score_executions,
)
from vlmops.platforms.records import Execution, ExperimentHeader, ExperimentRecord, TargetedScore, Task
from vlmops.testing.pictures import picture

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class TwoScores:
    """An evaluator with two scores, for which a platform that keeps only the first would fail."""

    name: str = "two"

    def evaluate(self, case: Case) -> list[Score]:
        """Length of the answer, and whether there is a picture to look at."""
        seen = bool(case.images) and case.images[0].width > 0
        return [Score("two.length", float(len(str(case.output))), range=None), Score("two.seen", seen)]


@dataclass(frozen=True, kw_only=True)
class Broken:
    """An evaluator with a bug."""

    name: str = "broken"

    def evaluate(self, case: Case) -> Score:
        """Raise."""
        raise RuntimeError(f"a bug met {case.id}")


class PlatformContract:
    """What must hold on every platform."""

    @pytest.fixture
    def platform(self) -> Platform:
        """The platform under test."""
        raise NotImplementedError("give the platform under test")

    @pytest.fixture
    def name(self, platform: Platform) -> Iterator[str]:
        """A dataset name nobody else uses."""
        unique = f"contract-{uuid.uuid4().hex[:10]}"
        yield unique
        self.clean_up(platform, unique)

    def clean_up(self, platform: Platform, name: str) -> None:
        """Remove what a test left under this name; nothing by default."""

    def refuse(self, platform: Platform, sample_id: str) -> bool:
        """Make the platform refuse this sample from now on; ``False`` if it cannot be made to."""
        return False

    def record_execution(self, platform: Platform, name: str, image: Image, answer: str) -> bool:
        """Record one execution with this picture in project ``name``; ``False`` if it cannot be done here."""
        return False

    def score_values(self, platform: Platform, execution: Execution) -> dict[str, object] | None:
        """Values of the scores the platform holds for an execution, by name; ``None`` if not known."""
        return None

    # Datasets

    def test_a_pushed_dataset_comes_back_without_loss(
        self, platform: Platform, name: str, tmp_path: Path
    ) -> None:
        dataset = ImageDataset.from_samples(name, samples(5))
        pushed = push(dataset, platform)
        assert pushed.ok
        report = pull(platform, name, tmp_path / "pulled")
        assert report.failures == []
        assert report.revision == pushed.revision == dataset.revision()
        back = {sample.id: sample for sample in ImageDataset.from_folder(tmp_path / "pulled")}
        assert {i: digest(s) for i, s in back.items()} == {s.id: digest(s) for s in samples(5)}
        assert back["s1"].inputs["image"].read() == picture(1).read()

    def test_pushing_again_changes_nothing(self, platform: Platform, name: str) -> None:
        first = push(ImageDataset.from_samples(name, samples(7)), platform).targets[0]
        again = push(ImageDataset.from_samples(name, samples(7)), platform).targets[0]
        assert (first.created, first.updated, first.unchanged) == (7, 0, 0)
        assert (again.created, again.updated, again.unchanged) == (0, 0, 7)
        assert again.version == first.version

    def test_only_what_changed_is_updated_and_nothing_is_deleted(self, platform: Platform, name: str) -> None:
        push(ImageDataset.from_samples(name, samples(6)), platform)
        changed = [replace(samples(6)[0], expected={"text": "new"}), *samples(6)[1:3]]
        report = push(ImageDataset.from_samples(name, changed), platform).targets[0]
        assert (report.created, report.updated, report.unchanged, report.deleted) == (0, 1, 2, 0)
        assert len(ids_on(platform, name)) == 6

    def test_mirroring_removes_what_is_gone_and_it_may_come_back(self, platform: Platform, name: str) -> None:
        push(ImageDataset.from_samples(name, samples(6)), platform)
        report = push(ImageDataset.from_samples(name, samples(2)), platform, mirror=True).targets[0]
        assert (report.unchanged, report.deleted) == (2, 4)
        assert ids_on(platform, name) == {"s0", "s1"}
        push(ImageDataset.from_samples(name, samples(3)), platform)
        assert ids_on(platform, name) == {"s0", "s1", "s2"}

    def test_one_bad_picture_costs_one_sample(self, platform: Platform, name: str) -> None:
        bad = Sample("bad", {"image": Image.from_bytes(b"this is no picture", "notes.png")}, source="l.csv:3")
        report = push(ImageDataset.from_samples(name, [*samples(3), bad]), platform)
        assert [failure.id for failure in report.failures] == ["bad"]
        assert "notes.png" in report.failures[0].message
        assert report.targets[0].created == 3
        assert ids_on(platform, name) == {"s0", "s1", "s2"}

    def test_a_refused_sample_is_named_and_the_rest_is_written(self, platform: Platform, name: str) -> None:
        if not self.refuse(platform, "s2"):
            pytest.skip("this platform cannot be made to refuse one sample")
        report = push(ImageDataset.from_samples(name, samples(5)), platform).targets[0]
        assert [failure.id for failure in report.failures] == ["s2"]
        assert report.created == 4

    def test_an_earlier_version_can_be_read(self, platform: Platform, name: str) -> None:
        first = push(ImageDataset.from_samples(name, samples(2)), platform).targets[0].version
        push(ImageDataset.from_samples(name, samples(4)), platform)
        assert ids_on(platform, name, first) == {"s0", "s1"}
        assert ids_on(platform, name) == {"s0", "s1", "s2", "s3"}

    def test_reading_what_is_not_there_is_an_error(
        self, platform: Platform, name: str, tmp_path: Path
    ) -> None:
        with pytest.raises(PlatformError, match=name):
            pull(platform, name, tmp_path)

    # Experiments

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
        assert len(found_on(platform, name, name=f"experiment-{name}")) == 3
        assert found_on(platform, name, name="another") == []

    def test_experiments_are_found_by_any_of_their_tags(self, platform: Platform, name: str) -> None:
        first = self.ran(platform, name, key="1", tags=["nightly", "release-1"]).record
        again = self.ran(platform, name, key="1", tags=["nightly", "release-1"], pushed=True).record
        second = self.ran(platform, name, key="1", tags=["nightly"], pushed=True).record
        assert (again.id, again.resumed) == (first.id, 4)
        assert [h.id for h in found_on(platform, name, metadata={"tags": "nightly"})] == [second.id, first.id]
        assert [h.id for h in found_on(platform, name, metadata={"tags": "release-1"})] == [first.id]
        assert found_on(platform, name, metadata={"tags": "release"}) == []

    # Executions and scores

    def test_recorded_executions_are_scored_once(self, platform: Platform, name: str) -> None:
        if not self.record_execution(platform, name, picture(7), "seven"):
            pytest.skip("this suite cannot record an execution here")
        query = ExecutionQuery(project=name)
        for _ in range(2):
            report = score_executions(platform, query, [TwoScores()])
            assert (report.executions, report.written, report.failures) == (1, 2, [])
        execution = executions_on(platform, query)[0]
        assert execution.case.images[0].read() == picture(7).read()
        assert execution.case.output == "seven"
        held = self.score_values(platform, execution)
        if held is not None:
            assert held == {"two.length": 5.0, "two.seen": True}

    def test_a_refused_score_is_reported_never_lost(self, platform: Platform, name: str) -> None:
        if not self.record_execution(platform, name, picture(7), "seven"):
            pytest.skip("this suite cannot record an execution here")
        execution = executions_on(platform, ExecutionQuery(project=name))[0]
        unknown = replace(execution.target, id=self.unknown_target(execution))
        good, bad = (TargetedScore(target, Score("x", 1.0)) for target in (execution.target, unknown))
        report = written(platform, [good, bad])
        assert report.written == 1
        assert [failure.id for failure in report.failures] == [unknown.id]

    def test_executions_are_chosen_by_what_was_said_of_them(self, platform: Platform, name: str) -> None:
        if not self.record_execution(platform, name, picture(7), "seven"):
            pytest.skip("this suite cannot record an execution here")
        execution = executions_on(platform, ExecutionQuery(project=name))[0]
        said = [Score("doubt", 0.25, range=(0.0, 1.0)), Score("verdict", "wrong", range=None)]
        assert written(platform, [TargetedScore(execution.target, score) for score in said]).written == 2

        def chosen(*conditions: str) -> list[Execution]:
            wanted = [ScoreCondition.parse(condition) for condition in conditions]
            return executions_on(platform, ExecutionQuery(project=name, scores=wanted, limit=1))

        for conditions in (["doubt<0.5"], ["verdict=wrong"], ["doubt>=0.25", "verdict!=right"], ["doubt"]):
            (found,) = chosen(*conditions)
            assert {item.score.name: item.score.value for item in found.scores} == {
                "doubt": 0.25,
                "verdict": "wrong",
            }
        assert not any(map(chosen, ("doubt>0.5", "verdict=right", "nobody said")))

    def test_executions_become_samples_of_a_dataset_once(
        self, platform: Platform, name: str, tmp_path: Path
    ) -> None:
        if not self.record_execution(platform, name, picture(7), "seven"):
            pytest.skip("this suite cannot record an execution here")
        query = ExecutionQuery(project=name)
        target = executions_on(platform, query)[0].target
        first = collect(platform, query, name, expected=answered).targets[0]
        again = collect(platform, query, name, expected=answered).targets[0]
        assert (first.created, first.failures) == (1, [])
        assert (again.created, again.updated, again.unchanged) == (0, 0, 1)
        assert pull(platform, name, tmp_path / "pulled").failures == []
        (sample,) = ImageDataset.from_folder(tmp_path / "pulled")
        assert (sample.id, sample.expected) == (target.id, "seven")
        assert sample.images[0].read() == picture(7).read()
        link = execution_link(sample, platform.name)
        assert link == ExecutionLink(target.trace_id, target.id)

    # Prompts

    def test_a_published_prompt_comes_back_as_it_was(self, platform: Platform, name: str) -> None:
        given = prompt_of(name, 'Judge {what is shown}.\n- a <tag>, a "quote", größer ✓')
        version = published(platform, given)
        assert fetched(platform, name) == version
        assert fetched(platform, name, version=version.version).prompt.content == given.content
        assert version.url

    def test_the_same_prompt_keeps_its_version(self, platform: Platform, name: str) -> None:
        first = published(platform, prompt_of(name, "one"))
        second = published(platform, prompt_of(name, "two"))
        assert published(platform, prompt_of(name, "one")).id == first.id
        assert published(platform, prompt_of(name, "two")).id == second.id
        assert first.version != second.version
        assert fetched(platform, name).prompt.turns[0].text == "two"
        other = published(platform, replace(prompt_of(name, "two"), metadata={"view": {"max_side": 800}}))
        assert other.version not in (first.version, second.version)

    def test_a_label_points_to_one_version_of_a_prompt(self, platform: Platform, name: str) -> None:
        first = published(platform, prompt_of(name, "one"), "checked")
        assert fetched(platform, name, label="checked").id == first.id
        second = published(platform, prompt_of(name, "two"))
        assert fetched(platform, name, label="checked").id == first.id
        assert published(platform, prompt_of(name, "two"), "checked").labels == ("checked",)
        assert fetched(platform, name, label="checked").id == second.id
        assert fetched(platform, name, version=first.version).labels == ()

    def test_fetching_a_prompt_that_is_not_there_is_an_error(self, platform: Platform, name: str) -> None:
        with pytest.raises(PlatformError, match=name):
            fetched(platform, name)
        published(platform, prompt_of(name, "one"))
        with pytest.raises(PlatformError, match=name):
            fetched(platform, name, label="nobody")
        with pytest.raises(UsageError):
            fetched(platform, name, version="1", label="checked")

    def unknown_experiment(self) -> str:
        """An id of the right form that no experiment has."""
        return "RXhwZXJpbWVudDo5OTk5OTk="

    def unknown_target(self, execution: Execution) -> str:
        """An id of the right form that the platform does not know."""
        return "0" * len(execution.target.id)

    def ran(
        self,
        platform: Platform,
        name: str,
        *,
        task: Task | None = None,
        evaluators: Sequence[Evaluator] = (),
        key: str = "",
        repetitions: int = 1,
        pushed: bool = False,
        metadata: Mapping[str, Any] | None = None,
        tags: Sequence[str] = (),
    ) -> ExperimentResult:
        """An experiment on four samples of a dataset that is pushed first."""
        if not pushed:
            assert push(ImageDataset.from_samples(name, samples(4)), platform).ok
        return Experiment(
            dataset=name,
            name=f"experiment-{name}",
            task=task or _read_back,
            evaluators=evaluators,
            key=key,
            repetitions=repetitions,
            metadata=metadata or {"model": "m"},
            tags=tags,
        ).run(platform)


def samples(count: int) -> list[Sample]:
    """Samples with a picture, nested values, a split and tags."""
    return [
        Sample(
            f"s{i}",
            {"image": picture(i), "question": f"Which number is <{i}>?", "options": [1, 2.5, None, True]},
            expected={"text": f"s{i}", "nested": {"deep": [{"a": i}], "empty": {}}},
            metadata={"kind": "even" if i % 2 == 0 else "odd", "umlaut": "Größe ✓"},
            split="test" if i % 2 == 0 else "train",
            tags=("small", f"n{i}"),
        )
        for i in range(count)
    ]


def ids_on(platform: Platform, name: str, version: str | None = None) -> set[str]:
    """Ids of the dataset's samples there."""
    from vlmops.blocking import blocking

    dataset = blocking(lambda: platform.datasets.read(name, version), platform)
    return {sample.id for sample in dataset}


def read_back(platform: Platform, experiment_id: str) -> ExperimentRecord:
    """The experiment as the platform has it now."""
    from vlmops.blocking import blocking

    return blocking(lambda: platform.experiments.read(experiment_id), platform)


def found_on(
    platform: Platform, dataset: str, name: str | None = None, metadata: Mapping[str, Any] | None = None
) -> list[ExperimentHeader]:
    """Experiments on the dataset, newest first."""
    from vlmops.blocking import blocking

    found = blocking(lambda: platform.experiments.find(dataset, name=name, metadata=metadata), platform)
    return list(found)


def scores_of(record: ExperimentRecord) -> dict[str, dict[str, object]]:
    """Values of the scores of each sample."""
    return {
        run.case.id: {result.name: result.value for result in run.results if isinstance(result, Score)}
        for run in record.runs
    }


def executions_on(platform: Platform, query: ExecutionQuery) -> list[Execution]:
    """What the platform has recorded."""
    from vlmops.blocking import blocking

    async def gathered() -> list[Execution]:
        return [execution async for execution in platform.executions.read(query)]

    return blocking(gathered, platform)


def written(platform: Platform, scores: Sequence[TargetedScore]) -> ScoreReport:
    """Report of writing these scores."""
    from vlmops.blocking import blocking

    return blocking(lambda: platform.scores.write(scores), platform)


def prompt_of(name: str, instructions: str) -> Prompt:
    """A prompt of two turns with metadata."""
    turns = (PromptTurn("system", instructions), PromptTurn("user", "{{question}}"))
    return Prompt(name, turns, {"schema": {"type": "object"}, "share": 0.5, "none": None})


def published(platform: Platform, prompt: Prompt, *labels: str) -> PromptVersion:
    """The version under which the platform keeps the prompt."""
    from vlmops.blocking import blocking

    if not isinstance(platform, KeepsPrompts):
        pytest.skip("this platform keeps no prompts")
    return blocking(lambda: platform.prompts.publish(prompt, labels), platform)


def fetched(
    platform: Platform, name: str, version: str | None = None, label: str | None = None
) -> PromptVersion:
    """The prompt as the platform has it."""
    from vlmops.blocking import blocking

    if not isinstance(platform, KeepsPrompts):
        pytest.skip("this platform keeps no prompts")
    return blocking(lambda: platform.prompts.fetch(name, version=version, label=label), platform)


async def _read_back(sample: Sample) -> ModelReply:
    return ModelReply({"text": sample.id}, sample.id, model="m", latency=0.01)
