"""Comparing experiments: what is paired, what is shown, what is never claimed."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from vlmops.cli.output import json_text
from vlmops.errors import PlatformError, UsageError
from vlmops.evaluators import (
    Case,
    CharacterErrorRate,
    ErrorRate,
    Failure,
    FailureKind,
    Score,
    SetScore,
    Slice,
    Usage,
)
from vlmops.experiments import (
    ExperimentSelector,
    compare,
    comparison_markdown,
    record_comparison,
    summarise,
)
from vlmops.platforms.records import ExperimentRecord, Run
from vlmops.statistics import mcnemar
from vlmops.testing import MemoryPlatform, picture

TIMEOUT = Failure(FailureKind.TIMEOUT, "no answer")


def run(sample: object, *results: Score | Failure, output: object = "a", repetition: int = 1, **case) -> Run:
    return Run(Case(output, id=str(sample), **case), repetition, results)


def record(name: str, runs: Sequence[Run], version: str = "1", **fields) -> ExperimentRecord:
    return ExperimentRecord(name, name, f"https://example.com/{name}", "d", version, runs, **fields)


def passing(name: str, passed: Sequence[bool], **case) -> ExperimentRecord:
    return record(name, [run(i, Score("ok", p), **case) for i, p in enumerate(passed)])


def read(text: str, expected: str, sample: object) -> Run:
    case = Case(text, expected, id=str(sample))
    return Run(case, 1, [CharacterErrorRate().evaluate(case)])


def difference(found, name, part="", at=1):
    return found.measure(name, part).values[at].difference


class TestPairing:
    def test_answers_are_paired_by_sample_and_repetition(self):
        old = record("old", [run(s, Score("x", s), repetition=r) for s in (1, 2, 3) for r in (1, 2)])
        new = record("new", [run(s, Score("x", s + 1), repetition=r) for s in (2, 3, 4) for r in (2, 1)])
        found = compare([old, new])
        assert difference(found, "x").paired.pairs == 4
        assert difference(found, "x").value == 1.0
        assert difference(found, "x").paired.clusters == 2
        assert (found.variants[1].pairs, found.variants[1].missing) == (4, 2)
        assert (
            "2 answers have no partner in the baseline, 2 of the baseline's have none here" in found.notes[0]
        )

    def test_a_sample_with_other_pictures_is_another_sample(self):
        def ran(name, first):
            pictures = [picture(first), picture(9)]
            return record(name, [run(i, Score("ok", True), inputs=[p]) for i, p in enumerate(pictures)])

        found = compare([ran("old", 1), ran("new", 2)])
        assert difference(found, "ok").paired.pairs == 1
        assert any("1 samples have other pictures" in note for note in found.notes)

    def test_questions_about_one_picture_are_one_cluster(self):
        shared = [picture(i) for i in range(10)]
        before = [run(i, Score("x", 0.0), inputs=[shared[i // 10]]) for i in range(100)]
        after = [run(i, Score("x", (i // 10) / 10), inputs=[shared[i // 10]]) for i in range(100)]
        found = difference(compare([record("old", before), record("new", after)]), "x")
        assert (found.paired.pairs, found.paired.clusters) == (100, 10)

    def test_the_same_sample_twice_is_an_error(self):
        twice = record("old", [run("a", Score("x", 1.0)), run("a", Score("x", 0.0))])
        with pytest.raises(UsageError, match="two runs of sample 'a', repetition 1"):
            compare([twice, passing("new", [True])])

    def test_nothing_in_common_is_said_not_computed(self):
        old, new = record("old", [run("a", Score("x", 1.0))]), record("new", [run("b", Score("x", 1.0))])
        found = compare([old, new])
        assert math.isnan(difference(found, "x").value)
        assert difference(found, "x").note == "no sample has a value in both"
        assert any("nothing can be compared" in note for note in found.notes)

    def test_another_version_of_the_dataset_is_noted(self):
        found = compare([passing("old", [True]), record("new", [run(0, Score("ok", True))], version="2")])
        assert "dataset version 2, the baseline on 1" in found.notes[0]


class TestFailures:
    def test_a_failure_is_in_no_value_and_no_pair(self):
        old = record("old", [run(i, Score("ok", True)) for i in range(10)])
        new = record(
            "new",
            [run(i, output=TIMEOUT) for i in range(4)] + [run(i, Score("ok", True)) for i in range(4, 10)],
        )
        found = compare([old, new])
        value = found.measure("ok").values[1]
        assert (value.value, value.n, value.failures) == (1.0, 6, 4)
        assert value.difference.paired.pairs == 6
        assert value.difference.only_baseline == 4
        assert value.difference.value == 0.0
        assert found.variants[1].failures == {FailureKind.TIMEOUT: 4}
        errors = found.measure("error_rate").values[1]
        assert (errors.value, errors.difference.value) == (0.4, 0.4)
        assert "4 pairs have an answer on one side only" in " ".join(found.notes)

    def test_an_evaluator_that_failed_leaves_the_pair_out(self):
        old = record("old", [run(i, Score("ok", True)) for i in range(3)])
        broken = Failure(FailureKind.EVALUATOR_ERROR, "bug", "ok")
        new = record("new", [run(0, broken), run(1, Score("ok", True)), run(2, Score("ok", False))])
        found = compare([old, new]).measure("ok").values[1]
        assert (found.n, found.failures, found.difference.paired.pairs) == (2, 1, 2)

    def test_a_metric_that_one_side_lacks_has_no_difference(self):
        found = compare([passing("old", [True, True]), record("new", [run(0), run(1)])])
        value = found.measure("ok").values[1]
        assert math.isnan(value.value)
        assert value.n == 0
        assert (value.difference.only_baseline, value.difference.paired.pairs) == (2, 0)


class TestMetrics:
    def test_pass_and_fail_are_compared_by_mcnemars_test(self):
        old = passing("old", [True] * 15 + [False] * 5)
        new = passing("new", [False] * 9 + [True] * 7 + [False] * 4)
        found = compare([old, new])
        measure = found.measure("ok")
        assert measure.kind == "rate"
        assert difference(found, "ok").test == "McNemar, exact"
        assert difference(found, "ok").p_value == pytest.approx(mcnemar(9, 1))
        assert (difference(found, "ok").wins, difference(found, "ok").losses) == (1, 9)
        assert difference(found, "ok").verdict == "worse"

    def test_less_is_better_where_the_metric_says_so(self):
        def ran(name, shift):
            scores = [Score("cer", 0.3 + i / 100 - shift, direction="minimize") for i in range(20)]
            return record(name, [run(i, score) for i, score in enumerate(scores)])

        found = difference(compare([ran("old", 0.0), ran("new", 0.1)]), "cer")
        assert (found.verdict, found.wins, found.losses, found.ties) == ("better", 20, 0, 0)
        assert found.value == pytest.approx(-0.1)

    def test_what_has_no_better_is_only_different(self):
        def ran(name, shift):
            return record(name, [run(i, Score("len", i + shift, direction="none")) for i in range(20)])

        found = difference(compare([ran("old", 0), ran("new", 3)]), "len")
        assert (found.verdict, found.wins, found.losses) == ("different", None, None)

    def test_corpus_values_are_compared_by_the_metrics_own_resampling(self):
        random = np.random.default_rng(0)
        texts = ["x" * int(n) for n in random.integers(3, 60, size=40)]

        def ran(name, share):
            wrong = [int(len(text) * share * random.random()) for text in texts]
            return record(
                name, [read("y" * w + t[w:], t, i) for i, (t, w) in enumerate(zip(texts, wrong, strict=True))]
            )

        old, new = ran("old", 0.2), ran("new", 0.8)
        found = compare([old, new], [CharacterErrorRate()])
        measure = found.measure("cer")
        assert measure.kind == "corpus"
        change = difference(found, "cer")
        assert change.test == "paired bootstrap"
        assert change.value == pytest.approx(measure.values[1].value - measure.values[0].value)
        assert change.interval.low > 0
        assert change.verdict == "worse"
        assert change.losses > change.wins
        # Without the evaluator it is the mean of the single scores, compared by the exact test.
        assert difference(compare([old, new]), "cer").test.startswith("sign flips")

    def test_the_whole_sets_value_over_pairs_leaves_unread_answers_out(self):
        old = record("old", [read("abcd", "abcd", i) for i in range(5)])
        new = record("new", [read("abcx", "abcd", i) for i in range(4)] + [run(4, output=TIMEOUT)])
        found = difference(compare([old, new], [CharacterErrorRate()]), "cer")
        assert found.paired.pairs == 4
        assert found.interval is not None

    def test_a_metric_to_which_failures_are_values_keeps_them(self):
        old = record("old", [run(i, Score("error_rate", 0.0, direction="minimize")) for i in range(8)])
        new = record("new", [run(i, output=TIMEOUT) for i in range(6)] + [run(i) for i in (6, 7)])
        found = compare([old, new], [ErrorRate(name="no_answer")])
        assert difference(found, "no_answer").value == 0.75
        assert difference(found, "no_answer").paired.pairs == 8

    def test_a_metric_without_resampling_has_no_interval_and_says_so(self):
        @dataclass(frozen=True)
        class Longest:
            name: str = "longest"

            def evaluate_set(self, cases):
                return SetScore("longest", max(len(case.output) for case in cases), len(cases), range=None)

        old = record("old", [run(i, output="a" * i) for i in range(1, 5)])
        new = record("new", [run(i, output="a" * 2 * i) for i in range(1, 5)])
        found = difference(compare([old, new], [Longest()]), "longest")
        assert (found.value, found.interval) == (4, None)
        assert found.note == "the metric offers no resampling"
        assert found.verdict == "no difference shown"

    def test_labels_have_no_mean(self):
        found = compare([record(n, [run(0, Score("kind", n, range=None))]) for n in ("old", "new")])
        assert found.metrics == []

    def test_repetitions_vary_apart_from_samples(self):
        runs = [run(s, Score("x", s + r / 10), repetition=r) for s in range(5) for r in (1, 2)]
        value = compare([record("old", runs)]).measure("x").values[0]
        assert value.repetitions.within == pytest.approx(0.005)
        assert value.repetitions.between == pytest.approx(2.5 - 0.0025)

    def test_verdicts_are_corrected_for_how_many_there_are(self):
        before = [run(i, *(Score(f"m{m}", True) for m in range(10))) for i in range(20)]
        after = [run(i, *(Score(f"m{m}", m > 0 or i >= 6) for m in range(10))) for i in range(20)]
        alone = compare([passing("old", [True] * 20), passing("new", [i >= 6 for i in range(20)])])
        among = compare([record("old", before), record("new", after)])
        assert difference(alone, "ok").verdict == "worse"
        assert difference(among, "m0").p_value == difference(alone, "ok").p_value
        assert difference(among, "m0").adjusted_p > 0.05
        assert difference(among, "m0").verdict == "no difference shown"

    def test_what_evaluators_say_of_operations_takes_nothing_from_the_metrics(self):
        def ran(name, passed, took):
            return record(
                name, [run(i, Score("ok", i >= passed), Score("latency", took + i)) for i in range(20)]
            )

        found = compare([ran("old", 0, 1.0), ran("new", 6, 1.5)])
        assert difference(found, "ok").adjusted_p == difference(found, "ok").p_value
        assert difference(found, "latency").adjusted_p == difference(found, "latency").p_value
        assert [measure.name for measure in found.metrics] == ["ok", "latency"]

    async def test_values_are_those_of_the_summary(self):
        old, new = passing("old", [True, False] * 10), passing("new", [True] * 20)
        summary = await summarise(new, [])
        value = compare([old, new]).measure("ok").values[1]
        assert (value.value, value.interval) == (summary.scores[0].value, summary.scores[0].interval)


class TestSlices:
    def test_each_slice_is_compared_by_itself(self):
        def ran(name, dim):
            return record(
                name,
                [
                    run(i, Score("ok", dim if i % 2 else True), metadata={"light": "dim" if i % 2 else "day"})
                    for i in range(40)
                ],
            )

        found = compare([ran("old", True), ran("new", False)], slices=["light"])
        assert list(found.slices) == ["light=day", "light=dim"]
        assert difference(found, "ok", "light=dim").value == -1.0
        assert difference(found, "ok", "light=dim").paired.pairs == 20
        assert difference(found, "ok", "light=day").verdict == "no difference shown"
        assert found.measure("error_rate", "light=dim").values[0].n == 20

    def test_a_predicate_over_answers_must_hold_for_both(self):
        old = record("old", [run(i, Score("ok", True), output="x" * i) for i in range(6)])
        new = record("new", [run(i, Score("ok", True), output="x" * (5 - i)) for i in range(6)])
        found = compare([old, new], slices=[Slice("long", lambda case: len(case.output) >= 2)])
        assert found.measure("ok", "long").values[1].n == 4
        assert difference(found, "ok", "long").paired.pairs == 2


class TestOperations:
    def test_what_answers_took_is_compared_in_pairs(self):
        def ran(name, slower):
            random = np.random.default_rng(0)
            return record(
                name,
                [
                    run(i, latency=float(t) + slower, usage=Usage(100, 20, None, 0.001 * (1 + slower)))
                    for i, t in enumerate(random.exponential(size=80))
                ],
            )

        found = compare([ran("old", 0.0), ran("new", 0.5)])
        for name in ("latency", "latency.p50", "latency.p90", "latency.p95", "latency.p99"):
            assert difference(found, name).value == pytest.approx(0.5)
            assert difference(found, name).verdict == "worse"
        assert difference(found, "cost").value == pytest.approx(0.0005)
        assert found.measure("cost").unit == "USD"
        assert difference(found, "tokens").value == 0
        assert found.measure("latency.p99").values[0].interval.high == math.inf
        assert difference(found, "latency.p95").wins is None

    def test_what_was_not_measured_is_not_there(self):
        found = compare([passing("old", [True]), passing("new", [True])])
        assert [measure.name for measure in found.operations] == ["error_rate"]


class TestChoosing:
    def test_the_baseline_comes_first(self):
        records = [passing(name, [True, False]) for name in ("a", "b", "c")]
        found = compare(records, baseline="b")
        assert [variant.name for variant in found.variants] == ["b", "a", "c"]
        assert found.baseline.name == "b"

    @pytest.mark.parametrize(
        ("records", "baseline", "problem"),
        [
            ([], None, "no experiment"),
            (["a", "a"], None, "given twice"),
            (["a", "b"], "c", "is not among"),
        ],
    )
    def test_what_cannot_be_compared_is_refused(self, records, baseline, problem):
        with pytest.raises(UsageError, match=problem):
            compare([passing(name, [True]) for name in records], baseline=baseline)

    def test_an_unknown_measure_names_those_there_are(self):
        with pytest.raises(UsageError, match="no measure 'cer'; there are: ok, error_rate"):
            compare([passing("a", [True]), passing("b", [True])]).measure("cer")


class TestShowing:
    def test_everything_goes_into_json(self):
        found = compare([passing("old", [True, False]), passing("new", [True, True])])
        document = json.loads(json_text(found), parse_constant=pytest.fail)
        assert document["metrics"][0]["values"][1]["difference"]["paired"]["value"] == 0.5

    def test_names_cannot_break_the_table(self):
        found = compare([passing("a|b", [True, False]), passing("<img src=x>", [True, True])])
        text = comparison_markdown(found)
        assert "a\\|b" in text
        assert "<img" not in text

    async def test_differences_stand_beside_the_runs_other_values(self):
        written = {}

        class Experiments:
            async def write_set_scores(self, experiment_id, scores):
                written[experiment_id] = {score.name: score for score in scores}

        platform = MemoryPlatform()
        platform.experiments = Experiments()
        record_comparison(platform, compare([passing("old", [True] * 9), passing("new", [False] * 9)]))
        assert list(written) == ["new"]
        score = written["new"]["ok vs baseline"]
        assert (score.value, score.n, score.metadata["verdict"]) == (-1.0, 9, "worse")


class TestFindingExperiments:
    @pytest.mark.parametrize(
        ("text", "kind", "value"),
        [
            ("RXhwOjE=", "id", "RXhwOjE="),
            ("branch:main", "branch", "main"),
            ("name:reader: v2", "name", "reader: v2"),
            ("https://x", "id", "https://x"),
        ],
    )
    def test_texts_name_experiments(self, text, kind, value):
        assert ExperimentSelector.parse(text) == ExperimentSelector(kind, value)

    @pytest.mark.parametrize("text", ["", "tag:", "branch: "])
    def test_an_empty_name_is_refused(self, text):
        with pytest.raises(UsageError, match="names no experiment"):
            ExperimentSelector.parse(text)

    async def test_the_newest_that_is_not_excluded_is_found(self):
        from vlmops import Experiment, ImageDataset, Sample, function_task
        from vlmops.platforms import push_async

        platform = MemoryPlatform()
        await push_async(ImageDataset.from_samples("d", [Sample("a", {"image": picture(1)})]), platform)
        ids = []
        for number in range(3):
            metadata = {"git_branch": "main", "number": number}
            experiment = Experiment("d", "e", function_task(str), metadata=metadata)
            ids.append((await experiment.run_async(platform)).record.id)
        selector = ExperimentSelector.parse("branch:main")
        assert await selector.find(platform, "d") == ids[2]
        assert await selector.find(platform, "d", exclude=[ids[2]]) == ids[1]
        with pytest.raises(PlatformError, match="branch 'main' but the one to be compared"):
            await selector.find(platform, "d", exclude=ids)
        with pytest.raises(PlatformError, match="tag 'release'; none there has a tag"):
            await ExperimentSelector.parse("tag:release").find(platform, "d")
        with pytest.raises(PlatformError, match="branch 'mian'; there are: 'main'"):
            await ExperimentSelector.parse("branch:mian").find(platform, "d")
        with pytest.raises(UsageError, match="--dataset"):
            await selector.find(platform, None)
