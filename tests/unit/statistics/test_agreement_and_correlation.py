"""Agreement, correlation and rankings against stored values of scipy, krippendorff, statsmodels and choix."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.errors import UsageError
from vlmops.statistics import (
    Agreement,
    Vote,
    bradley_terry,
    bradley_terry_intervals,
    cohen_kappa,
    elo,
    fleiss_kappa,
    kendall_tau,
    krippendorff_alpha,
    luce_spectral_ranking,
    pearson,
    reweighted_interval,
    spearman,
    vote_agreement,
    weighted_kendall_tau,
)

REFERENCE = json.loads((Path(__file__).parent / "references.json").read_text())


def near(value):
    return pytest.approx(float(value), rel=1e-9, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("case", REFERENCE["correlation"], ids=range(len(REFERENCE["correlation"])))
def test_correlations_are_those_of_scipy(case):
    x, y = case["x"], case["y"]
    assert kendall_tau(x, y) == near(case["tau_b"])
    assert kendall_tau(x, y, "c") == near(case["tau_c"])
    assert weighted_kendall_tau(x, y) == near(case["weighted"])
    assert spearman(x, y) == near(case["spearman"])
    assert pearson(x, y) == near(case["pearson"])


@pytest.mark.parametrize("case", REFERENCE["ratings"], ids=range(len(REFERENCE["ratings"])))
def test_agreement_of_several_raters(case):
    for level, value in case["alpha"].items():
        assert krippendorff_alpha(case["ratings"], level) == near(value)
    assert fleiss_kappa(case["complete"]) == near(case["fleiss"])


@pytest.mark.parametrize("case", REFERENCE["luce"], ids=range(len(REFERENCE["luce"])))
def test_luce_ranking_is_that_of_choix(case):
    found = luce_spectral_ranking(case["items"], case["wins"], alpha=case["alpha"])
    assert found == [near(value) for value in case["value"]]


def test_undefined_values_are_nan():
    assert math.isnan(kendall_tau([1, 1], [1, 2]))
    assert math.isnan(weighted_kendall_tau([1], [1]))
    assert weighted_kendall_tau([1.5, math.inf, -math.inf], [2, 3, 1]) == 1.0
    assert math.isnan(pearson([], []))
    assert math.isnan(spearman([1, math.nan], [1, 2]))
    assert math.isnan(cohen_kappa(["y", "y"], ["y", "y"]))
    assert math.isnan(cohen_kappa([], []))
    assert math.isnan(fleiss_kappa([["a"], ["a"]]))
    assert math.isnan(krippendorff_alpha([[1, None], [None, 2]]))
    assert math.isnan(krippendorff_alpha([[1, 1], [1, 1]]))


def test_ordinal_labels_need_their_order():
    ratings = [["low", "mid", "high", None], ["low", "high", "high", "mid"]]
    with pytest.raises(UsageError, match="domain"):
        krippendorff_alpha(ratings, "ordinal")
    as_words = krippendorff_alpha(ratings, "ordinal", domain=["low", "mid", "high"])
    as_ranks = krippendorff_alpha([[1, 2, 3, math.nan], [1, 3, 3, 2]], "ordinal")
    assert as_words == near(as_ranks)
    with pytest.raises(UsageError, match="must be numbers"):
        krippendorff_alpha(ratings, "interval")
    with pytest.raises(UsageError, match="'high'"):
        krippendorff_alpha(ratings, "ordinal", domain=["low", "mid"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kendall_tau([1], [1, 2]), "equal length"),
        (lambda: kendall_tau([1], [1], "z"), "'z'"),
        (lambda: cohen_kappa(["a"], []), "1 and 0"),
        (lambda: cohen_kappa(["a"], ["b"], weights="cubic"), "cubic"),
        (lambda: fleiss_kappa([["a", None], ["a", "b"]]), "missing"),
        (lambda: fleiss_kappa([["a"]]), "two raters"),
        (lambda: fleiss_kappa([["a"], ["a", "b"]]), "row per rater"),
        (lambda: elo([("a", "b", "c")]), "'c'"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(UsageError, match=message):
        call()


def test_many_items_are_correlated_quickly_and_in_bounded_memory():
    x = list(range(5_000))
    assert kendall_tau(x, x[::-1]) == -1.0
    assert weighted_kendall_tau(x, x) == 1.0


def test_votes_on_swapped_models_agree():
    people = [Vote(1, "m2", "m1", "model_a"), Vote(2, "m1", "m2", "tie (both bad)")]
    judge = [Vote(1, "m1", "m2", "model_b"), Vote(2, "m1", "m2", "tie"), Vote(3, "m1", "m2", "model_a")]
    assert vote_agreement(people, judge) == Agreement(2, 2)
    assert vote_agreement(people, judge, ties=False) == Agreement(1, 1)
    assert math.isnan(vote_agreement(people).rate)
    with pytest.raises(UsageError, match="'m1'"):
        vote_agreement([Vote(1, "m1", "m2", "m1")])


def test_bradley_terry_does_not_depend_on_order_but_elo_does():
    battles = [("a", "b", "model_a"), ("a", "b", "model_b"), ("b", "c", "tie"), ("a", "c", "model_a")]
    forward, backward = bradley_terry(battles), bradley_terry(battles[::-1])
    assert {model: near(value) for model, value in forward.items()} == backward
    assert sum(forward.values()) == near(3000)
    assert elo(battles, k=32) != elo(battles[::-1], k=32)


def test_an_unbeaten_model_needs_a_prior():
    battles = [("a", "b", "model_a"), ("b", "c", "model_a")]
    with pytest.raises(UsageError, match=r"'a' never loses to 'b'.*prior_games"):
        bradley_terry(battles)
    ratings = bradley_terry(battles, prior_games=0.1)
    assert ratings["a"] > ratings["b"] > ratings["c"]
    with pytest.raises(UsageError, match="alpha"):
        luce_spectral_ranking(2, [(0, 1)])
    with pytest.raises(UsageError, match="never met"):
        luce_spectral_ranking(3, [(0, 1), (1, 0)])


@pytest.mark.parametrize("won", [1, 8, 300, 100_000])
def test_two_models_are_as_far_apart_as_their_odds_however_lopsided(won):
    battles = [("a", "b", "model_a")] * won
    ratings = bradley_terry(battles, prior_games=0.1)
    apart = 400 * math.log10((won + 0.05) / 0.05)
    assert ratings == {"a": near(1000 + apart / 2), "b": near(1000 - apart / 2)}


def test_intervals_of_lopsided_battles_lie_around_the_mean_rating():
    battles = [("a", "b", "model_a")] * 60 + [("a", "b", "model_b")] + [("c", "d", "model_b")] * 40
    intervals = bradley_terry_intervals(battles, resamples=100)
    ratings = bradley_terry(battles, prior_games=0.1)
    for model, interval in intervals.items():
        assert interval.low - 1e-6 <= ratings[model] <= interval.high + 1e-6
        assert 0 < interval.low < interval.high < 2000


def test_bradley_terry_and_luce_agree():
    wins = [(0, 1), (0, 1), (1, 0), (1, 2), (2, 0), (0, 2)]
    strengths = luce_spectral_ranking(3, wins)
    ratings = bradley_terry(
        [(str(w), str(loser), "model_a") for w, loser in wins], scale=math.log(10), initial=0
    )
    assert [ratings[str(item)] for item in range(3)] == [
        pytest.approx(value, abs=1e-6) for value in strengths
    ]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("ab")), min_size=1))
def test_kappa_is_symmetric(pairs):
    first, second = zip(*pairs, strict=True)
    assert cohen_kappa(first, second) == pytest.approx(cohen_kappa(second, first), nan_ok=True)


def test_reweighting_agrees_with_the_mean_and_keeps_clusters_together():
    import numpy as np

    values = np.arange(20.0)

    def mean(weights):
        return float(weights @ values / weights.sum())

    alone = reweighted_interval(mean, 20)
    assert alone.low < values.mean() < alone.high
    together = reweighted_interval(mean, 20, clusters=[index // 10 for index in range(20)])
    assert together.high - together.low > alone.high - alone.low
    assert reweighted_interval(mean, 20, clusters=["one"] * 20) is None
    assert reweighted_interval(lambda weights: math.nan, 20) is None
