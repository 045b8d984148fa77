"""Evaluator of answers that are sets of labels: several defects on one part, tags of a scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.evaluators.classification.labels import normalize_label
from vlmops.evaluators.classification.multilabel import indicator_matrix
from vlmops.evaluators.classification.single_label import LabelTask
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score, SetScore
from vlmops.evaluators.text import shown

if TYPE_CHECKING:
    from vlmops.evaluators.case import Case


@register("label_set_match")
@dataclass(frozen=True, kw_only=True)
class LabelSetMatch(LabelTask):
    """Overlap of the labels that an answer names with those expected, when an item may have several.

    A case gives the Jaccard index of the two sets (1 when both are empty); a set gives ``<name>.exact``,
    ``.hamming_loss``, ``.jaccard``, ``.samples_f1`` and ``.micro_f1``.

    Attributes:
        labels: The labels of the task. Without them output and expected must be lists of labels.
        synonyms: Other names of a label, by label.
        free_text: Whether labels are looked for in sentences; only with ``labels``.

    Example:
        >>> from vlmops.evaluators import Case
        >>> score = LabelSetMatch().evaluate(Case(output=["rust", "dent"], expected=["rust"]))
        >>> score.value, score.explanation
        (0.5, 'too many: dent')
    """

    default_name: ClassVar[str] = "label_set_match"

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one answer."""
        pair = self._read(output, expected)
        if isinstance(pair, Failure):
            return pair
        predicted, gold = pair
        missing, extra = sorted(gold - predicted), sorted(predicted - gold)
        findings = [f"missing: {', '.join(missing)}"] * bool(missing)
        findings += [f"too many: {', '.join(extra)}"] * bool(extra)
        return Score(
            self.name,
            len(gold & predicted) / len(gold | predicted) if gold | predicted else 1.0,
            "; ".join(findings) or f"all {len(gold)} labels agree",
            metadata={"missing": missing, "extra": extra, "right": sorted(gold & predicted)},
        )

    def evaluate_set(self, cases: Sequence[Case]) -> list[SetScore] | Failure:
        """The metrics over all cases whose labels could be read, each with a bootstrap interval."""
        import numpy as np

        from vlmops.statistics import bootstrap_ratio

        read = self.read_pairs(cases, self._read)
        if isinstance(read, Failure):
            return read
        pairs = read.values
        labels = sorted({label for sides in pairs for side in sides for label in side})
        predicted, gold = (indicator_matrix([pair[side] for pair in pairs], labels) for side in (0, 1))
        hits, both = (gold * predicted).sum(axis=1), gold.sum(axis=1) + predicted.sum(axis=1)
        ones = np.ones(len(pairs))
        empty = both == 0
        size = np.full(len(pairs), max(1, len(labels)))
        jaccard = np.where(empty, 1, hits) / np.where(empty, 1, both - hits)
        f1 = np.where(empty, 1, 2 * hits) / np.where(empty, 1, both)
        ratios = {
            "exact": ((gold == predicted).all(axis=1).astype(float), ones),
            "hamming_loss": ((gold != predicted).sum(axis=1), size),
            "jaccard": (jaccard, ones),
            "samples_f1": (f1, ones),
            "micro_f1": (2 * hits, both),
        }
        return [
            SetScore(
                self.part(metric),
                float(top.sum() / bottom.sum()) if bottom.sum() else float("nan"),
                n=read.n,
                failures=read.failures,
                interval=bootstrap_ratio(top, bottom, clusters=read.clusters),
                explanation=f"{read.n} cases, {len(labels)} labels",
                direction="minimize" if metric == "hamming_loss" else "maximize",
            )
            for metric, (top, bottom) in ratios.items()
        ]

    def _read(self, output: Any, expected: Any) -> tuple[set[str], set[str]] | Failure:
        gold = self._labels_in(expected)
        if gold is None:
            return self.failure(FailureKind.MISSING_EXPECTED, self._problem("expected value", expected))
        predicted = self._labels_in(output)
        if predicted is None:
            return self.failure(FailureKind.UNPARSABLE, self._problem("answer", output))
        return predicted, gold

    def _labels_in(self, value: Any) -> set[str] | None:
        if self.label_set is not None:
            found = self.label_set.read_all(value)
            return None if found is None else set(found)
        if isinstance(value, str) or not isinstance(value, Sequence | set | frozenset):
            return None
        return {normalize_label(entry) for entry in value}

    def _problem(self, side: str, value: Any) -> str:
        if self.labels is None:
            return f"the {side} is not a list of labels; return one, or give the labels of the task"
        return f"the {side} {shown(value)} names something else than the labels: {', '.join(self.labels)}"
