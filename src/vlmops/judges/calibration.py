"""Calibration: how a judge's verdicts stand to those of people on the same cases."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from vlmops.errors import UsageError
from vlmops.evaluators.failure import Failure
from vlmops.evaluators.score import Score
from vlmops.statistics import (
    Estimate,
    bootstrap_interval,
    cohen_kappa,
    kendall_tau,
    pearson,
    prediction_powered_mean,
    rate_interval,
    rogan_gladen,
    spearman,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from vlmops.evaluators.score import Interval, Value

    Figure = Callable[[Sequence[Value], Sequence[Value]], float]

Kind = Literal["pass/fail", "scale", "label"]

_RESAMPLES = 1000
_FEW = 20
"""With fewer pictures than these, intervals are too narrow, and too wide to decide by."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure over the labelled cases.

    Attributes:
        value: The figure; NaN where it is undefined.
        interval: Bootstrap interval (of shares: of the rate), cases about one picture drawn together.
    """

    value: float
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """A judge against people.

    Attributes:
        kind: What sort of verdict it is.
        n: Cases with a verdict of both.
        failures: Labelled cases on which the judge gave none, by kind; in no figure.
        agreement: Share of cases with the same verdict, 0 to 1; higher is better.
        kappa: Cohen's kappa, with quadratic weights on a scale: agreement beyond chance, at most 1.
        correlation: On a scale: ``pearson``, ``spearman`` and ``kendall``, -1 to 1; higher is better.
        confusion: How often people said the first and the judge the second.
        bias: On a scale, the judge's mean less the people's; above 0 it is lenient. Of pass/fail likewise.
        sensitivity: Of pass/fail: share of what people pass that the judge passes.
        specificity: Of pass/fail: share of what people fail that the judge fails.
        corrected: The pass rate (of pass/fail) or mean (of a scale) that people would have given all cases
            the judge saw; ``None`` where its errors do not allow an estimate.
        uncorrected: The same as the judge gives it.
        warning: Why the figures say little, such as too few pictures with labels; empty where nothing stands
            against them.
    """

    kind: Kind
    n: int
    failures: Mapping[str, int]
    agreement: Measured
    kappa: Measured
    confusion: Mapping[tuple[Value, Value], int]
    correlation: Mapping[str, Measured] = field(default_factory=dict)
    bias: Measured | None = None
    sensitivity: Measured | None = None
    specificity: Measured | None = None
    corrected: Estimate | None = None
    uncorrected: float | None = None
    warning: str = ""


def calibrate(
    judged: Mapping[str, Score | Failure],
    human: Mapping[str, Value],
    clusters: Mapping[str, Hashable] | None = None,
) -> Calibration:
    """Compare a judge's verdicts with people's.

    The corrected pass rate is Rogan and Gladen's from the judge's sensitivity and specificity; the corrected
    mean of a scale is prediction-powered, for which the labelled cases must be a random share of all.

    Args:
        judged: What the judge gave, by id of the case: all cases it saw, labelled or not.
        human: What people said, by id: as the judge's values (``True``, ``4``, ``"scratch"``).
        clusters: By id, equal keys for cases about the same picture; each case is its own otherwise.

    Raises:
        UsageError: Fewer than two cases have a verdict of both, or the verdicts are not of one kind.

    Example:
        >>> judged = {str(n): Score("ok", n % 3 > 0) for n in range(12)}
        >>> human = {str(n): n % 3 > 0 or n == 0 for n in range(9)}
        >>> found = calibrate(judged, human)
        >>> found.n, round(found.agreement.value, 3), found.confusion[(True, False)]
        (9, 0.889, 1)
    """
    scores = {key: score for key, score in judged.items() if isinstance(score, Score)}
    both = [key for key in human if key in scores]
    if len(both) < 2:
        raise UsageError(
            f"{len(both)} of {len(human)} labelled cases have a verdict of the judge: calibration takes two "
            "at least; check that the ids of labels and cases are the same"
        )
    kind = _kind([*(human[key] for key in both), *(score.value for score in scores.values())])
    failed = (judged.get(key) for key in human)
    pairs = _Pairs(
        [_plain(human[key], kind) for key in both],
        [_plain(scores[key].value, kind) for key in both],
        [clusters.get(key, key) if clusters else key for key in both],
    )
    found = Calibration(
        kind,
        len(both),
        dict(Counter(each.kind.value for each in failed if isinstance(each, Failure))),
        pairs.agreement(),
        pairs.measured(lambda a, b: cohen_kappa(a, b, weights="quadratic" if kind == "scale" else None)),
        dict(Counter(zip(pairs.truth, pairs.told, strict=True))),
        warning=pairs.warning(),
    )
    if kind == "label":
        return found
    others = [float(score.value) for key, score in scores.items() if key not in human]
    whole = [float(score.value) for score in scores.values()]
    found = replace(found, bias=pairs.measured(_lead), uncorrected=sum(whole) / len(whole))
    if kind == "scale":
        return replace(found, correlation=pairs.correlations(), corrected=pairs.corrected_mean(others))
    sensitivity, specificity = pairs.right_where(True), pairs.right_where(False)
    corrected = pairs.corrected_rate(others)
    return replace(found, sensitivity=sensitivity, specificity=specificity, corrected=corrected)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Verdicts of people and of the judge on the same cases."""

    truth: Sequence[Value]
    told: Sequence[Value]
    clusters: Sequence[Hashable]

    def measured(self, figure: Figure) -> Measured:
        def of(rows: Sequence[int]) -> float:
            return figure([self.truth[row] for row in rows], [self.told[row] for row in rows])

        count = len(self.truth)
        interval = bootstrap_interval(of, count, clusters=self.clusters, resamples=_RESAMPLES)
        return Measured(of(range(count)), interval)

    def warning(self) -> str:
        """That there are too few pictures, where there are."""
        pictures = len(set(self.clusters))
        if pictures >= _FEW:
            return ""
        return (
            f"{len(self.truth)} labelled cases of {pictures} pictures are too few to judge a judge by: its "
            f"figures may be far off, even beyond their intervals; label {_FEW} pictures at the least"
        )

    def agreement(self) -> Measured:
        return self._share([a == b for a, b in zip(self.truth, self.told, strict=True)], self.clusters)

    def right_where(self, truth: bool) -> Measured:
        """How often the judge is right among the cases that people pass, or fail."""
        rows = [row for row, said in enumerate(self.truth) if bool(said) == truth]
        return self._share([self.told[row] == truth for row in rows], [self.clusters[row] for row in rows])

    def correlations(self) -> dict[str, Measured]:
        return {
            "pearson": self.measured(lambda a, b: pearson(_numbers(a), _numbers(b))),
            "spearman": self.measured(lambda a, b: spearman(_numbers(a), _numbers(b))),
            "kendall": self.measured(lambda a, b: kendall_tau(_numbers(a), _numbers(b))),
        }

    def corrected_rate(self, others: Sequence[float]) -> Estimate | None:
        """The judge's other verdicts and those on labelled cases count alike: all of them were judged."""
        judged = [*others, *_numbers(self.told)]
        right = [bool(a) == bool(b) for a, b in zip(self.truth, self.told, strict=True)]
        passed = [ok for ok, truth in zip(right, self.truth, strict=True) if truth]
        failed = [ok for ok, truth in zip(right, self.truth, strict=True) if not truth]
        try:
            return rogan_gladen(
                int(sum(judged)), len(judged), sum(passed), len(passed), sum(failed), len(failed)
            )
        except UsageError:
            return None

    def corrected_mean(self, others: Sequence[float]) -> Estimate | None:
        if len(others) < 2:
            return None
        return prediction_powered_mean(_numbers(self.truth), _numbers(self.told), others)

    @staticmethod
    def _share(hits: Sequence[bool], clusters: Sequence[Hashable]) -> Measured:
        if not hits:
            return Measured(float("nan"), None)
        return Measured(sum(hits) / len(hits), rate_interval(hits, clusters=clusters))


def _lead(truth: Sequence[Value], told: Sequence[Value]) -> float:
    return (sum(_numbers(told)) - sum(_numbers(truth))) / len(truth)


def _numbers(values: Sequence[Value]) -> list[float]:
    return [float(value) for value in values]


def _kind(values: Sequence[Value]) -> Kind:
    if any(isinstance(value, str) for value in values):
        if all(isinstance(value, str) for value in values):
            return "label"
    elif all(value in {0, 1} for value in values):
        return "pass/fail"
    elif not any(isinstance(value, bool) for value in values):
        return "scale"
    seen = ", ".join(sorted({repr(value) for value in values})[:6])
    raise UsageError(
        f"verdicts of people and judge are not of one kind: {seen}; label cases as the judge does"
    )


def _plain(value: Value, kind: Kind) -> Value:
    return bool(value) if kind == "pass/fail" else float(value) if kind == "scale" else value
