"""Latency, tokens, cost and error rate."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.evaluators import Case, Failure, FailureKind, Usage
from vlmops.evaluators.operations import Cost, ErrorRate, ImageTokens, Latency, Tokens, percentile

numbers = st.floats(0, 1e6)


@given(st.lists(numbers, min_size=1, max_size=40), st.floats(0, 100))
def test_percentiles_are_numpys(values, percent):
    assert percentile(values, percent) == pytest.approx(float(np.percentile(values, percent)))


def test_percentile_without_values_or_out_of_range():
    assert math.isnan(percentile([], 50))
    with pytest.raises(ValueError, match="within 0 to 100"):
        percentile([1.0], 101)
    with pytest.raises(ValueError, match="within 0 to 100"):
        Latency(percentiles=(-1,))


class TestLatency:
    def test_one_case(self):
        score = Latency().evaluate(Case(output="a", latency=0.25))
        assert (score.value, score.explanation, score.direction) == (0.25, "250 ms", "minimize")
        assert Latency().evaluate(Case(output="a", latency=2.5)).explanation == "2.50 s"

    @pytest.mark.parametrize("latency", [None, math.nan, math.inf, -1.0, "fast", True])
    def test_what_was_not_measured_is_a_failure(self, latency):
        failure = Latency().evaluate(Case(output="a", latency=latency))
        assert isinstance(failure, Failure)
        assert failure.message == "the case carries no measured latency"

    def test_a_set(self):
        cases = [Case(output="a", latency=float(second)) for second in range(1, 101)] + [Case(output="b")]
        scores = {score.name: score for score in Latency().evaluate_set(cases)}
        assert list(scores) == ["latency.mean", "latency.p50", "latency.p90", "latency.p95", "latency.p99"]
        assert scores["latency.mean"].value == 50.5
        assert scores["latency.p90"].value == pytest.approx(90.1)
        assert scores["latency.p99"].metadata == {"total": 5050.0, "min": 1.0, "max": 100.0}
        assert all((score.n, score.failures) == (100, 1) for score in scores.values())
        assert all(score.interval.low <= score.value <= score.interval.high for score in scores.values())

    def test_failed_calls_take_part(self):
        failed = Case(output=Failure(FailureKind.TIMEOUT, "60 s"), latency=60.0)
        assert Latency().evaluate(failed).value == 60.0

    def test_nothing_measured(self):
        assert isinstance(Latency().evaluate_set([Case(output="a")]), Failure)

    def test_one_measured_case_has_no_interval(self):
        assert Latency().evaluate_set([Case(output="a", latency=1.0)])[0].interval is None


class TestUsage:
    case = Case(
        output="a", usage=Usage(input_tokens=1_800, output_tokens=20, image_tokens=1_500, cost=0.0042)
    )

    def test_tokens_by_side(self):
        found = [Tokens(side=side).evaluate(self.case) for side in ("input", "output", "total")]
        assert [(score.name, score.value) for score in found] == [
            ("input_tokens", 1_800),
            ("output_tokens", 20),
            ("tokens", 1_820),
        ]
        assert found[2].explanation == "1,820 tokens"

    def test_a_total_needs_both_sides(self):
        case = Case(output="a", usage=Usage(input_tokens=5))
        assert isinstance(Tokens().evaluate(case), Failure)
        assert Tokens(side="input").evaluate(case).value == 5

    def test_zero_is_a_measurement(self):
        assert ImageTokens().evaluate(Case(output="a", usage=Usage(image_tokens=0))).value == 0

    def test_image_tokens_and_cost(self):
        assert ImageTokens().evaluate(self.case).value == 1_500
        assert Cost().evaluate(self.case).explanation == "$0.0042"
        mean = Cost(percentiles=()).evaluate_set([self.case] * 3)[0]
        assert mean.metadata["total"] == pytest.approx(0.0126)

    def test_a_name_of_ones_own(self):
        assert Tokens(name="prompt_size", side="input").evaluate(self.case).name == "prompt_size"


class TestErrorRate:
    cases = (
        Case(output="a cat"),
        Case(output=Failure(FailureKind.TIMEOUT, "60 s")),
        Case(output=Failure(FailureKind.REFUSAL, "it declined")),
        Case(output=None),
    )

    def test_a_set_counts_kinds(self):
        score = ErrorRate().evaluate_set(self.cases)
        assert (score.value, score.n, score.failures) == (0.75, 4, 0)
        assert score.metadata == {"kinds": {"timeout": 1, "refusal": 1, "missing_output": 1}}

    def test_one_kind_alone(self):
        refusals = ErrorRate(name="refusal_rate", kinds=("refusal",))
        assert refusals.evaluate_set(self.cases).value == 0.25
        assert refusals.evaluate(self.cases[1]).value == 0

    def test_one_case(self):
        assert [ErrorRate().evaluate(case).value for case in self.cases] == [0, 1, 1, 1]
        assert ErrorRate().evaluate(self.cases[1]).explanation == "timeout: 60 s"

    def test_no_cases(self):
        assert ErrorRate().evaluate_set([]).message == "there are no cases"
