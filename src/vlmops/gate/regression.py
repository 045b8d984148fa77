"""Regression rules: is the candidate shown to be worse than the tolerance, or shown not to be?

A sample answers one of three things. The bounds looked at are those of the two-sided interval of the paired
difference, turned so that up is good:

- **fail**: the candidate is shown to be worse by more than the tolerance. Its upper bound is below minus the
  tolerance, and the evidence for it stands after Holm's correction for all regression rules of the gate. The
  evidence is the larger of two p-values: the t-test's against the tolerance, and the exact one of the
  sign-flip test against no difference. Means of variants that are alike are told apart no more often than the
  level says, for any sample size, distribution and tolerance. Corpus values and percentiles have no such
  test: theirs is the t-test with the bootstrap's standard error.
- **pass**: the lower bound keeps to the tolerance: a greater loss is ruled out. Here nothing is corrected,
  since all rules must hold at once.
- **not enough evidence**: neither. The lower bound breaks the tolerance, but so does the noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vlmops.experiments.comparison.shown import bounds, number, signed
from vlmops.gate.result import GateCheck, RuleName, Status
from vlmops.gate.slack import slack
from vlmops.statistics import holm, minimum_detectable_difference
from vlmops.statistics.distributions import beta_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.experiments import Difference, Measure


@dataclass(frozen=True, slots=True)
class RegressionRule:
    """One regression rule with the difference it looks at.

    Attributes:
        measure: The measure.
        found: The candidate against the baseline; with at least one pair.
        rule: ``max_drop`` or ``max_increase``.
        tolerance: By how much the candidate may be worse.
    """

    measure: Measure
    found: Difference
    rule: RuleName
    tolerance: float

    @property
    def evidence(self) -> float:
        """One-sided p-value of "it is worse by no more than the tolerance"; NaN where nothing can be said."""
        paired = self.found.paired
        if paired.interval is None:
            return math.nan
        if self._sign > 0:
            return paired.evidence_below(-self._allowed)
        return paired.evidence_above(self._allowed)

    @property
    def _allowed(self) -> float:
        return self.tolerance + slack(self.tolerance)

    @property
    def _sign(self) -> int:
        return 1 if self.measure.direction == "maximize" else -1

    def check(self, p_value: float, rules: int, confidence: float) -> GateCheck:
        """What became of it.

        Args:
            p_value: The evidence, corrected.
            rules: How many regression rules the gate has.
            confidence: Level of the intervals.
        """
        status, reason = self._judged(p_value, (1 - confidence) / 2)
        found, unit = self.found, self.measure.unit
        return GateCheck(
            self.measure.name,
            self.measure.slice,
            self.rule,
            self.tolerance,
            status,
            f"{signed(found.value, unit)} {bounds(found.interval)} over {found.paired.pairs} pairs: {reason}",
            found.value,
            found.interval,
            found.paired.pairs,
            p_value,
            self._detectable(rules, confidence),
        )

    def _judged(self, p_value: float, level: float) -> tuple[Status, str]:
        interval = self.found.interval
        allowed = f"{number(self.tolerance, self.measure.unit)} allowed"
        if interval is None:
            return Status.UNCLEAR, f"no interval ({self.found.note})"
        ends = sorted((self._sign * interval.low, self._sign * interval.high))
        if ends[1] < -self._allowed and p_value <= level + 1e-12:
            return Status.FAIL, f"worse by more than the {allowed} (p={p_value:.2g})"
        if min(ends[0], self._rare_losses(level)) >= -self._allowed:
            return Status.PASS, f"a loss of more than the {allowed} is ruled out"
        return Status.UNCLEAR, f"a loss of more than the {allowed} is neither shown nor ruled out"

    def _rare_losses(self, level: float) -> float:
        """The bound that losses too rare to have been seen allow: no sample shows that there are none.

        A bootstrap of pairs that are all alike claims certainty. Of passes and failures, the exact bound of
        the share of losses tells how many may have gone unseen; of other metrics it is asked only where no
        pair differs at all, and a loss may then be as large as one.
        """
        paired = self.found.paired
        if self.found.losses is None or self.found.wins is None or paired.pairs == 0:
            return math.inf
        if self.measure.kind != "rate" and paired.standard_error > 0:
            return math.inf
        pictures = paired.clusters
        wins, losses = (count * pictures / paired.pairs for count in (self.found.wins, self.found.losses))
        if losses >= pictures:
            return -1.0
        return wins / pictures - beta_quantile(1 - level, losses + 1, pictures - losses)

    def _detectable(self, rules: int, confidence: float) -> float:
        paired = self.found.paired
        beyond = minimum_detectable_difference(
            paired.standard_error,
            paired.clusters - 1,
            confidence=1 - (1 - confidence) / max(1, rules),
            sides=1,
        )
        return self.tolerance + beyond if beyond else math.nan


def regression_checks(rules: Sequence[RegressionRule], confidence: float) -> list[GateCheck]:
    """A check for each rule, corrected for how many of them there are.

    Args:
        rules: All regression rules of a gate.
        confidence: Level of the two-sided intervals; a false alarm is as rare as half of the rest.
    """
    known = [at for at, rule in enumerate(rules) if not math.isnan(rule.evidence)]
    adjusted = dict(zip(known, holm([rules[at].evidence for at in known]), strict=True))
    return [rule.check(adjusted.get(at, math.nan), len(known), confidence) for at, rule in enumerate(rules)]
