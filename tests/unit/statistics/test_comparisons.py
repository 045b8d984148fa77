"""Intervals, tests and power against stored values of scipy and statsmodels, and what must always hold."""

import itertools
import json
import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlmops.errors import UsageError
from vlmops.statistics import (
    bootstrap_ratio,
    bradley_terry_intervals,
    clopper_pearson_interval,
    holm,
    mcnemar,
    mean_interval,
    mean_intervals,
    minimum_detectable_difference,
    paired_differences,
    power,
    quantile_differences,
    quantile_interval,
    quantile_intervals,
    rate_interval,
    recorded_resamples,
    resampled_difference,
    reweighted_interval,
    sign_flip_tests,
    variance_components,
    wilson_interval,
)
from vlmops.statistics.quantiles import resampled_quantiles
from vlmops.statistics.resampling import Clusters, drawn_counts

REFERENCE = json.loads((Path(__file__).parent / "comparison_references.json").read_text())

flags = st.lists(st.sampled_from([-1, 0, 1]), min_size=2, max_size=40)


def near(value, rel=1e-9):
    return pytest.approx(value, rel=rel, abs=1e-12, nan_ok=True)


def bounds(interval):
    return interval.low, interval.high


class TestAgainstReferences:
    @pytest.mark.parametrize(("first", "second", "p"), REFERENCE["mcnemar"])
    def test_mcnemar_is_that_of_statsmodels(self, first, second, p):
        assert mcnemar(first, second) == near(p)
        (test,) = sign_flip_tests([[1.0]] * second + [[-1.0]] * first + [[0.0]] * 7)
        assert test.p_value == near(p)
        assert test.exact

    def test_holm_is_that_of_statsmodels(self):
        values, adjusted = REFERENCE["holm"]
        assert holm(values) == near(adjusted)

    @pytest.mark.parametrize(("successes", "n", "confidence", "low", "high"), REFERENCE["wilson"])
    def test_wilson_is_that_of_statsmodels(self, successes, n, confidence, low, high):
        assert bounds(wilson_interval(successes, n, confidence)) == near((low, high))

    @pytest.mark.parametrize(("successes", "n", "confidence", "low", "high"), REFERENCE["clopper_pearson"])
    def test_clopper_pearson_is_that_of_statsmodels(self, successes, n, confidence, low, high):
        assert bounds(clopper_pearson_interval(successes, n, confidence)) == near((low, high))

    @pytest.mark.parametrize(("difference", "error", "n", "sides", "expected"), REFERENCE["power"])
    def test_power_is_that_of_statsmodels(self, difference, error, n, sides, expected):
        assert power(difference, error, n - 1, sides=sides) == near(expected, rel=1e-8)

    @pytest.mark.parametrize(("error", "n", "sides", "target", "expected"), REFERENCE["mdd"])
    def test_the_detectable_difference_is_that_of_statsmodels(self, error, n, sides, target, expected):
        found = minimum_detectable_difference(error, n - 1, target=target, sides=sides)
        # Their solver stops at five digits; put into their own power function, ours is the nearer one.
        assert found == near(expected, rel=1e-5)

    @pytest.mark.parametrize(("share", "confidence", "low", "high"), REFERENCE["quantile"][1])
    def test_intervals_of_quantiles_are_those_of_scipy(self, share, confidence, low, high):
        found = quantile_interval(REFERENCE["quantile"][0], share, confidence=confidence)
        assert bounds(found) == near((low, high))

    def test_sign_flips_are_scipys_permutation_test(self):
        differences, expected = REFERENCE["permutation"]
        (test,) = sign_flip_tests([[d] for d in differences])
        assert (test.p_less, test.p_greater) == near((expected["less"], expected["greater"]))
        assert test.p_value == near(expected["two-sided"])

    def test_bootstrap_intervals_are_scipys_with_the_same_draws(self):
        values, corrected, percentile = REFERENCE["bootstrap"]
        assert bounds(mean_interval(values, method="bca")) == near(tuple(corrected))
        assert bounds(mean_interval(values)) == near(tuple(percentile))

    def test_variance_components_are_those_of_a_mixed_model(self):
        values, samples, within, between = REFERENCE["variance"]
        found = variance_components(values, samples)
        assert (found.within, found.between) == (near(within, rel=1e-4), near(between, rel=1e-4))

    def test_evidence_against_a_margin_is_that_of_the_paired_t_test(self):
        before, after, _, below, above = REFERENCE["paired_t"]
        (found,) = paired_differences(np.c_[before], np.c_[after])
        assert found._shifted(0.0) == near(below)
        assert found.evidence_above(-1e-15) == near(above, rel=1e-6)

    def test_the_standard_error_is_the_cluster_robust_one(self):
        differences, clusters, error, count = REFERENCE["cluster_se"]
        (found,) = paired_differences(np.zeros((20, 1)), np.c_[differences], clusters=clusters)
        assert found.standard_error == near(error)
        assert found.clusters == count


