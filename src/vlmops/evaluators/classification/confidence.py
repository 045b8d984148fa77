"""Evaluators of how sure a model says it is: calibration of confidences, quality of probabilities."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.classification.labels import normalize_label
from vlmops.evaluators.classification.probability import (
    average_precision,
    expected_calibration_error,
    multiclass_roc_auc,
    roc_auc,
)
from vlmops.evaluators.classification.single_label import LabelReader
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Direction, Interval, Score, SetScore
from vlmops.evaluators.selection import MISSING, select

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from vlmops.evaluators.case import Case

_EPSILON = 2.0**-52
_FEW_RESAMPLES = 500


@register("calibration")
@dataclass(frozen=True, kw_only=True)
class Calibration(LabelReader):
    """How well the confidence that comes with a label predicts whether the label is right.

    The output is an object with the label and the confidence; the expected value is a label, or such an
    object. A case gives the squared gap between confidence and correctness; a set gives ``<name>.ece``
    (expected calibration error, right-closed bins) and ``<name>.brier``, the mean squared gap. Lower is
    better.

    Attributes:
        labels: The labels of the task (see :class:`LabelMatch`).
        synonyms: Other names of a label, by label.
        free_text: Whether a label is looked for in sentences.
        label_key: Dotted path of the label in the object.
        confidence_key: Dotted path of the confidence, 0 to 1, in the output.
        bins: Bins of the calibration error.

    Example:
        >>> from vlmops.evaluators import Case
        >>> score = Calibration().evaluate(Case(output={"label": "dent", "confidence": 0.9}, expected="rust"))
        >>> round(score.value, 2), score.explanation
        (0.81, "90% sure of 'dent', which is wrong")
    """

    default_name: ClassVar[str] = "calibration"
    direction: ClassVar[Direction] = "minimize"

    label_key: str = "label"
    confidence_key: str = "confidence"
    bins: int = 15

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one answer."""
        outcome = self._outcome(output, expected)
        if isinstance(outcome, Failure):
            return outcome
        label, right, confidence = outcome
        return Score(
            self.name,
            (right - confidence) ** 2,
            f"{confidence:.0%} sure of {label!r}, which is {'right' if right else 'wrong'}",
            self.direction,
            metadata={"correct": right, "confidence": confidence},
        )

    def evaluate_set(self, cases: Sequence[Case]) -> list[SetScore] | Failure:
        """Calibration error and Brier score over all cases with a label and a confidence."""
        import numpy as np

        from vlmops.statistics import mean_interval
        from vlmops.statistics.reweighting import reweighted_interval

        read = self.read_pairs(cases, self._outcome)
        if isinstance(read, Failure):
            return read
        right = np.array([outcome[1] for outcome in read.values], dtype=float)
        sure = np.array([outcome[2] for outcome in read.values])
        shared: dict[str, Any] = {"n": read.n, "failures": read.failures, "direction": "minimize"}
        gap = f"{sure.mean():.0%} sure on average, {right.mean():.0%} right"
        return [
            SetScore(
                self.part("ece"),
                expected_calibration_error(right, sure, bins=self.bins),
                interval=reweighted_interval(
                    lambda weights: expected_calibration_error(right, sure, bins=self.bins, weights=weights),
                    read.n,
                    clusters=read.clusters,
                ),
                explanation=f"{gap}; {self.bins} bins",
                metadata={"bins": self.bins},
                **shared,
            ),
            SetScore(
                self.part("brier"),
                float(np.square(right - sure).mean()),
                interval=mean_interval(np.square(right - sure), clusters=read.clusters),
                explanation=gap,
                **shared,
            ),
        ]

    def _outcome(self, output: Any, expected: Any) -> tuple[str, bool, float] | Failure:
        label, confidence = select(output, self.label_key), select(output, self.confidence_key)
        if label is MISSING or confidence is MISSING:
            absent = self.label_key if label is MISSING else self.confidence_key
            return self.failure(FailureKind.UNPARSABLE, f"the output has no {absent!r}")
        if not _is_probability(confidence):
            shown = f"{confidence!r:.40}"
            return self.failure(
                FailureKind.UNPARSABLE, f"{self.confidence_key!r} must be a number from 0 to 1, not {shown}"
            )
        gold = select(expected, self.label_key) if isinstance(expected, Mapping) else expected
        if gold is MISSING:
            return self.failure(FailureKind.MISSING_EXPECTED, f"the expected value has no {self.label_key!r}")
        pair = self.read(label, gold)
        return pair if isinstance(pair, Failure) else (pair[0], pair[0] == pair[1], float(confidence))


