"""From rules and a comparison to checks."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vlmops.errors import UsageError
from vlmops.experiments.comparison.operations import COST, ERROR_RATE, LATENCY, TOKENS
from vlmops.experiments.comparison.shown import bounds, number
from vlmops.gate.regression import RegressionRule, regression_checks
from vlmops.gate.result import GateCheck, RuleName, Status
from vlmops.gate.slack import slack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vlmops.experiments import Comparison, Measure, VariantValue
    from vlmops.gate.rules import GateRules, LimitRule, MetricRule


def checks_of(comparison: Comparison, rules: GateRules, slices: Sequence[str]) -> list[GateCheck]:
    """Every check of the gate, the rules' order kept.

    Args:
        comparison: Baseline and candidate; or the candidate alone where no rule compares.
        rules: The rules.
        slices: Names of the slices in which every ``max_drop`` holds as well.
    """
    board = _Board(comparison, rules)
    board.coverage()
    for name, rule in rules.metrics.items():
        board.metric(name, "", rule)
        for part in dict.fromkeys((*slices, *rule.slices)):
            board.metric_slice(name, part, rule, rule.slices.get(part))
    for key in rules.slices:
        board.known_key(key)
    for name, limit in _limits(rules):
        board.limit(name, limit)
    return board.checks()


def _limits(rules: GateRules) -> Iterator[tuple[str, LimitRule]]:
    single = {ERROR_RATE: rules.error_rate, TOKENS: rules.tokens, COST: rules.cost}
    for name, limit in single.items():
        if limit is not None:
            yield name, limit
    for part, limit in rules.latency.items():
        yield (LATENCY if part == "mean" else f"{LATENCY}.{part}"), limit


@dataclass
class _Board:
    """The checks as they come; regression rules wait until all are known."""

    comparison: Comparison
    rules: GateRules
    _found: list[GateCheck | RegressionRule] = field(default_factory=list)

    def checks(self) -> list[GateCheck]:
        waiting = [each for each in self._found if isinstance(each, RegressionRule)]
        judged = iter(regression_checks(waiting, self.rules.confidence))
        return [next(judged) if isinstance(each, RegressionRule) else each for each in self._found]

    def coverage(self) -> None:
        """A run that was interrupted has answers to some samples only: its figures are of an easier set."""
        candidate = self.comparison.variants[-1]
        asked = candidate.pairs + candidate.missing
        if not asked or candidate.missing / asked <= self.rules.max_unscored:
            return
        message = (
            f"{candidate.missing} of the baseline's {asked} answers have no partner in {candidate.name}: "
            "continue the run, or compare on the same dataset"
        )
        self._found.append(
            GateCheck("answers", "", "coverage", 1 - self.rules.max_unscored, Status.ERROR, message)
        )

    def known_key(self, key: str) -> None:
        if not any(name.startswith(f"{key}=") for name in self.comparison.slices):
            self._error(
                key, "", "coverage", 0.0, f"no sample has the metadata {key!r}: there is no such slice"
            )

    def metric(self, name: str, part: str, rule: MetricRule) -> None:
        wanted: dict[RuleName, float | None] = {"min": rule.min, "max": rule.max, "max_drop": rule.max_drop}
        for kind, limit in wanted.items():
            if limit is not None:
                self._rule(name, part, kind, limit)

    def metric_slice(self, name: str, part: str, rule: MetricRule, own: MetricRule | None) -> None:
        """In a slice, its own rule; where it has none, the general tolerance."""
        if own is not None:
            self.metric(name, part, own)
        elif rule.max_drop is not None:
            self._rule(name, part, "max_drop", rule.max_drop)

    def limit(self, name: str, rule: LimitRule) -> None:
        if rule.max is not None:
            self._rule(name, "", "max", rule.max)
        if rule.max_increase is not None:
            self._rule(name, "", "max_increase", rule.max_increase)

    def _rule(self, name: str, part: str, kind: RuleName, limit: float) -> None:
        if part and part not in self.comparison.slices:
            self._error(name, part, kind, limit, f"slice {part!r} is empty: no sample is in it")
            return
        try:
            measure = self.comparison.measure(name, part)
        except UsageError as error:
            self._error(name, part, kind, limit, str(error))
            return
        value = measure.values[-1]
        problem = self._problem(measure, value)
        if problem:
            self._error(name, part, kind, limit, problem)
        elif kind in ("min", "max"):
            self._found.append(_threshold(measure, value, kind, limit, self.rules.thresholds))
        else:
            self._regression(measure, value, kind, limit)

    def _regression(self, measure: Measure, value: VariantValue, kind: RuleName, limit: float) -> None:
        found = value.difference
        where = (measure.name, measure.slice, kind, limit)
        if found is None:
            self._error(*where, "there is no baseline to compare with: name one")
        elif measure.direction == "none":
            self._error(*where, "the metric does not say which way is better: use min or max")
        elif found.paired.pairs == 0:
            self._error(*where, f"nothing to compare: {found.note}")
        else:
            self._found.append(RegressionRule(measure, found, kind, limit))

    def _problem(self, measure: Measure, value: VariantValue) -> str:
        """Why a value cannot be relied on; empty when it can."""
        if not value.n or math.isnan(value.value):
            return f"no answer has a value ({value.failures} failed)"
        lacking, asked = self._lacking(measure, value)
        if asked and lacking / asked > self.rules.max_unscored:
            return (
                f"{lacking} of {asked} answers have no value, more than the {self.rules.max_unscored:.0%} "
                "that max_unscored allows"
            )
        return ""

    def _lacking(self, measure: Measure, value: VariantValue) -> tuple[int, int]:
        """How many answers have no value, of how many.

        A failed answer has no latency and no cost, which the error rate speaks of; it has no score either,
        and those who answer only what is easy must not look better for it.
        """
        if measure in self.comparison.operations:
            failed = self._failed_answers(measure.slice)
            answers = value.n + value.failures - failed
            return max(0, value.failures - failed), answers
        own = (value.failures, value.n + value.failures)
        found = value.difference
        if found is None:
            return own
        lost = (found.only_baseline, found.paired.pairs + found.only_baseline)
        return max(own, lost, key=lambda counts: counts[0] / max(1, counts[1]))

    def _failed_answers(self, part: str) -> int:
        rate = self.comparison.measure(ERROR_RATE, part).values[-1]
        return round(rate.value * rate.n)

    def _error(self, name: str, part: str, kind: RuleName, limit: float, message: str) -> None:
        self._found.append(GateCheck(name, part, kind, limit, Status.ERROR, message))


def _threshold(
    measure: Measure, value: VariantValue, kind: RuleName, limit: float, thresholds: str
) -> GateCheck:
    looked_at, what = value.value, "value"
    if thresholds == "bound":
        if value.interval is None:
            message = f"{number(value.value, measure.unit)} has no interval: its bound is not known"
            return GateCheck(
                measure.name, measure.slice, kind, limit, Status.UNCLEAR, message, value.value, None, value.n
            )
        looked_at = value.interval.low if kind == "min" else value.interval.high
        what = "lower bound" if kind == "min" else "upper bound"
    room = limit - looked_at if kind == "max" else looked_at - limit
    kept = room >= -slack(limit)
    shown = f"{number(value.value, measure.unit)} {bounds(value.interval)}".strip()
    relation = {("min", True): "reaches", ("min", False): "is below"}.get(
        (kind, kept), "keeps to" if kept else "is above"
    )
    return GateCheck(
        measure.name,
        measure.slice,
        kind,
        limit,
        Status.PASS if kept else Status.FAIL,
        f"{shown} over {value.n} answers: the {what} {relation} {number(limit, measure.unit)}",
        value.value,
        value.interval,
        value.n,
    )
