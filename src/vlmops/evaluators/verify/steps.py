"""Vectors of step sequences, rank correlation and agreement of several raters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops.evaluators import steps
from vlmops.statistics.agreement import fleiss_kappa, krippendorff_alpha
from vlmops.statistics.correlation import kendall_tau, spearman, weighted_kendall_tau

if TYPE_CHECKING:
    from collections.abc import Callable

    from vlmops.evaluators.verify.vector import Vector


def _sequences(vector: Vector) -> tuple[list[str], list[str]]:
    return vector.input["expected_steps"], vector.input["observed_steps"]


def _pair(vector: Vector) -> tuple[list[float], list[float]]:
    return vector.input["x"], vector.input["y"]


def _edit_distance(vector: Vector) -> dict[str, float]:
    pair = _sequences(vector)
    distance = steps.step_edit_distance(*pair)
    return {
        "distance": distance,
        "normalized_similarity": steps.step_edit_similarity(*pair),
        "editdistance_pkg": distance,
    }


def _common_steps(vector: Vector) -> dict[str, float]:
    pair = _sequences(vector)
    return {
        "similarity": steps.longest_common_steps(*pair),
        "normalized_similarity": steps.common_steps_similarity(*pair),
    }


def _alpha(vector: Vector) -> float:
    return krippendorff_alpha(vector.input["ratings_by_rater"], vector.input["level"])


METRICS: dict[str, Callable[[Vector], Any]] = {
    "fleiss_kappa": lambda vector: fleiss_kappa(vector.input["ratings_by_rater"]),
    "kendall_tau": lambda vector: kendall_tau(*_pair(vector), vector.input["variant"]),
    "kendall_tau_weighted": lambda vector: weighted_kendall_tau(*_pair(vector)),
    "krippendorff_alpha": _alpha,
    "spearman_rho": lambda vector: spearman(*_pair(vector)),
    "step_damerau": lambda vector: {"distance": steps.step_swap_distance(*_sequences(vector))},
    "step_edit_distance": _edit_distance,
    "step_lcs": _common_steps,
}
