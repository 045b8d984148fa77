"""Evaluators of answers that are one label each: defects, categories, yes and no."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.classification.confusion import Average, ConfusionMatrix, label_indices
from vlmops.evaluators.classification.labels import LabelSet, normalize_label
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score, SetScore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from vlmops.evaluators.case import Case
    from vlmops.images import Image

    Array = np.ndarray[Any, np.dtype[Any]]

_LEAST = {
    "accuracy": 0.0,
    "balanced_accuracy": 0.0,
    "precision": 0.0,
    "recall": 0.0,
    "f1": 0.0,
    "mcc": -1.0,
}
"""The metrics of a set, with the least value of each."""

_SHOWN_CONFUSIONS = 3


@dataclass(frozen=True, kw_only=True)
class LabelTask(ComparisonEvaluator):
    """Base of evaluators of labels: which there are, and how answers name them.

    Attributes:
        labels: The labels of the task; any when ``None``.
        synonyms: Other names of a label, by label.
        free_text: Whether labels are looked for in sentences (see :class:`LabelSet`).
    """

    labels: Sequence[str] | None = None
    synonyms: Mapping[str, Sequence[str]] = field(default_factory=dict)
    free_text: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.label_set  # noqa: B018 - a contradictory configuration is an error at once, not at the first case

    @cached_property
    def label_set(self) -> LabelSet | None:
        """The labels with their synonyms; ``None`` when any label may come."""
        if self.labels is None:
            return None
        return LabelSet(tuple(self.labels), self.synonyms, free_text=self.free_text)


@dataclass(frozen=True, kw_only=True)
class LabelReader(LabelTask):
    """Base of evaluators that read one label out of the output and out of the expected value.

    Without ``labels`` the whole answer, normalised, is taken as the label; with them an answer that names
    none or several is a failure.
    """

    def read(self, output: Any, expected: Any) -> tuple[str, str] | Failure:
        """Predicted and gold label, or the failure that says why there is none."""
        if self.label_set is None:
            return normalize_label(output), normalize_label(expected)
        gold = self.label_set.read(expected)
        if gold.label is None:
            return self.failure(FailureKind.MISSING_EXPECTED, f"expected value: {gold.problem}")
        reading = self.label_set.read(output)
        if reading.label is None:
            return self.failure(FailureKind.UNPARSABLE, reading.problem)
        return reading.label, gold.label


@register("label_match")
@dataclass(frozen=True, kw_only=True)
class LabelMatch(LabelReader):
    """Whether the answer names the expected label.

    Attributes:
        labels: The labels of the task. Without them the whole answer, normalised, is taken as the label; with
            them an answer that names none or several is a failure.
        synonyms: Other names of a label, by label.
        free_text: Whether a label is looked for in sentences (see :class:`LabelSet`).

    Example:
        >>> from vlmops.evaluators import Case
        >>> match = LabelMatch(labels=["ok", "scratch", "dent"])
        >>> match.evaluate(Case(output="There is a dent.", expected="dent")).value
        True
        >>> match.evaluate(Case(output="A dent or a scratch", expected="dent")).message
        "'A dent or a scratch' names several labels: scratch, dent"
    """

    default_name: ClassVar[str] = "label_match"

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one answer."""
        pair = self.read(output, expected)
        if isinstance(pair, Failure):
            return pair
        predicted, gold = pair
        verdict = f"{gold!r}, as expected" if predicted == gold else f"{predicted!r} instead of {gold!r}"
        detail = {"predicted": predicted, "expected": gold}
        return Score(self.name, predicted == gold, verdict, metadata=detail)


