"""What a comparison says: plain records, all of which go into JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vlmops.evaluators import Direction, FailureKind, Interval
    from vlmops.statistics import PairedDifference, VarianceComponents

Verdict = Literal["better", "worse", "different", "no difference shown"]
"""What is shown at the comparison's confidence, after correction for how many comparisons there are."""

MeasureKind = Literal["rate", "mean", "corpus", "percentile"]
"""Share of passes; mean of numbers; a value of the whole set (micro CER, mAP); a percentile."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the experiments compared.

    Attributes:
        id: The platform's id.
        name: Its name.
        url: Its page.
        runs: How many answers were asked for.
        failures: How many of them failed, by kind; in no score.
        metadata: What was recorded with it: model, prompt, git commit, ...
        pairs: How many answers have a partner in the baseline; 0 for the baseline itself.
        missing: How many of the baseline's answers have none here.
    """

    id: str
    name: str
    url: str
    runs: int
    failures: Mapping[FailureKind, int]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    pairs: int = 0
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """A variant against the baseline, on the samples that both have a value for.

    Attributes:
        paired: Candidate less baseline, with its interval, pairs, pictures and standard error.
        only_baseline: Answers that only the baseline has a value for; not in the difference.
        only_candidate: Answers that only the candidate has one for; not in the difference.
        p_value: Two-sided, of no difference; NaN where nothing can be said.
        adjusted_p: The same after Holm's correction for all comparisons made together.
        test: How the p-value was had.
        minimum_detectable: The least true difference that a sample like this finds four times in five; NaN
            where the differences do not tell.
        wins: Pairs in which the candidate is better; ``None`` where single answers have no value.
        losses: Pairs in which it is worse.
        ties: Pairs in which it is the same.
        verdict: What is shown.
        note: Why there is no interval, if there is none.
    """

    paired: PairedDifference
    only_baseline: int
    only_candidate: int
    p_value: float
    adjusted_p: float
    test: str
    minimum_detectable: float
    wins: int | None
    losses: int | None
    ties: int | None
    verdict: Verdict
    note: str = ""

    @property
    def value(self) -> float:
        """Candidate less baseline."""
        return self.paired.value

    @property
    def interval(self) -> Interval | None:
        """Bootstrap interval of the difference."""
        return self.paired.interval


@dataclass(frozen=True, slots=True)
class VariantValue:
    """What one variant has in one measure.

    Attributes:
        variant: Id of the variant.
        value: Over all answers of this variant that have one; NaN without any.
        n: How many have.
        failures: How many have none because the answer or its evaluation failed; not in the value.
        interval: Of the value.
        repetitions: Variance between repetitions apart from that between samples, where samples were
            answered more than once.
        difference: Against the baseline; ``None`` for the baseline itself.
    """

    variant: str
    value: float
    n: int
    failures: int
    interval: Interval | None
    repetitions: VarianceComponents | None = None
    difference: Difference | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric, or one quantity of operation, over all samples or one slice.

    Attributes:
        name: Its name.
        slice: Name of the slice; empty for all samples.
        direction: Which way is better.
        kind: What the value is.
        unit: ``"s"``, ``"USD"``, ``"tokens"``, or empty.
        values: One a variant, the baseline's first.
    """

    name: str
    slice: str
    direction: Direction
    kind: MeasureKind
    unit: str
    values: Sequence[VariantValue]

    @property
    def title(self) -> str:
        """Name and slice: ``"cer [light=dim]"``."""
        return f"{self.name} [{self.slice}]" if self.slice else self.name


@dataclass(frozen=True, slots=True)
class Comparison:
    """Variants side by side.

    Attributes:
        variants: The experiments compared, the baseline first.
        metrics: What evaluators said, over all samples and in each slice.
        operations: Error rate, latency, tokens and cost, in the same way.
        slices: Names of the slices.
        confidence: Level of all intervals and verdicts.
        notes: What a reader must know: other versions of the dataset, samples without a partner.
    """

    variants: Sequence[Variant]
    metrics: Sequence[Measure]
    operations: Sequence[Measure]
    slices: Sequence[str]
    confidence: float
    notes: Sequence[str] = ()

    @property
    def baseline(self) -> Variant:
        """What the others are compared with."""
        return self.variants[0]

    def measure(self, name: str, slice: str = "") -> Measure:  # noqa: A002 - the word of the trade
        """A metric, or else a quantity of operation, by name.

        Raises:
            UsageError: There is none; the message names those there are.
        """
        named = [each for each in (*self.metrics, *self.operations) if each.slice == slice]
        for each in named:
            if each.name == name:
                return each
        where = f" in slice {slice!r}" if slice else ""
        known = ", ".join(each.name for each in named) or "none at all"
        raise UsageError(f"the comparison has no measure {name!r}{where}; there are: {known}")

    def _repr_html_(self) -> str:
        from vlmops.reports.notebook.experiments import comparison_html

        return comparison_html(self)

    def _repr_markdown_(self) -> str:
        from vlmops.experiments.comparison.markdown import comparison_markdown

        return comparison_markdown(self)