class TestPairedDifferences:
    def test_a_value_on_one_side_only_is_in_no_pair(self):
        before = [[1.0, 0.0], [2.0, math.nan], [3.0, 0.5]]
        after = [[1.5, 0.2], [2.5, 0.9], [math.nan, 0.5]]
        first, second = paired_differences(before, after)
        assert (first.pairs, first.value) == (2, 0.5)
        assert (second.pairs, second.value) == (2, near(0.1))

    def test_questions_about_one_picture_do_not_make_it_surer(self):
        random = np.random.default_rng(1)
        change = random.normal(size=20)
        alone = paired_differences(np.zeros((20, 1)), change[:, None])[0]
        repeated = np.repeat(change, 10)[:, None]
        (together,) = paired_differences(np.zeros((200, 1)), repeated, clusters=[i // 10 for i in range(200)])
        assert together.standard_error == near(alone.standard_error)
        assert bounds(together.interval) == near(bounds(alone.interval))
        assert together.p_value == near(alone.p_value)
        naive = paired_differences(np.zeros((200, 1)), repeated)[0]
        assert naive.standard_error < alone.standard_error / 3

    @pytest.mark.parametrize("rows", [0, 1])
    def test_without_two_pictures_nothing_is_claimed(self, rows):
        (found,) = paired_differences(np.zeros((rows, 1)), np.ones((rows, 1)))
        assert found.interval is None
        assert math.isnan(found.p_value)
        assert math.isnan(found.evidence_below(0.0))

    def test_columns_are_as_if_each_came_alone(self):
        random = np.random.default_rng(2)
        before, after = random.random((30, 3)), random.random((30, 3))
        before[4, 1] = math.nan
        together = paired_differences(before, after)
        alone = [paired_differences(before[:, [at]], after[:, [at]])[0] for at in range(3)]
        for one, other in zip(together, alone, strict=True):
            assert (one.value, one.pairs) == (near(other.value), other.pairs)
            assert bounds(one.interval) == near(bounds(other.interval))

    def test_tables_of_different_shape_are_refused(self):
        with pytest.raises(UsageError, match="one shape"):
            paired_differences([[1.0]], [[1.0, 2.0]])
        with pytest.raises(UsageError, match="one key per row"):
            paired_differences([[1.0], [1.0]], [[1.0], [1.0]], clusters=["a"])

    @given(flags)
    @settings(max_examples=60, deadline=None)
    def test_swapping_the_sides_mirrors_everything(self, changes):
        table = np.array(changes, dtype=float)[:, None]
        (one,) = paired_differences(np.zeros_like(table), table)
        (other,) = paired_differences(table, np.zeros_like(table))
        assert one.value == -other.value
        assert bounds(one.interval) == near((-other.interval.high, -other.interval.low))
        assert one.evidence_below(-0.1) == near(other.evidence_above(0.1))
        assert one.p_value == near(other.p_value)

    def test_what_is_shown_below_a_margin_is_shown_below_zero(self):
        (found,) = paired_differences(np.zeros((8, 1)), -np.ones((8, 1)) * [[1]])
        assert found.evidence_below(-0.5) >= found.test.p_less == near(2**-8)


class TestSignFlips:
    @given(st.lists(st.integers(-3, 3), min_size=1, max_size=9))
    @settings(deadline=None)
    def test_counting_whole_numbers_is_trying_all_signs(self, differences):
        (test,) = sign_flip_tests([[float(d)] for d in differences])
        sums = [sum(s) for s in itertools.product(*[(d, -d) for d in differences])]
        assert test.p_greater == near(sum(s >= sum(differences) for s in sums) / len(sums))
        assert test.p_less == near(sum(s <= sum(differences) for s in sums) / len(sums))

    def test_drawn_signs_come_near_to_all_of_them(self):
        differences = np.random.default_rng(5).normal(0.3, 1, size=12)
        (exact,) = sign_flip_tests(differences[:, None])
        # Two more that cannot matter are too many to try all.
        (drawn,) = sign_flip_tests(np.r_[differences, 1e-9, -1e-9][:, None])
        assert exact.exact
        assert not drawn.exact
        assert drawn.p_value == pytest.approx(exact.p_value, abs=0.02)

    def test_what_no_draw_reaches_keeps_a_proven_bound(self):
        (test,) = sign_flip_tests(np.linspace(1, 1.5, 400)[:, None])
        assert 0 < test.p_greater < 1e-50
        assert test.p_less == 1.0

    def test_no_difference_is_no_evidence(self):
        (test,) = sign_flip_tests(np.zeros((5, 1)))
        assert test.p_value == 1.0


class TestRates:
    def test_rows_of_one_picture_count_as_far_as_they_differ(self):
        clusters = [row // 5 for row in range(100)]
        alike = [row // 5 % 2 == 0 for row in range(100)]
        mixed = [row % 2 == 0 for row in range(100)]
        narrow, wide = (rate_interval(each, clusters=clusters) for each in (mixed, alike))
        assert wide.high - wide.low > narrow.high - narrow.low
        assert bounds(rate_interval(mixed)) == near(bounds(wilson_interval(50, 100)))
        # Twenty pictures that agree within themselves are twenty observations.
        assert wide.high - wide.low == pytest.approx(
            wilson_interval(9.5, 19).high - wilson_interval(9.5, 19).low, rel=1e-6
        )

    def test_no_failure_seen_is_not_no_failure_possible(self):
        assert rate_interval([False] * 50).high > 0.05
        assert rate_interval([]) is None

    def test_impossible_counts_are_refused(self):
        with pytest.raises(UsageError, match="5 of 4"):
            wilson_interval(5, 4)
        with pytest.raises(UsageError, match="0 of 0"):
            clopper_pearson_interval(0, 0)


class TestQuantiles:
    def test_a_bound_that_cannot_be_had_is_infinite(self):
        interval = quantile_interval(range(100), 0.99)
        assert interval.high == math.inf
        assert interval.low > 90
        assert quantile_interval(range(10), 0.01).low == -math.inf
        assert quantile_interval([1.0], 0.5) is None

    def test_clustered_values_are_drawn_by_cluster(self):
        values = np.random.default_rng(4).normal(size=20)
        alone = mean_width(quantile_interval(values, 0.5))
        repeated = quantile_interval(np.repeat(values, 10), 0.5, clusters=[row // 10 for row in range(200)])
        assert mean_width(repeated) > alone / 2

    def test_resampled_quantiles_are_numpys_of_the_drawn_rows(self):
        columns = np.random.default_rng(0).random((37, 2))
        clusters = Clusters.of(37, [row // 3 for row in range(37)])
        shares = [0, 0.5, 0.9, 1]
        found = resampled_quantiles(columns, shares, clusters, resamples=40)
        counts = np.concatenate(list(drawn_counts(clusters.count, 40)))
        for resample, drawn in enumerate(counts):
            rows = np.repeat(np.arange(37), drawn[clusters.of_row])
            assert found[resample] == pytest.approx(np.quantile(columns[rows], shares, axis=0).T)

    def test_the_difference_of_quantiles_meets_the_same_draws(self):
        values = np.random.default_rng(4).exponential(size=50)
        (found,) = quantile_differences(values, values + 1, [0.95])
        assert found.value == near(1.0)
        assert bounds(found.interval) == near((1.0, 1.0))
        assert found.evidence_above(0.5) == 0.0 or found.evidence_above(0.5) < 1e-6


def mean_width(interval):
    return interval.high - interval.low


class TestRecordedResamples:
    def test_all_bootstraps_of_the_same_clusters_meet_the_same_draws(self):
        values = np.array([1.0, 2.0, 4.0, 8.0])
        with recorded_resamples() as record:
            mean = mean_interval(values)
            ratio = bootstrap_ratio(values, np.ones(4))
            weighted = reweighted_interval(lambda weights: float(weights @ values / weights.sum()), n=4)
        drawn = [record.behind(each) for each in (mean, ratio, weighted)]
        assert drawn[0].values == pytest.approx(drawn[1].values)
        assert drawn[0].values == pytest.approx(drawn[2].values)
        assert drawn[0].keys == drawn[2].keys

    def test_nothing_is_kept_when_nobody_asks(self):
        interval = mean_interval([1.0, 2.0, 3.0])
        with recorded_resamples() as record:
            mean_interval([1.0, 2.0, 3.0])
        assert record.behind(interval) is None
        assert record.behind(None) is None

    def test_values_of_other_pictures_have_no_interval_of_their_difference(self):
        with recorded_resamples() as record:
            first = mean_interval([1.0, 2.0, 3.0], clusters=["a", "b", "c"])
            second = mean_interval([1.0, 2.0, 3.0], clusters=["a", "b", "d"])
        found = resampled_difference(2.0, 2.0, (record.behind(first), record.behind(second)), 3)
        assert found.interval is None
        assert math.isnan(found.p_value)

    def test_the_paired_difference_of_ratios_is_narrower_than_its_parts(self):
        random = np.random.default_rng(6)
        lengths = random.integers(10, 90, size=60)
        hard = random.beta(1, 5, size=60)
        edits = [random.binomial(lengths, hard) for _ in range(2)]
        with recorded_resamples() as record:
            intervals = [bootstrap_ratio(each, lengths) for each in edits]
        values = [each.sum() / lengths.sum() for each in edits]
        behind = tuple(record.behind(each) for each in intervals)
        found = resampled_difference(*values, behind, 60)
        assert mean_width(found.interval) < mean_width(intervals[0])
        assert found.interval.low < values[1] - values[0] < found.interval.high


class TestPower:
    def test_the_detectable_difference_is_found_with_the_power_asked_for(self):
        found = minimum_detectable_difference(0.03, 40, target=0.9)
        assert power(found, 0.03, 40) == near(0.9, rel=1e-6)

    def test_what_cannot_be_said_is_not_a_number(self):
        assert math.isnan(minimum_detectable_difference(math.nan, 10))
        assert math.isnan(power(0.1, 0.1, 0))

    def test_an_exact_test_finds_a_difference_as_often_as_computed(self):
        random = np.random.default_rng(8)
        changes = random.normal(0.25, 1, size=(100, 300))
        differences = paired_differences(np.zeros_like(changes), changes, resamples=2)
        found = sum(difference.evidence_above(0.0) <= 0.025 for difference in differences)
        computed = [power(0.25, difference.standard_error, 99, sides=1) for difference in differences]
        assert found / 300 == pytest.approx(np.mean(computed), abs=0.07)


class TestVarianceComponents:
    def test_repetitions_that_agree_have_no_variance_of_their_own(self):
        found = variance_components([1.0, 1.0, 2.0, 2.0], ["a", "a", "b", "b"])
        assert (found.within, found.repetition_share, found.repetition_error) == (0.0, 0.0, 0.0)
        assert found.between == near(0.5)

    def test_groups_of_different_size(self):
        found = variance_components([1.0, 3.0, 5.0, 6.0, 7.0], ["a", "a", "b", "b", "b"])
        assert found.within == near(4 / 3)
        assert (found.samples, found.values) == (2, 5)

    def test_without_repetitions_there_is_nothing_to_take_apart(self):
        assert variance_components([1.0, 2.0, 3.0], ["a", "b", "c"]) is None
        assert variance_components([1.0, 2.0], ["a", "a"]) is None


class TestManyAtOnce:
    """What is resampled together gives what each would give alone."""

    @given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.data())
    def test_some_rows_of_clusters_are_the_clusters_of_these_rows(self, keys, data):
        rows = data.draw(st.lists(st.sampled_from(range(len(keys))), unique=True, max_size=len(keys)))
        chosen = Clusters.of(len(keys), keys).chosen(np.array(rows, dtype=int))
        alone = Clusters.of(len(rows), [keys[row] for row in rows])
        assert chosen.keys == alone.keys
        assert chosen.of_row.tolist() == alone.of_row.tolist()

    @pytest.mark.parametrize("method", ["percentile", "bca"])
    def test_means(self, method):
        columns = np.random.default_rng(1).random((40, 3)) ** 2
        pictures = [row // 2 for row in range(40)]
        together = mean_intervals(columns, clusters=pictures, method=method)
        for column, interval in zip(columns.T, together, strict=True):
            assert bounds(interval) == near(bounds(mean_interval(column, clusters=pictures, method=method)))

    def test_clustered_quantiles(self):
        values, pictures = np.random.default_rng(2).random(60), [row // 3 for row in range(60)]
        together = quantile_intervals(values, [0.5, 0.9], clusters=pictures)
        alone = [quantile_interval(values, share, clusters=pictures) for share in (0.5, 0.9)]
        assert together == alone

    def test_means_of_thousands_of_rows_stay_the_ones_that_were_published(self):
        values = np.sin(np.arange(3000)) ** 2
        others = np.cos(np.arange(3000) * 1.3) ** 2 - 0.02
        (found,) = paired_differences(values[:, None], others[:, None])
        assert bounds(mean_interval(values)) == near((0.4873045518781338, 0.5130027855163293))
        assert bounds(found.interval) == near((-0.03765424209940207, -0.002284496778521925))
        assert found.p_value == near(0.029597040295970403)

    def test_infinite_values_touch_their_own_column_alone(self):
        columns = np.random.default_rng(3).random((50, 2))
        columns[7, 1] = math.inf
        first, _ = mean_intervals(columns)
        assert bounds(first) == near(bounds(mean_interval(columns[:, 0])))


def peak_of(work):
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_few_clusters_of_many_rows_take_little_memory():
    rows, clusters = np.arange(10_000.0), [row % 10 for row in range(10_000)]
    assert peak_of(lambda: quantile_interval(rows, 0.9, clusters=clusters)) < 60e6


def test_battles_of_many_models_take_the_memory_of_their_pictures():
    battles = [(f"m{n % 40}", f"m{(n + 1 + n % 7) % 40}", "model_a") for n in range(4_000)]
    pictures = [n // 200 for n in range(4_000)]
    assert peak_of(lambda: bradley_terry_intervals(battles, clusters=pictures, resamples=50)) < 20e6
