"""The gate: what it lets through, what it stops, and what it does not pretend to know."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from vlmops.errors import UsageError
from vlmops.evaluators import Case, Failure, FailureKind, Score, Slice, Usage
from vlmops.gate import (
    GateFailure,
    GateRules,
    Status,
    assert_gate,
    gate,
    gate_experiment_async,
    gate_markdown,
    gate_table,
    junit_xml,
    made_rules,
)
from vlmops.platforms.records import ExperimentRecord, Run
from vlmops.statistics import power
from vlmops.testing import MemoryPlatform, picture

TIMEOUT = Failure(FailureKind.TIMEOUT, "no answer")


def record(name: str, runs: Sequence[Run]) -> ExperimentRecord:
    return ExperimentRecord(name, name, f"https://example.com/{name}", "d", "1", runs)


def ran(name: str, passed: Sequence[bool | None], **case) -> ExperimentRecord:
    """An experiment with these passes; ``None`` is a failed answer."""
    return record(
        name,
        [
            Run(Case(TIMEOUT, id=str(at), **case), 1, [])
            if ok is None
            else Run(Case("a", id=str(at), **case), 1, [Score("ok", bool(ok))])
            for at, ok in enumerate(passed)
        ],
    )


def lit(name: str, passed: dict[str, Sequence[bool]]) -> ExperimentRecord:
    runs = [
        Run(Case("a", id=f"{light}{at}", metadata={"light": light}), 1, [Score("ok", ok)])
        for light, values in passed.items()
        for at, ok in enumerate(values)
    ]
    return record(name, runs)


def rules(**table) -> GateRules:
    return GateRules.model_validate(table)


def statuses(result) -> dict[str, Status]:
    return {check.title: check.status for check in result.checks}


DROP = rules(metrics={"ok": {"max_drop": 0.05}})


class TestThresholds:
    @pytest.mark.parametrize(
        ("rule", "status"),
        [
            ({"min": 0.75}, Status.PASS),
            ({"min": 0.76}, Status.FAIL),
            ({"max": 0.75}, Status.PASS),
            ({"max": 0.74}, Status.FAIL),
        ],
    )
    def test_a_value_at_the_threshold_keeps_it(self, rule, status):
        result = gate(ran("new", [True] * 75 + [False] * 25), rules(metrics={"ok": rule}))
        assert [check.status for check in result.checks] == [status]
        assert result.passed == (status is Status.PASS)

    @pytest.mark.parametrize(("value", "rule"), [(0.3, {"min": 0.3}), (0.1 + 0.2, {"max": 0.3})])
    def test_the_last_digits_of_a_fraction_break_no_threshold(self, value, rule):
        runs = [Run(Case("a", id=str(i)), 1, [Score("ok", value, direction="maximize")]) for i in range(10)]
        assert gate(record("new", runs), rules(metrics={"ok": rule})).passed

    def test_a_bound_is_stricter_than_a_value(self):
        candidate = ran("new", [True] * 80 + [False] * 20)
        assert gate(candidate, rules(metrics={"ok": {"min": 0.78}})).passed
        result = gate(candidate, rules(metrics={"ok": {"min": 0.78}}, thresholds="bound"))
        assert not result.passed
        assert "lower bound is below 0.78" in result.checks[0].message

    def test_operations_have_limits_of_their_own(self):
        candidate = ran("new", [True] * 19 + [None], latency=2.0, usage=Usage(10, 10, None, 0.01))
        limits = {"error_rate": {"max": 0.04}, "latency": {"p95": {"max": 3.0}}, "cost": {"max": 0.001}}
        result = gate(candidate, rules(**limits))
        assert statuses(result) == {
            "error_rate max 0.04": Status.FAIL,
            "cost max 0.001": Status.FAIL,
            "latency.p95 max 3": Status.PASS,
        }


class TestRegressions:
    def test_a_loss_that_is_shown_fails(self):
        result = gate(ran("new", [True] * 60 + [False] * 40), DROP, ran("old", [True] * 95 + [False] * 5))
        (check,) = result.checks
        assert check.status is Status.FAIL
        assert check.value == pytest.approx(-0.35)
        assert check.interval.high < -0.05
        assert not result.passed

    def test_no_loss_in_a_large_sample_passes(self):
        same = [at % 10 > 0 for at in range(400)]
        (check,) = gate(ran("new", same), DROP, ran("old", same)).checks
        assert check.status is Status.PASS

    def test_noise_is_not_enough_evidence_and_lets_pass_unless_asked_otherwise(self):
        random = np.random.default_rng(0)
        old, new = (ran(name, list(random.random(40) < 0.8)) for name in ("old", "new"))
        result = gate(new, DROP, old)
        assert [check.status for check in result.checks] == [Status.UNCLEAR]
        assert result.passed
        strict = gate(new, rules(metrics={"ok": {"max_drop": 0.05}}, unclear="fail"), old)
        assert not strict.passed
        assert [check.status for check in strict.checks] == [Status.UNCLEAR]

    def test_a_few_equal_answers_do_not_rule_out_a_loss(self):
        (check,) = gate(ran("new", [True] * 10), DROP, ran("old", [True] * 10)).checks
        assert check.status is Status.UNCLEAR
        assert check.interval.low == check.interval.high == 0.0

    def test_less_is_better_where_the_metric_says_so(self):
        def cer(name, shift):
            scores = [Score("cer", 0.2 + at / 1000 + shift, direction="minimize") for at in range(50)]
            runs = [Run(Case("a", id=str(at)), 1, [score]) for at, score in enumerate(scores)]
            return record(name, runs)

        drop = rules(metrics={"cer": {"max_drop": 0.02}})
        assert not gate(cer("new", 0.1), drop, cer("old", 0.0)).passed
        better = gate(cer("new", -0.1), drop, cer("old", 0.0))
        assert [check.status for check in better.checks] == [Status.PASS]

    def test_a_loss_within_the_tolerance_is_no_failure(self):
        before = [True] * 2000
        after = [at % 50 > 0 for at in range(2000)]
        (check,) = gate(ran("new", after), DROP, ran("old", before)).checks
        assert check.value == pytest.approx(-0.02)
        assert check.status is Status.PASS

    @pytest.mark.parametrize(
        ("before", "after", "tolerance"), [(0.8, 0.78, 0.02), (1.0, 0.95, 0.05), (0.9, 0.8, 0.1)]
    )
    def test_a_loss_of_just_what_is_allowed_is_no_failure(self, before, after, tolerance):
        old, new = (
            record(
                name,
                [Run(Case("a", id=str(i)), 1, [Score("ok", value, direction="maximize")]) for i in range(64)],
            )
            for name, value in (("old", before), ("new", after))
        )
        result = gate(new, rules(metrics={"ok": {"max_drop": tolerance}}), old)
        assert result.passed
        assert Status.FAIL not in statuses(result).values()
        assert not gate(new, rules(metrics={"ok": {"max_drop": tolerance - 1e-6}}), old).passed

    def test_increases_of_latency_and_errors_are_regressions(self):
        random = np.random.default_rng(1)

        def slow(name, extra, failed):
            runs = []
            for at, seconds in enumerate(random.exponential(size=120)):
                lost = at < failed
                case = Case(TIMEOUT if lost else "a", id=str(at), latency=None if lost else seconds + extra)
                runs.append(Run(case, 1, []))
            return record(name, runs)

        table = {
            "error_rate": {"max_increase": 0.02},
            "latency": {"p50": {"max_increase": 0.5}, "mean": {"max_increase": 0.5}},
        }
        found = statuses(gate(slow("new", 3.0, 40), rules(**table), slow("old", 0.0, 0)))
        assert set(found.values()) == {Status.FAIL}
        assert len(found) == 3

    def test_many_rules_are_corrected_together(self):
        def wide(name, lost):
            runs = [
                Run(
                    Case("a", id=str(at)),
                    1,
                    [Score(f"m{m}", not (m == 0 and at < lost)) for m in range(20)],
                )
                for at in range(60)
            ]
            return record(name, runs)

        one = rules(metrics={"m0": {"max_drop": 0.0}})
        many = rules(metrics={f"m{m}": {"max_drop": 0.0} for m in range(20)})
        assert not gate(wide("new", 7), one, wide("old", 0)).passed
        assert gate(wide("new", 7), many, wide("old", 0)).passed
        assert not gate(wide("new", 15), many, wide("old", 0)).passed

    def test_the_loss_it_would_find_is_said(self):
        random = np.random.default_rng(0)
        old, new = (ran(name, list(random.random(100) < 0.8)) for name in ("old", "new"))
        (check,) = gate(new, DROP, old).checks
        error = gate(new, DROP, old).comparison.measure("ok").values[1].difference.paired.standard_error
        assert power(check.detectable - 0.05, error, 99, sides=1) == pytest.approx(0.8)


class TestSlices:
    def test_a_loss_in_one_slice_fails_though_the_whole_looks_well(self):
        old = lit("old", {"day": [True] * 400 + [False] * 40, "dim": [True] * 30})
        new = lit("new", {"day": [True] * 440, "dim": [False] * 20 + [True] * 10})
        sliced = rules(metrics={"ok": {"max_drop": 0.02}}, slices=["light"])
        assert gate(new, DROP, old).passed
        result = gate(new, sliced, old)
        assert statuses(result)["ok [light=dim] max_drop 0.02"] is Status.FAIL
        assert statuses(result)["ok [light=day] max_drop 0.02"] is Status.PASS
        assert not result.passed

    def test_a_slice_may_have_rules_of_its_own(self):
        new = lit("new", {"day": [True] * 10, "dim": [True] * 6 + [False] * 4})
        own = {"min": 0.7, "slices": {"light=dim": {"min": 0.5}}}
        assert gate(new, rules(metrics={"ok": own})).passed
        own = {"slices": {"light=dim": {"min": 0.7}}}
        assert not gate(new, rules(metrics={"ok": own})).passed

    def test_an_empty_slice_is_an_error_never_a_pass(self):
        new = lit("new", {"day": [True] * 10})
        result = gate(new, rules(metrics={"ok": {"slices": {"light=dim": {"min": 0.5}}}}))
        assert [check.status for check in result.checks] == [Status.ERROR]
        assert "slice 'light=dim' is empty" in result.checks[0].message
        assert not result.passed

    def test_a_key_that_no_sample_has_is_an_error(self):
        old, new = lit("old", {"day": [True] * 9}), lit("new", {"day": [True] * 9})
        result = gate(new, rules(metrics={"ok": {"max_drop": 0.5}}, slices=["lihgt"]), old)
        assert [check.message for check in result.with_status(Status.ERROR)] == [
            "no sample has the metadata 'lihgt': there is no such slice"
        ]

    def test_predicates_are_slices_too(self):
        old, new = ran("old", [True] * 100), ran("new", [at >= 50 for at in range(100)])
        first = Slice("first", lambda case: int(case.id) < 50)
        titles = statuses(gate(new, DROP, old, slices=[first]))
        assert titles["ok [first] max_drop 0.05"] is Status.FAIL


class TestErrors:
    def test_a_missing_metric_is_an_error(self):
        result = gate(ran("new", [True]), rules(metrics={"accuracy": {"min": 0.5}}))
        assert [check.status for check in result.checks] == [Status.ERROR]
        assert "no measure 'accuracy'; there are: ok, error_rate" in result.checks[0].message
        assert not result.passed

    def test_too_many_failures_are_an_error(self):
        result = gate(ran("new", [True] * 8 + [None] * 2), rules(metrics={"ok": {"min": 0.5}}))
        assert [check.status for check in result.checks] == [Status.ERROR]
        assert "2 of 10 answers have no value" in result.checks[0].message
        lenient = rules(metrics={"ok": {"min": 0.5}}, max_unscored=0.2)
        assert gate(ran("new", [True] * 8 + [None] * 2), lenient).passed

    def test_scores_that_only_the_baseline_has_are_missed(self):
        old = ran("old", [True] * 10)
        kept = [replace_results(run, at) for at, run in enumerate(ran("new", [True] * 10).runs)]
        result = gate(record("new", kept), DROP, old)
        assert [check.status for check in result.checks] == [Status.ERROR]

    def test_an_interrupted_run_is_an_error(self):
        result = gate(ran("new", [True] * 50), DROP, ran("old", [True] * 100))
        (check,) = result.with_status(Status.ERROR)
        assert "50 of the baseline's 100 answers have no partner" in check.message
        assert not result.passed

    def test_nothing_but_failures_is_an_error(self):
        new = ran("new", [None] * 5)
        result = gate(new, rules(latency={"p95": {"max": 3.0}}, metrics={"ok": {"min": 0.1}}))
        assert {check.status for check in result.checks} == {Status.ERROR}

    def test_a_metric_without_direction_cannot_drop(self):
        runs = [Run(Case("a", id=str(at)), 1, [Score("len", 3, direction="none")]) for at in range(9)]
        result = gate(record("new", runs), rules(metrics={"len": {"max_drop": 1}}), record("old", runs))
        assert "does not say which way is better" in result.checks[0].message
        assert result.checks[0].status is Status.ERROR

    def test_a_regression_rule_needs_a_baseline(self):
        with pytest.raises(UsageError, match="compare with a baseline: name one"):
            gate(ran("new", [True]), DROP)
        with pytest.raises(UsageError, match="cannot be its own baseline"):
            gate(ran("new", [True]), DROP, ran("new", [True]))


class TestRules:
    @pytest.mark.parametrize(
        ("table", "problem"),
        [
            ({}, "no rule and would let everything pass"),
            ({"metrics": {"ok": {}}}, "gate.metrics.ok: give min, max, max_drop or slices"),
            ({"metrics": {"ok": {"max_drop": -1}}}, "gate.metrics.ok.max_drop"),
            ({"metrics": {"ok": {"max_dorp": 1}}}, "gate.metrics.ok.max_dorp: Extra inputs"),
            ({"latency": {"p96": {"max": 1}}}, "gate.latency.p96"),
            ({"latency": {"p95": {}}}, "gate.latency.p95: give max or max_increase"),
            ({"cost": {"max": 1}, "baseline": "branch:"}, "gate.baseline: 'branch:' names no experiment"),
            ({"cost": {"max": 1}, "unclear": "maybe"}, "gate.unclear"),
            ({"cost": {"max": float("nan")}}, "gate.cost.max"),
            ({"metrics": {"ok": {"min": 0.9, "max": 0.1}}}, "gate.metrics.ok: no value is at least 0.9"),
            ({"error_rate": {"max": 5}}, "gate.error_rate: an error rate is a share"),
            ({"error_rate": {"max_increase": 2}}, "write 0.05 for 5 %"),
        ],
    )
    def test_a_wrong_key_is_named(self, table, problem):
        with pytest.raises(UsageError, match=problem) as raised:
            made_rules(table, "vlmops.toml")
        assert str(raised.value).startswith("vlmops.toml: ")

    def test_a_file_holds_them(self, tmp_path: Path):
        file = tmp_path / "vlmops.toml"
        file.write_text(
            '[gate]\nbaseline = "branch:main"\nerror_rate = { max = 0.05 }\nlatency.p95 = { max = 3 }\n'
            '[gate.metrics."two.length"]\nmax_drop = 0.5\nslices."light=dim".min = 1\n'
        )
        found = made_rules(gate_table(file), str(file))
        assert found.metrics["two.length"].slices["light=dim"].min == 1
        assert found.compares

    @pytest.mark.parametrize(
        ("content", "problem"), [("[other]\n", "no \\[gate\\] table"), ("[gate\n", "is not TOML")]
    )
    def test_a_file_without_rules_is_an_error(self, tmp_path: Path, content, problem):
        file = tmp_path / "vlmops.toml"
        file.write_text(content)
        with pytest.raises(UsageError, match=problem):
            gate_table(file)
        with pytest.raises(UsageError, match="cannot be read"):
            gate_table(tmp_path / "none.toml")


class TestOutput:
    @pytest.fixture
    def result(self):
        random = np.random.default_rng(0)
        old, new = (ran(name, list(random.random(40) < 0.8)) for name in ("old", "new <b>|\x00"))
        table = {"ok": {"min": 0.1, "max": 0.2, "max_drop": 0.05}, "gone": {"min": 0.5}}
        return gate(new, rules(metrics=table), old)

    def test_junit_counts_what_it_lists(self, result):
        root = ElementTree.fromstring(junit_xml(result).encode())
        (suite,) = root
        cases = suite.findall("testcase")
        assert root.tag == "testsuites"
        for element in (root, suite):
            assert element.attrib["tests"] == str(len(cases)) == "4"
            assert element.attrib["failures"] == str(len(suite.findall("testcase/failure"))) == "1"
            assert element.attrib["errors"] == str(len(suite.findall("testcase/error"))) == "1"
            assert element.attrib["skipped"] == str(len(suite.findall("testcase/skipped"))) == "1"
        assert all(case.attrib["classname"] and case.attrib["name"] for case in cases)
        assert "is above 0.2" in suite.find("testcase/failure").attrib["message"]

    def test_markdown_begins_with_what_stands_in_the_way(self, result):
        text = gate_markdown(result)
        assert text.startswith("## ❌ vlmops gate failed: [new &lt;b>\\|")
        rows = [line for line in text.splitlines() if line.startswith(("| ❌", "| 🛑", "| ⚠️", "| ✅"))]
        assert [row[:3].strip("| ") for row in rows][:2] == ["❌", "🛑"]
        assert "neither shows nor rules out" in text

    def test_an_assertion_says_what_is_wrong(self, result):
        with pytest.raises(GateFailure) as raised:
            assert_gate(result)
        assert isinstance(raised.value, AssertionError)
        assert "gone min 0.5: error" in str(raised.value)
        assert "not enough evidence:" not in str(raised.value)
        assert raised.value.result is result

    def test_langfuses_runner_gets_its_own_error(self, result):
        langfuse = pytest.importorskip("langfuse")
        from vlmops_langfuse import raise_on_regression

        whole = object()
        with pytest.raises(langfuse.RegressionError, match=r"ok max 0\.2") as raised:
            raise_on_regression(result, whole)
        assert raised.value.result is whole
        assert raised.value.threshold == 0.2
        raise_on_regression(gate(ran("new", [True]), rules(metrics={"ok": {"min": 0.5}})), whole)


class TestOnAPlatform:
    async def test_the_last_on_main_is_the_baseline(self):
        from vlmops import Experiment, ImageDataset, Sample, function_task
        from vlmops.platforms import push_async

        platform = MemoryPlatform()
        samples = [Sample(f"s{at}", {"image": picture(at)}, expected="right") for at in range(40)]
        await push_async(ImageDataset.from_samples("d", samples), platform)

        class Right:
            name = "right"

            def evaluate(self, case):
                return Score("right", case.output == case.expected)

        async def run(branch, answer):
            metadata = {"git_branch": branch, "answer": answer}
            task = function_task(lambda sample: answer)
            return await Experiment("d", branch, task, [Right()], metadata=metadata).run_async(platform)

        await run("main", "wrong")
        await run("main", "right")
        good = await run("next", "right")
        await run("worse", "wrong")
        table = rules(metrics={"right": {"max_drop": 0.1}}, baseline="branch:main")
        passed = await gate_experiment_async(platform, good.record.id, table, dataset="d")
        failed = await gate_experiment_async(platform, "branch:worse", table, dataset="d")
        assert passed.passed
        assert passed.baseline.metadata["answer"] == "right"
        assert not failed.passed


class TestAlikePairs:
    """A small share of benchmarks/gate_simulation.py."""

    @pytest.mark.parametrize(
        ("pictures", "questions", "tolerance"), [(20, 1, 0.0), (60, 1, 0.02), (25, 4, 0.0)]
    )
    def test_variants_that_are_alike_seldom_fail(self, pictures, questions, tolerance):
        random = np.random.default_rng(7)
        images = [picture(at) for at in range(pictures)]
        table = rules(metrics={"ok": {"max_drop": tolerance}})
        failed = 0
        for _ in range(60):
            ease = np.repeat(random.beta(1.6, 0.4, size=pictures), questions)
            sides = []
            for name in ("old", "new"):
                luck = np.where(
                    random.random(len(ease)) < 0.5,
                    np.repeat(random.random(pictures), questions),
                    random.random(len(ease)),
                )
                runs = [
                    Run(Case("a", inputs=images[at // questions], id=str(at)), 1, [Score("ok", bool(ok))])
                    for at, ok in enumerate(luck < ease)
                ]
                sides.append(record(name, runs))
            failed += not gate(sides[1], table, sides[0]).passed
        # Under a true rate of 2.5 %, more than 6 of 60 happen less than once in a thousand times.
        assert failed <= 6

    def test_a_seeded_loss_is_found_as_often_as_its_power_says(self):
        random = np.random.default_rng(9)
        found, computed = 0, []
        for _ in range(60):
            before = random.random(100) < 0.85
            after = (random.random(100) < 0.85) & (random.random(100) < 0.8)
            result = gate(
                ran("new", list(after)), rules(metrics={"ok": {"max_drop": 0.0}}), ran("old", before)
            )
            found += not result.passed
            error = result.comparison.measure("ok").values[1].difference.paired.standard_error
            computed.append(power(0.17, error, 99, sides=1))
        assert found / 60 == pytest.approx(np.mean(computed), abs=0.16)
        assert math.isfinite(np.mean(computed))


def replace_results(run: Run, at: int) -> Run:
    return Run(run.case, run.repetition, [] if at < 3 else run.results)
