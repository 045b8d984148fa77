"""Reading and combining verdicts."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.errors import UsageError
from vlmops.evaluators import Failure
from vlmops.judges import (
    SwappedJudgment,
    fastchat_pair_verdict,
    fastchat_score_verdict,
    pair_verdict,
    pairwise_position_swap,
    score_verdict,
    swapped_judgment,
)
from vlmops.statistics import bradley_terry

VECTORS = Path(__file__).parents[2] / "vectors" / "judging.json"


@pytest.mark.parametrize("verdict", ["A", "B", "tie"])
def test_a_pair_verdict_is_read(verdict):
    mark = "C" if verdict == "tie" else verdict
    assert pair_verdict(f"Because ... [[{mark}]]\n[[{mark}]]") == verdict


@pytest.mark.parametrize("judgment", ["", "A", "[A]", "[[a]]", "[[A]] and [[B]]"])
def test_no_pair_verdict_is_guessed(judgment):
    assert isinstance(pair_verdict(judgment), Failure)


@pytest.mark.parametrize(
    ("judgment", "rating"), [("[[8]]", 8), ("Rating: [[7.5]]", 7.5), ("[[9/10]]", 9), ("[[3]] so [[3.0]]", 3)]
)
def test_a_rating_is_read(judgment, rating):
    assert score_verdict(judgment) == rating


@pytest.mark.parametrize("judgment", ["", "8", "[8]", "[[8]] or [[9]]", "[[11]]", "[[-1]]", "[[0]]", "[[٨]]"])
def test_no_rating_is_guessed(judgment):
    assert isinstance(score_verdict(judgment), Failure)


def test_fastchats_reading_is_kept_for_comparison():
    assert fastchat_pair_verdict("[[B]] rather than [[A]]") == "A"
    assert fastchat_pair_verdict("[[C]]") == "tie"
    assert fastchat_score_verdict("scores [3] and [4]") == 3
    assert fastchat_score_verdict("none") == -1
    with pytest.raises(UsageError, match="08"):
        fastchat_score_verdict("[[08]]")


@given(st.text())
def test_any_judgment_gives_a_verdict_or_a_reason(judgment):
    assert isinstance(pair_verdict(judgment), str | Failure)
    assert isinstance(score_verdict(judgment), float | Failure)


def test_a_model_wins_only_in_both_orders():
    judgments = [
        swapped_judgment("m1", "m2", "A", "B"),
        swapped_judgment("m1", "m2", "A", "A"),
        swapped_judgment("m1", "m2", "tie", "tie"),
        SwappedJudgment("m1", "m2", "error", "model_1"),
    ]
    result = pairwise_position_swap(judgments)
    assert (result.errors, result.inconsistent) == (1, 1)
    first, second = result.records["m1"], result.records["m2"]
    assert (first.win, first.tie, first.loss) == (1, 2, 0)
    assert first.adjusted_win_rate + second.adjusted_win_rate == pytest.approx(1)


def test_bradley_terry_ratings_are_those_of_fastchat_within_its_own_accuracy():
    # FastChat stops its optimiser early: its ratings are off by up to 1e-4 of a point.
    vectors = [vector for vector in json.loads(VECTORS.read_text()) if vector["metric"] == "bradley_terry"]
    assert vectors
    for vector in vectors:
        expected = {model: pytest.approx(rating, abs=1e-3) for model, rating in vector["expected"].items()}
        assert bradley_terry(vector["input"]["battles"]) == expected, vector["id"]
