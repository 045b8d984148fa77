"""Honest statistics: intervals, agreement, correlation and rankings for every value that is shown."""

from __future__ import annotations

from vlmops.statistics.agreement import (
    Agreement,
    Vote,
    cohen_kappa,
    cohen_kappa_of_counts,
    fleiss_kappa,
    krippendorff_alpha,
    vote_agreement,
)
from vlmops.statistics.bootstrap import bootstrap_interval, bootstrap_ratio, mean_interval
from vlmops.statistics.correlation import kendall_tau, pearson, spearman, weighted_kendall_tau
from vlmops.statistics.ranking import Battle, bradley_terry, elo, luce_spectral_ranking
from vlmops.statistics.reweighting import reweighted_interval, reweighted_intervals

__all__ = [
    "Agreement",
    "Battle",
    "Vote",
    "bootstrap_interval",
    "bootstrap_ratio",
    "bradley_terry",
    "cohen_kappa",
    "cohen_kappa_of_counts",
    "elo",
    "fleiss_kappa",
    "kendall_tau",
    "krippendorff_alpha",
    "luce_spectral_ranking",
    "mean_interval",
    "pearson",
    "reweighted_interval",
    "reweighted_intervals",
    "spearman",
    "vote_agreement",
    "weighted_kendall_tau",
]