@register("classification")
@dataclass(frozen=True, kw_only=True)
class Classification(LabelMatch):
    """Accuracy, precision, recall, F1 and MCC of a set of labels, with the confusion matrix drawn.

    A case gives whether its label is right; a set gives ``<name>.accuracy``, ``.balanced_accuracy``,
    ``.precision``, ``.recall``, ``.f1`` and ``.mcc``. Definitions are scikit-learn's; a predicted label that
    never occurs in gold lowers the macro mean.

    Attributes:
        labels: The labels of the task. Without them the whole answer, normalised, is taken as the label; with
            them an answer that names none or several is a failure.
        synonyms: Other names of a label, by label.
        free_text: Whether a label is looked for in sentences (see :class:`LabelSet`).
        average: How classes are combined in precision, recall and F1.
        positive: Score only this class in precision, recall and F1, as for a binary task.
        zero_division: Value where a class was never predicted, or never in gold: 0, 1 or NaN.

    Example:
        >>> from vlmops.evaluators import Case
        >>> cases = [Case(output=o, expected=e) for o, e in [("ok", "ok"), ("dent", "ok"), ("dent", "dent")]]
        >>> scores = {score.name: score.value for score in Classification().evaluate_set(cases)}
        >>> round(scores["classification.accuracy"], 3), scores["classification.mcc"]
        (0.667, 0.5)
    """

    default_name: ClassVar[str] = "classification"

    average: Average = "macro"
    positive: str | None = None
    zero_division: float = 0.0

    def evaluate_set(self, cases: Sequence[Case]) -> list[SetScore] | Failure:
        """The metrics over all cases whose label could be read, each with a bootstrap interval."""
        from vlmops.statistics.reweighting import reweighted_intervals

        read = self.read_pairs(cases, self.read)
        if isinstance(read, Failure):
            return read
        predicted, gold = zip(*read.values, strict=True)
        labels, gold_index, predicted_index = label_indices(gold, predicted)
        cells = gold_index * len(labels) + predicted_index
        matrix = _counted(labels, cells)

        intervals = reweighted_intervals(
            lambda weights: self._values(_counted(labels, cells, weights)), read.n, clusters=read.clusters
        ) or [None] * len(_LEAST)
        return [
            SetScore(
                self.part(metric),
                value,
                n=read.n,
                failures=read.failures,
                interval=interval,
                explanation=self._explain(metric, matrix),
                range=(low, 1.0),
                metadata=self._detail(matrix) if metric in ("accuracy", "f1") else {},
                evidence=_evidence(matrix, self.name) if metric == "accuracy" else None,
            )
            for (metric, low), value, interval in zip(
                _LEAST.items(), self._values(matrix), intervals, strict=True
            )
        ]

    def _values(self, matrix: ConfusionMatrix) -> tuple[float, ...]:
        """The metrics in the order of ``_LEAST``."""
        labels = None
        if self.positive is not None:
            labels = [self.positive if self.labels is not None else normalize_label(self.positive)]
        averaged = matrix.averaged(self.average, labels=labels, zero_division=self.zero_division)
        return matrix.accuracy, matrix.balanced_accuracy(), *averaged, matrix.matthews

    def _explain(self, metric: str, matrix: ConfusionMatrix) -> str:
        total = int(matrix.counts.sum())
        if metric == "accuracy":
            right = int(matrix.counts.trace())
            return f"{right} of {total} right{_worst_confusions(matrix)}"
        if metric in ("precision", "recall", "f1"):
            over = f"class {self.positive!r}" if self.positive is not None else f"{self.average} over classes"
            return f"{over}, {total} cases"
        return f"{len(matrix.labels)} classes, {total} cases"

    def _detail(self, matrix: ConfusionMatrix) -> dict[str, Any]:
        scores = matrix.per_class(zero_division=self.zero_division)
        columns = zip(scores.labels, scores.precision, scores.recall, scores.f1, scores.support, strict=True)
        return {
            "labels": list(matrix.labels),
            "confusion": matrix.counts.tolist(),
            "per_class": {
                label: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(s)}
                for label, p, r, f, s in columns
            },
        }


def _counted(labels: tuple[str, ...], cells: Array, weights: Array | None = None) -> ConfusionMatrix:
    """The matrix over the labels that occur; a bootstrap sample may lack some."""
    import numpy as np

    size = len(labels)
    counts = np.bincount(cells, weights=weights, minlength=size * size).reshape(size, size)
    present = (counts.sum(axis=0) + counts.sum(axis=1)) > 0
    if present.all():
        return ConfusionMatrix(labels, counts)
    kept = np.flatnonzero(present)
    return ConfusionMatrix(tuple(labels[index] for index in kept), counts[np.ix_(kept, kept)])


def _worst_confusions(matrix: ConfusionMatrix) -> str:
    wrong = matrix.counts.copy()
    wrong[range(len(wrong)), range(len(wrong))] = 0
    worst = [divmod(int(cell), len(wrong)) for cell in (-wrong).ravel().argsort(kind="stable")]
    shown = [
        f"{matrix.labels[gold]!r} read as {matrix.labels[predicted]!r} ({int(wrong[gold, predicted])})"
        for gold, predicted in worst[:_SHOWN_CONFUSIONS]
        if wrong[gold, predicted]
    ]
    return f"; {', '.join(shown)}" if shown else ""


def _evidence(matrix: ConfusionMatrix, title: str) -> Image:
    from vlmops.evaluators.classification.picture import draw_confusion_matrix
    from vlmops.images import Image

    return Image.from_pil(draw_confusion_matrix(matrix, title=title))
