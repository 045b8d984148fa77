"""Evaluator of verdicts on steps: was each step done, missing, wrong?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.classification.labels import normalize_label
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Interval, Score, SetScore
from vlmops.evaluators.steps.matching import normalize_step
from vlmops.evaluators.text import shown
from vlmops.statistics.agreement import KappaWeights, cohen_kappa_of_counts

if TYPE_CHECKING:
    from collections.abc import Hashable

    from vlmops.evaluators.case import Case


@register("step_verdicts")
@dataclass(frozen=True, kw_only=True)
class StepVerdicts(ComparisonEvaluator):
    """Whether each step was judged as expected (done, missing, ...), and agreement beyond chance.

    Both sides are an object of verdicts by step, or a list of objects with a step and its verdict. A case
    gives the share of expected steps with the right verdict; a step without a verdict counts as wrong, one
    that is not expected is named and left out. A set gives ``<name>.accuracy`` over all steps and
    ``<name>.kappa`` (Cohen) over the steps with a verdict.

    Attributes:
        step_key: Key of a step's name in a list.
        verdict_key: Key of a step's verdict in a list.
        order: The verdicts from low to high, for a weighted kappa; all that occur, sorted, by default.
        weights: How the kappa weighs disagreements; ``None`` counts each alike.

    Example:
        >>> from vlmops.evaluators import Case
        >>> case = Case(output={"open": "done", "swap": "done"}, expected={"open": "done", "swap": "missing"})
        >>> score = StepVerdicts().evaluate(case)
        >>> score.value, score.explanation
        (0.5, "1 of 2 steps right; swap: 'done' instead of 'missing'")
    """

    default_name: ClassVar[str] = "step_verdicts"

    step_key: str = "step"
    verdict_key: str = "verdict"
    order: Sequence[str] | None = None
    weights: KappaWeights | None = None

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score the verdicts on the steps of one case."""
        pairs = self._pairs(output, expected)
        if isinstance(pairs, Failure):
            return pairs
        wrong = {step: pair for step, pair in pairs.items() if pair[0] != pair[1]}
        findings = [
            f"{step}: {_quoted(given)} instead of {wanted!r}" for step, (given, wanted) in wrong.items()
        ]
        right = len(pairs) - len(wrong)
        unexpected = sorted(set(self._verdicts(output) or ()) - set(pairs))
        findings += [f"not expected: {', '.join(unexpected)}"] * bool(unexpected)
        return Score(
            self.name,
            right / len(pairs),
            "; ".join([f"{right} of {len(pairs)} steps right", *findings]),
            metadata={"steps": {step: list(pair) for step, pair in pairs.items()}, "unexpected": unexpected},
        )

    def evaluate_set(self, cases: Sequence[Case]) -> list[SetScore] | Failure:
        """Accuracy and kappa over the steps of all cases, with bootstrap intervals over cases."""
        from vlmops.statistics import bootstrap_ratio

        read = self.read_pairs(cases, self._pairs)
        if isinstance(read, Failure):
            return read
        rows = [list(pairs.values()) for pairs in read.values]
        right = [sum(given == wanted for given, wanted in row) for row in rows]
        total = [len(row) for row in rows]
        shared: dict[str, Any] = {"n": read.n, "failures": read.failures}
        steps = f"{sum(right)} of {sum(total)} steps right"
        kappa, interval = self._kappa(rows, read.clusters)
        return [
            SetScore(
                self.part("accuracy"),
                sum(right) / sum(total),
                interval=bootstrap_ratio(right, total, clusters=read.clusters),
                explanation=steps,
                **shared,
            ),
            SetScore(
                self.part("kappa"),
                kappa,
                interval=interval,
                explanation=f"{steps}; agreement beyond chance",
                range=(-1.0, 1.0),
                **shared,
            ),
        ]

    def _kappa(
        self, rows: Sequence[Sequence[tuple[str | None, str]]], clusters: Sequence[Hashable]
    ) -> tuple[float, Interval | None]:
        import numpy as np

        from vlmops.statistics import reweighted_interval

        judged = [
            (index, given, wanted)
            for index, row in enumerate(rows)
            for given, wanted in row
            if given is not None
        ]
        occurring = sorted({verdict for _, given, wanted in judged for verdict in (given, wanted)})
        known = occurring if self.order is None else [normalize_label(verdict) for verdict in self.order]
        position = {verdict: place for place, verdict in enumerate(known)}
        inside = [entry for entry in judged if entry[1] in position and entry[2] in position]
        owner = np.array([index for index, _, _ in inside], dtype=np.intp)
        cells = np.array(
            [position[given] * len(known) + position[wanted] for _, given, wanted in inside], dtype=np.intp
        )

        def kappa(weights: Any) -> float:
            counts = np.bincount(cells, weights=weights[owner], minlength=len(known) ** 2)
            return cohen_kappa_of_counts(counts.reshape(len(known), -1), weights=self.weights)

        return kappa(np.ones(len(rows))), reweighted_interval(kappa, len(rows), clusters=clusters)

    def _pairs(self, output: Any, expected: Any) -> dict[str, tuple[str | None, str]] | Failure:
        """Given and expected verdict by expected step."""
        wanted = self._verdicts(expected)
        if not wanted:
            return self.failure(FailureKind.MISSING_EXPECTED, "the expected value has no verdicts by step")
        given = self._verdicts(output)
        if given is None:
            return self.failure(
                FailureKind.UNPARSABLE,
                f"no verdict for each step in {shown(output)}: give an object or a list",
            )
        return {step: (given.get(step), verdict) for step, verdict in wanted.items()}

    def _verdicts(self, value: Any) -> dict[str, str] | None:
        if isinstance(value, Mapping):
            entries = list(value.items())
        elif isinstance(value, Sequence) and not isinstance(value, str):
            if not all(isinstance(entry, Mapping) for entry in value):
                return None
            entries = [(entry.get(self.step_key), entry.get(self.verdict_key)) for entry in value]
        else:
            return None
        if any(step is None or verdict is None for step, verdict in entries):
            return None
        verdicts = {normalize_step(step): normalize_label(verdict) for step, verdict in entries}
        # Two verdicts on one step contradict each other or repeat: neither tells which is meant.
        return verdicts if len(verdicts) == len(entries) else None


def _quoted(verdict: str | None) -> str:
    return "no verdict" if verdict is None else repr(verdict)
