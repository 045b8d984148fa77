"""Honest statistics: intervals, comparisons, agreement, correlation and rankings for every value shown."""

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
from vlmops.statistics.bootstrap import bootstrap_interval, bootstrap_ratio, mean_interval, mean_intervals
from vlmops.statistics.correlation import kendall_tau, pearson, spearman, weighted_kendall_tau
from vlmops.statistics.multiplicity import holm
from vlmops.statistics.paired import (
    PairedDifference,
    paired_differences,
    quantile_differences,
    resampled_difference,
)
from vlmops.statistics.permutation import SignFlipTest, mcnemar, sign_flip_tests
from vlmops.statistics.power import minimum_detectable_difference, power
from vlmops.statistics.prevalence import Estimate, prediction_powered_mean, rogan_gladen
from vlmops.statistics.quantiles import quantile_interval, quantile_intervals
from vlmops.statistics.ranking import (
    Battle,
    bradley_terry,
    bradley_terry_intervals,
    elo,
    luce_spectral_ranking,
)
from vlmops.statistics.rates import clopper_pearson_interval, rate_interval, wilson_interval
from vlmops.statistics.resampling import ResamplingRecord, recorded_resamples
from vlmops.statistics.reweighting import reweighted_interval, reweighted_intervals
from vlmops.statistics.variance import VarianceComponents, variance_components

__all__ = [
    "Agreement",
    "Battle",
    "Estimate",
    "PairedDifference",
    "ResamplingRecord",
    "SignFlipTest",
    "VarianceComponents",
    "Vote",
    "bootstrap_interval",
    "bootstrap_ratio",
    "bradley_terry",
    "bradley_terry_intervals",
    "clopper_pearson_interval",
    "cohen_kappa",
    "cohen_kappa_of_counts",
    "elo",
    "fleiss_kappa",
    "holm",
    "kendall_tau",
    "krippendorff_alpha",
    "luce_spectral_ranking",
    "mcnemar",
    "mean_interval",
    "mean_intervals",
    "minimum_detectable_difference",
    "paired_differences",
    "pearson",
    "power",
    "prediction_powered_mean",
    "quantile_differences",
    "quantile_interval",
    "quantile_intervals",
    "rate_interval",
    "recorded_resamples",
    "resampled_difference",
    "reweighted_interval",
    "reweighted_intervals",
    "rogan_gladen",
    "sign_flip_tests",
    "spearman",
    "variance_components",
    "vote_agreement",
    "weighted_kendall_tau",
    "wilson_interval",
]
