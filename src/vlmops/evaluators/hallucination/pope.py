"""POPE: does a model say "yes" to objects that are not there? (Li et al. 2023)."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.evaluators.failure import Failure
from vlmops.evaluators.questions.yes_no import YesNoLabel, YesNoReader, YesNoVariant
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score, SetScore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.evaluators.bases import Readings
    from vlmops.evaluators.case import Case


@dataclass(frozen=True, slots=True)
class PopeScores:
    """Outcomes of yes/no questions about objects, "yes" being the positive class; shares from 0 to 1.

    Attributes:
        true_positives: Yes, rightly.
        false_positives: Yes, but the object is not there: the hallucinations.
        true_negatives: No, rightly.
        false_negatives: No, but the object is there.
        unknown: Answers that say neither; in none of the four.
        accuracy: Share of right answers.
        precision: Share of "yes" that are right; NaN without any.
        recall: Share of objects present that were confirmed; NaN without any.
        f1: Harmonic mean of precision and recall; NaN where one is, or both are 0.
        yes_ratio: Share of "yes" among the answers; far above the labels' share, a bias to "yes".
    """

    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int
    unknown: int
    accuracy: float
    precision: float
    recall: float
    f1: float
    yes_ratio: float


def pope_scores(
    answers: Sequence[YesNoLabel | None], labels: Sequence[YesNoLabel], variant: YesNoVariant = "vlmops"
) -> PopeScores:
    """POPE's metrics over answers already read by :func:`~vlmops.evaluators.questions.extract_yes_no`.

    The variants differ in what an unread answer (``None``) does, and in undefined ratios:

    - ``vlmops`` leaves unread answers out of every figure but ``unknown``; undefined ratios are NaN.
    - ``pope`` knows no unread answer; undefined ratios are NaN here, where the original code stops with a
      division by zero.
    - ``lmms_eval`` counts an unread answer as wrong, but in recall only a plain "no" as a miss; undefined
      ratios are 0, and **its ``yes_ratio`` is that of the labels**.
    - ``vlmevalkit`` counts an unread answer as "no" in precision, recall and F1, and as wrong in accuracy;
      undefined ratios are 0. It has no ``yes_ratio``; ours is given.

    Raises:
        ValueError: The two differ in length, or there are none.

    Example:
        >>> scores = pope_scores(["yes", "yes", None, "no"], ["yes", "no", "no", "no"])
        >>> scores.precision, scores.yes_ratio, scores.unknown
        (0.5, 0.6666666666666666, 1)
    """
    if len(answers) != len(labels) or not labels:
        raise ValueError(f"one answer per label is needed, not {len(answers)} for {len(labels)}")
    pairs = list(zip(answers, labels, strict=True))
    hits, false_alarms = pairs.count(("yes", "yes")), pairs.count(("yes", "no"))
    rejections, misses = pairs.count(("no", "no")), pairs.count(("no", "yes"))
    unknown = len(pairs) - hits - false_alarms - rejections - misses
    unread_misses = pairs.count((None, "yes")) if variant == "vlmevalkit" else 0
    judged = len(pairs) - (unknown if variant == "vlmops" else 0)
    said_yes = labels.count("yes") if variant == "lmms_eval" else hits + false_alarms
    undefined = 0.0 if variant in ("lmms_eval", "vlmevalkit") else math.nan
    precision = _ratio(hits, hits + false_alarms, undefined)
    recall = _ratio(hits, hits + misses + unread_misses, undefined)
    return PopeScores(
        true_positives=hits,
        false_positives=false_alarms,
        true_negatives=rejections,
        false_negatives=misses,
        unknown=unknown,
        accuracy=_ratio(hits + rejections, judged, undefined),
        precision=precision,
        recall=recall,
        f1=_ratio(2 * precision * recall, precision + recall, undefined),
        yes_ratio=_ratio(said_yes, judged, undefined),
    )


def _ratio(part: float, whole: float, undefined: float) -> float:
    return part / whole if whole else undefined


def _shares(
    answer: YesNoLabel | None, label: YesNoLabel, variant: YesNoVariant
) -> dict[str, tuple[int, int]]:
    """What one answer adds to the upper and to the lower term of each ratio, by the ratio's name."""
    yes, hit = answer == "yes", answer == label == "yes"
    missed = label == "yes" and (answer == "no" or (answer is None and variant == "vlmevalkit"))
    said_yes = label == "yes" if variant == "lmms_eval" else yes
    return {
        "accuracy": (answer == label, 1),
        "precision": (hit, yes),
        "recall": (hit, hit or missed),
        "f1": (2 * hit, hit + yes + missed),
        "yes_ratio": (said_yes, 1),
    }


@register("pope")
@dataclass(frozen=True, kw_only=True)
class Pope(YesNoReader):
    """Accuracy, precision, recall, F1 and share of "yes" over questions whether an object is there.

    One case gives whether its answer is right; a set gives five scores, each with a bootstrap interval.
    ``expected`` is yes or no. An answer that says neither is a failure with the default variant; the others
    treat it as :func:`pope_scores` tells, to reproduce published figures.

    Attributes:
        variant: Whose reading and counting.

    Example:
        >>> from vlmops.evaluators import Case
        >>> cases = [Case(output="Yes.", expected="yes"), Case(output="Yes, a dog", expected="no")]
        >>> [(score.name, score.value) for score in Pope().evaluate_set(cases)][:2]
        [('pope.accuracy', 0.5), ('pope.precision', 0.5)]
    """

    default_name: ClassVar[str] = "pope"

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Whether one answer is right."""
        pair = self._pair(output, expected)
        if isinstance(pair, Failure):
            return pair
        answer, label = pair
        return Score(self.name, answer == label, f"{answer or 'neither'} was read, {label} is right")

    def evaluate_set(self, cases: Sequence[Case]) -> list[SetScore] | Failure:
        """The five scores of a set; cases that could not be read are counted in ``failures``."""
        read = self.read_pairs(cases, self._pair)
        if isinstance(read, Failure):
            return read
        answers, labels = zip(*read.values, strict=True)
        scores = pope_scores(answers, labels, self.variant)
        return [
            self._set_score(part, scores, read)
            for part in ("accuracy", "precision", "recall", "f1", "yes_ratio")
        ]

    def _set_score(
        self, part: str, scores: PopeScores, read: Readings[tuple[YesNoLabel | None, YesNoLabel]]
    ) -> SetScore:
        from vlmops.statistics import bootstrap_ratio

        shares = [_shares(answer, label, self.variant)[part] for answer, label in read.values]
        tops, bottoms = zip(*shares, strict=True)
        return SetScore(
            self.part(part),
            getattr(scores, part),
            n=read.n,
            failures=read.failures,
            interval=bootstrap_ratio(tops, bottoms, clusters=read.clusters),
            explanation=f"{scores.true_positives} rightly and {scores.false_positives} wrongly yes, "
            f"{scores.true_negatives} rightly and {scores.false_negatives} wrongly no"
            + (f", {scores.unknown} neither" if scores.unknown else ""),
            direction="none" if part == "yes_ratio" else "maximize",
            metadata=asdict(scores),
        )

    def _pair(self, output: Any, expected: Any) -> tuple[YesNoLabel | None, YesNoLabel] | Failure:
        pair = self.read(output, expected)
        if not isinstance(pair, Failure) and pair[0] is None and self.variant == "vlmops":
            return self.unread(output)
        return pair
