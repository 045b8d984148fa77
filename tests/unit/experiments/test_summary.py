"""What an experiment says as a whole: values, denominators, failures and intervals."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from rich.console import Console

from vlmops import ImageDataset, Sample, function_task, push
from vlmops.cli.grid import print_grid
from vlmops.cli.summary_table import summary_grid
from vlmops.evaluators import (
    Case,
    CharacterErrorRate,
    Failure,
    FailureKind,
    Score,
    SetScore,
    Slice,
    create,
)
from vlmops.experiments import Experiment, ExperimentSummary, summarise
from vlmops.platforms.records import ExperimentRecord, Run
from vlmops.testing import MemoryPlatform


@dataclass(frozen=True)
class Named:
    """Stands for the evaluator whose results are in the runs already."""

    name: str

    def evaluate(self, case: Case) -> Score:
        raise AssertionError("a summary evaluates no case anew")


@dataclass(frozen=True)
class SetFailure:
    name: str = "whole"

    def evaluate_set(self, cases: Sequence[Case]) -> Failure:
        return Failure(FailureKind.EVALUATOR_ERROR, "cannot", self.name)


@dataclass(frozen=True)
class Coroutine:
    name: str = "share"

    async def evaluate_set(self, cases: Sequence[Case]) -> list[SetScore]:
        return [SetScore("share", 0.25, len(cases)), SetScore("share.other", 0.5, len(cases))]


def run(
    sample: str, *results: Score | Failure, output: object = "a", repetition: int = 1, **case: object
) -> Run:
    return Run(Case(output, id=sample, **case), repetition, results)


def record(*runs: Run) -> ExperimentRecord:
    return ExperimentRecord("e1", "variant", "http://phoenix/e1", "d1", "v1", runs)


def by_name(summary: ExperimentSummary) -> dict[str, SetScore]:
    return {score.name: score for score in summary.scores}


async def test_a_mean_says_how_many_answers_stand_behind_it_and_how_many_do_not() -> None:
    failure = Failure(FailureKind.UNPARSABLE, "no number", "count")
    summary = await summarise(
        record(run("a", Score("count", 1.0)), run("b", Score("count", 0.0)), run("c", failure)),
        [Named("count")],
    )
    score = by_name(summary)["count"]
    assert (score.value, score.n, score.failures) == (0.5, 2, 1)
    assert score.interval is not None
    assert score.interval.low <= 0.5 <= score.interval.high
    assert summary.runs == 3
    assert summary.failures == {}


async def test_failed_answers_are_counted_by_kind_and_are_in_no_mean() -> None:
    summary = await summarise(
        record(
            run("a", Score("hit", True)),
            run("b", output=Failure(FailureKind.TIMEOUT, "slow")),
            run("c", output=Failure(FailureKind.TIMEOUT, "slow")),
            run("d", output=Failure(FailureKind.REFUSAL, "no")),
        ),
        [Named("hit")],
    )
    assert summary.runs == 4
    assert summary.failures == {FailureKind.TIMEOUT: 2, FailureKind.REFUSAL: 1}
    assert (by_name(summary)["hit"].value, by_name(summary)["hit"].n) == (1.0, 1)


async def test_an_evaluator_that_failed_everywhere_does_not_vanish() -> None:
    failure = Failure(FailureKind.MISSING_OUTPUT, "no 'text' in the output value", "cer")
    summary = await summarise(record(run("a", failure), run("b", failure)), [Named("cer")])
    score = by_name(summary)["cer"]
    assert math.isnan(score.value)
    assert (score.n, score.failures, score.interval) == (0, 2, None)


async def test_failures_count_in_every_score_that_the_evaluator_gives() -> None:
    failure = Failure(FailureKind.UNPARSABLE, "not JSON", "fields")
    summary = await summarise(
        record(
            run("a", Score("fields.precision", 1.0), Score("fields.recall", 0.5)),
            run("b", failure),
        ),
        [Named("fields")],
    )
    assert {name: score.failures for name, score in by_name(summary).items()} == {
        "fields.precision": 1,
        "fields.recall": 1,
    }


async def test_labels_have_no_mean_and_are_no_failure() -> None:
    failure = Failure(FailureKind.REFUSAL, "no", "colour")
    summary = await summarise(record(run("a", Score("colour", "red")), run("b", failure)), [Named("colour")])
    assert summary.scores == []


async def test_repetitions_of_one_sample_count_as_one_in_the_interval() -> None:
    values = {"a": 0.0, "b": 1.0, "c": 1.0, "d": 0.0}
    once = await summarise(record(*(run(key, Score("hit", value)) for key, value in values.items())), [])
    thrice = await summarise(
        record(
            *(
                run(key, Score("hit", value), repetition=repetition)
                for key, value in values.items()
                for repetition in (1, 2, 3)
            )
        ),
        [],
    )
    first, second = by_name(once)["hit"], by_name(thrice)["hit"]
    assert second.n == 3 * first.n
    assert first.interval is not None
    assert second.interval is not None
    # Asking each sample three times makes nobody surer of anything.
    assert second.interval.high - second.interval.low == pytest.approx(
        first.interval.high - first.interval.low, abs=0.05
    )


async def test_one_sample_alone_has_no_interval_however_often_it_is_answered() -> None:
    summary = await summarise(
        record(run("a", Score("hit", 1.0)), run("a", Score("hit", 0.0), repetition=2)), []
    )
    assert by_name(summary)["hit"].interval is None


async def test_a_corpus_value_takes_the_place_of_the_mean() -> None:
    evaluator = CharacterErrorRate()
    long, short = "x" * 99 + "y", "ab"
    runs = [
        run("a", Score("cer", 0.01), output="x" * 100, expected=long),
        run("b", Score("cer", 0.5), output="ac", expected=short),
    ]
    score = by_name(await summarise(record(*runs), [evaluator]))["cer"]
    assert score.value == pytest.approx(2 / 102)
    assert score.n == 2


async def test_a_corpus_metric_may_be_a_coroutine_and_give_several_values() -> None:
    summary = await summarise(record(run("a"), run("b")), [Coroutine()])
    assert [(s.name, s.value, s.n) for s in summary.scores] == [("share", 0.25, 2), ("share.other", 0.5, 2)]


async def test_a_corpus_metric_that_fails_leaves_the_mean() -> None:
    summary = await summarise(record(run("a", Score("whole", 1.0))), [SetFailure()])
    assert by_name(summary)["whole"].value == 1.0


async def test_answers_without_anything_expected_are_not_applicable_rather_than_failed() -> None:
    summary = await summarise(
        record(run("a", output="ab", expected="ab"), run("b", output="ab")), [CharacterErrorRate()]
    )
    assert summary.not_applicable == {"cer": 1}
    assert (by_name(summary)["cer"].n, by_name(summary)["cer"].failures) == (1, 0)


async def test_latency_is_the_median_of_what_is_known() -> None:
    summary = await summarise(
        record(run("a", latency=1.0), run("b", latency=9.0), run("c", latency=2.0), run("d")), []
    )
    assert summary.latency == 2.0
    assert (await summarise(record(run("a")), [])).latency is None


async def test_an_empty_experiment_has_an_empty_summary() -> None:
    summary = await summarise(record(), [CharacterErrorRate()])
    assert (summary.scores, summary.runs, summary.failures, summary.not_applicable) == ([], 0, {}, {})


async def test_failed_answers_are_in_the_error_rate_and_in_no_other_value() -> None:
    failed = Run(Case(Failure(FailureKind.TIMEOUT, "too slow"), expected="x", id="c"), 1, [])
    summary = await summarise(
        record(run("a", Score("whole", 1.0)), run("b", Score("whole", 0.0)), failed), [create("error_rate")]
    )
    scores = by_name(summary)
    assert scores["error_rate"].value == pytest.approx(1 / 3)
    assert (scores["whole"].value, scores["whole"].n, scores["whole"].failures) == (0.5, 2, 1)


async def test_slices_have_figures_of_their_own() -> None:
    runs = [
        run("a", Score("whole", 1.0), metadata={"light": "dim", "parts": ["door", "hinge"]}),
        run("b", Score("whole", 0.0), metadata={"light": "bright", "parts": ["door"]}),
        run("c", Score("whole", 0.5), output="longer"),
    ]
    long = Slice("long", lambda case: len(case.output) > 1)
    summary = await summarise(record(*runs), [Named("whole")], ["light", "parts", long])
    values = {name: by_name(part)["whole"].value for name, part in summary.slices.items()}
    assert values == {
        "light=dim": 1.0,
        "light=bright": 0.0,
        "parts=door": 0.5,
        "parts=hinge": 1.0,
        "long": 0.5,
    }
    assert by_name(summary)["whole"].n == 3


def test_slices_reach_the_platform_and_the_table() -> None:
    platform = MemoryPlatform()
    samples = [Sample(f"s{i}", {"n": i}, expected="x", metadata={"half": i // 2}) for i in range(4)]
    push(ImageDataset.from_samples("d", samples), platform)
    task = function_task(lambda sample: "x" if sample.inputs["n"] < 2 else "y")
    result = Experiment("d", "e", task, [CharacterErrorRate()], slices=["half"]).run(platform)
    written = platform.experiments.stored[result.record.id].set_scores
    assert (written["cer [half=0]"].value, written["cer [half=1]"].value) == (0.0, 1.0)
    console = Console(width=120, record=True, file=io.StringIO())
    print_grid(console, summary_grid([result.summary]))
    assert "cer ↓ (half=1)" in console.export_text()
