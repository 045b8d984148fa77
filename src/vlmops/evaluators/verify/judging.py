"""Vectors of verdicts, rankings, and agreement of judges with people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops.evaluators.quantities import mean_absolute_error
from vlmops.judges.verdicts import (
    SwappedJudgment,
    fastchat_pair_verdict,
    fastchat_score_verdict,
    pairwise_position_swap,
)
from vlmops.statistics.agreement import Vote, cohen_kappa, vote_agreement
from vlmops.statistics.correlation import kendall_tau, pearson, spearman
from vlmops.statistics.ranking import bradley_terry, elo, luce_spectral_ranking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vlmops.evaluators.verify.vector import Vector


def _votes(entries: list[Mapping[str, Any]]) -> list[Vote]:
    return [
        Vote((entry["question_id"], entry.get("turn")), entry["model_a"], entry["model_b"], entry["winner"])
        for entry in entries
    ]


def _agreement(vector: Vector) -> dict[str, list[int]]:
    ties = "tie" not in vector.input["ban"]
    people, judge = _votes(vector.input["human_votes"]), _votes(vector.input["judge_votes"])
    with_judge = vote_agreement(people, judge, ties=ties)
    among_people = vote_agreement(people, ties=ties)
    return {
        "judge_human": [with_judge.agreed, with_judge.total],
        "human_human": [among_people.agreed, among_people.total],
    }


def _correlation(vector: Vector) -> dict[str, float]:
    people, judge = vector.input["human"], vector.input["judge"]
    return {
        "pearson": pearson(people, judge),
        "spearman": spearman(people, judge),
        "kendall_b": kendall_tau(people, judge),
        "qwk": cohen_kappa(people, judge, weights="quadratic"),
        "mae": mean_absolute_error(judge, people),
    }


def _swap(vector: Vector) -> dict[str, dict[str, float]]:
    judgments = [
        SwappedJudgment(entry["model_1"], entry["model_2"], entry["g1_winner"], entry["g2_winner"])
        for entry in vector.input["judgments"]
    ]
    return {
        model: {
            "win": record.win,
            "loss": record.loss,
            "tie": record.tie,
            "win_rate": record.win_rate,
            "loss_rate": record.loss_rate,
            "win_rate_adjusted": record.adjusted_win_rate,
        }
        for model, record in pairwise_position_swap(judgments).records.items()
    }


def _luce(vector: Vector) -> list[float]:
    given = vector.input
    return luce_spectral_ranking(given["n_items"], given["winner_loser"], alpha=given.get("alpha", 0.0))


METRICS: dict[str, Callable[[Vector], Any]] = {
    "bradley_terry": lambda vector: bradley_terry(vector.input["battles"]),
    "bradley_terry_choix": _luce,
    "elo": lambda vector: elo(vector.input["battles"], k=vector.input.get("k", 4.0)),
    "judge_correlation": _correlation,
    "judge_human_agreement": _agreement,
    "judge_pair_parse": lambda vector: fastchat_pair_verdict(vector.input["judgment"]),
    "judge_score_parse": lambda vector: fastchat_score_verdict(vector.input["judgment"]),
    "pairwise_position_swap": _swap,
}

TOLERANCES: dict[str, float] = {
    # FastChat's logistic regression stops at scikit-learn's default tolerance, before the optimum that ours
    # reaches: ratings around 1000 differ by 1e-5 to 1e-4, where a difference of 0.5 means nothing yet.
    "bradley_terry": 1e-6,
}