@register("probabilities")
@dataclass(frozen=True, kw_only=True)
class Probabilities(ComparisonEvaluator):
    """Quality of the probabilities that a model gives to every label: log loss, Brier score, AUC.

    The output maps each label to its probability; use ``key`` and ``expected_key`` where they are part of an
    object. A case gives its log loss; a set gives ``<name>.log_loss``, ``.brier``, ``.roc_auc``
    (one-versus-rest for more than two labels) and, for two labels, ``.average_precision``.

    Attributes:
        positive: The positive label of a binary task; the last in order by default.
        tolerance: How far the probabilities may be from a sum of 1; more is a failure.

    Example:
        >>> from vlmops.evaluators import Case
        >>> score = Probabilities().evaluate(Case(output={"ok": 0.8, "dent": 0.2}, expected="ok"))
        >>> round(score.value, 3), score.explanation
        (0.223, "80% given to the expected 'ok'")
    """

    default_name: ClassVar[str] = "probabilities"
    direction: ClassVar[Direction] = "minimize"

    positive: str | None = None
    tolerance: float = 0.02

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one answer."""
        row = self._row(output, expected)
        if isinstance(row, Failure):
            return row
        gold, probabilities = row
        given = probabilities[gold]
        return Score(
            self.name,
            -math.log(min(max(given, _EPSILON), 1 - _EPSILON)),
            f"{given:.0%} given to the expected {gold!r}",
            self.direction,
            range=(0.0, float("inf")),
            metadata={"probabilities": probabilities, "expected": gold},
        )

    def evaluate_set(self, cases: Sequence[Case]) -> list[SetScore] | Failure:
        """The metrics over all cases with a probability for each label."""
        labels = sorted({label for row in map(self._case_row, cases) for label in _labels_of(row)})
        read = self.read_set(cases, lambda case: self._complete_row(case, labels))
        if isinstance(read, Failure):
            return read
        table = _Table(
            [label for label, _ in read.values],
            [[probabilities[label] for label in labels] for _, probabilities in read.values],
            labels,
            read.clusters,
        )
        shared: dict[str, Any] = {
            "n": read.n,
            "failures": read.failures,
            "explanation": f"{read.n} cases, {len(labels)} labels",
        }
        return [*self._losses(table, shared), *self._areas(table, shared)]

    def _losses(self, table: _Table, shared: dict[str, Any]) -> list[SetScore]:
        import numpy as np

        from vlmops.statistics import mean_interval

        gold, labels = table.gold, table.labels
        rows, columns = np.array(table.matrix), np.array([labels.index(label) for label in gold])
        given = rows[np.arange(len(gold)), columns]
        losses = -np.log(np.clip(given, _EPSILON, 1 - _EPSILON))
        # The gold label's square (1 - p)^2 in the place of its p^2.
        squares = (np.square(rows).sum(axis=1) + 1 - 2 * given) / (2 if len(labels) == 2 else 1)
        top = 1.0 if len(labels) == 2 else 2.0
        return [
            SetScore(
                self.part(metric),
                float(values.mean()),
                interval=mean_interval(values, clusters=table.clusters),
                direction="minimize",
                range=(0.0, bound),
                **shared,
            )
            for metric, values, bound in (("log_loss", losses, float("inf")), ("brier", squares, top))
        ]

    def _areas(self, table: _Table, shared: dict[str, Any]) -> list[SetScore]:
        from vlmops.statistics import bootstrap_interval
        from vlmops.statistics.reweighting import reweighted_interval

        gold, matrix, labels = table.gold, table.matrix, table.labels
        positive = self._positive(labels)
        n = len(gold)
        if positive is None:
            return [
                SetScore(
                    self.part("roc_auc"),
                    multiclass_roc_auc(gold, matrix, labels=labels),
                    interval=bootstrap_interval(
                        lambda rows: multiclass_roc_auc(
                            [gold[row] for row in rows], [matrix[row] for row in rows], labels=labels
                        ),
                        n,
                        clusters=table.clusters,
                        resamples=_FEW_RESAMPLES,
                    ),
                    **shared,
                )
            ]
        truth = [label == positive for label in gold]
        given = [row[labels.index(positive)] for row in matrix]

        def interval(area: Callable[..., float]) -> Interval | None:
            return reweighted_interval(
                lambda weights: area(truth, given, positive=True, weights=weights),
                n,
                clusters=table.clusters,
                resamples=_FEW_RESAMPLES,
            )

        areas: dict[str, Callable[..., float]] = {"roc_auc": roc_auc, "average_precision": average_precision}
        return [
            SetScore(
                self.part(metric),
                area(truth, given, positive=True),
                interval=interval(area),
                **shared,
            )
            for metric, area in areas.items()
        ]

    def _positive(self, labels: list[str]) -> str | None:
        if self.positive is not None:
            positive = normalize_label(self.positive)
            return positive if positive in labels else None
        return labels[-1] if len(labels) == 2 else None

    def _complete_row(self, case: Case, labels: list[str]) -> tuple[str, dict[str, float]] | Failure:
        row = self._case_row(case)
        if isinstance(row, Failure) or len(row[1]) == len(labels):
            return row
        absent = ", ".join(label for label in labels if label not in row[1])
        return self.failure(FailureKind.UNPARSABLE, f"no probability for {absent}, which other cases have")

    def _case_row(self, case: Case) -> tuple[str, dict[str, float]] | Failure:
        sides = self.sides(case)
        return sides if isinstance(sides, Failure) else self._row(*sides)

    def _row(self, output: Any, expected: Any) -> tuple[str, dict[str, float]] | Failure:
        if not isinstance(output, Mapping) or not output or not all(map(_is_probability, output.values())):
            return self.failure(
                FailureKind.UNPARSABLE, "the output must map every label to a probability from 0 to 1"
            )
        probabilities = {normalize_label(label): float(value) for label, value in output.items()}
        total = math.fsum(probabilities.values())
        if abs(total - 1) > self.tolerance:
            return self.failure(FailureKind.UNPARSABLE, f"the probabilities sum to {total:.4g}, not to 1")
        gold = normalize_label(expected)
        if gold not in probabilities:
            known = ", ".join(probabilities)
            return self.failure(
                FailureKind.UNPARSABLE, f"no probability for the expected {gold!r}; there are: {known}"
            )
        return gold, probabilities


@dataclass(frozen=True, slots=True)
class _Table:
    """Probabilities of a set: a row per case, a column per label."""

    gold: list[str]
    matrix: list[list[float]]
    labels: list[str]
    clusters: list[Hashable]


def _labels_of(row: tuple[str, dict[str, float]] | Failure) -> Iterable[str]:
    return () if isinstance(row, Failure) else row[1]


def _is_probability(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
