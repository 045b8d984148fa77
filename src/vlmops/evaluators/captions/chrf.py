"""chrF: overlap in runs of characters, as sacreBLEU computes it by default (Popović 2015)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.captions.caption import CaptionReader, check_aligned
from vlmops.evaluators.failure import Failure
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score, SetScore

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from vlmops.evaluators.case import Case
    from vlmops.evaluators.score import Interval

_ORDERS = 6
_BETA = 2.0
_SCALE = 100.0


@dataclass(frozen=True, slots=True)
class ChrfCounts:
    """Runs of 1 to 6 characters, counted; counts of several texts add up.

    Attributes:
        candidate: Runs in the candidate, by length; 0 where the reference has none of that length.
        reference: Runs in the reference.
        matches: Runs in both, clipped.
    """

    candidate: tuple[int, ...]
    reference: tuple[int, ...]
    matches: tuple[int, ...]

    @property
    def score(self) -> float:
        """chrF2, 0 to 100: precision and recall averaged over lengths that both sides have."""
        triples = zip(self.candidate, self.reference, self.matches, strict=True)
        ratios = [(m / c, m / r) for c, r, m in triples if c and r]
        if not ratios:
            return 0.0
        precision, recall = (sum(part) / len(ratios) for part in zip(*ratios, strict=True))
        if not precision + recall:
            return 0.0
        weight = _BETA**2
        return float(_SCALE * ((1 + weight) * precision * recall / (weight * precision + recall)))


def chrf_counts(candidate: str, references: Sequence[str]) -> ChrfCounts:
    """Count the runs of characters, white space left out, against the reference that fits best.

    Raises:
        ValueError: There is no reference.

    Example:
        >>> chrf_counts("a cat", ["a hat"]).matches[:2]
        (3, 1)
    """
    if not references:
        raise ValueError("chrF needs at least one reference")
    runs = _character_runs(candidate)
    return max((_pair(runs, _character_runs(text)) for text in references), key=lambda pair: pair.score)


def _pair(candidate: Sequence[Counter[str]], reference: Sequence[Counter[str]]) -> ChrfCounts:
    return ChrfCounts(
        tuple(c.total() if r else 0 for c, r in zip(candidate, reference, strict=True)),
        tuple(r.total() for r in reference),
        tuple(
            sum(min(count, r[run]) for run, count in c.items() if run in r)
            for c, r in zip(candidate, reference, strict=True)
        ),
    )


def _character_runs(text: str) -> list[Counter[str]]:
    joined = "".join(text.split())
    return [
        Counter(joined[start : start + n] for start in range(len(joined) - n + 1))
        for n in range(1, _ORDERS + 1)
    ]


def corpus_chrf(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """chrF2 of a set of texts, **0 to 100**, higher is better; sacreBLEU's defaults (case matters).

    Raises:
        ValueError: There are no texts, the two differ in length, or one has no reference.

    Example:
        >>> corpus_chrf(["a red car"], [["a red car", "red car"]])
        100.0
    """
    check_aligned(candidates, references)
    return _total([chrf_counts(c, r) for c, r in zip(candidates, references, strict=True)]).score


def _total(counts: Sequence[ChrfCounts]) -> ChrfCounts:
    parts = ([getattr(count, part) for count in counts] for part in ("candidate", "reference", "matches"))
    return ChrfCounts(*(tuple(map(sum, zip(*part, strict=True))) for part in parts))


@register("chrf")
@dataclass(frozen=True, kw_only=True)
class Chrf(CaptionReader, ComparisonEvaluator):
    """Overlap of a text with its reference in runs of characters (chrF2): 0 to 100, higher is better.

    ``expected`` is a text or a list of them. Kind to inflected languages, and needs no tokens. A set gives
    the value of all texts together.

    Example:
        >>> from vlmops.evaluators import Case
        >>> Chrf().evaluate(Case(output="a red car", expected="a red car")).value
        100.0
    """

    default_name: ClassVar[str] = "chrf"

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one text."""
        pair = self.read(output, expected)
        if isinstance(pair, Failure):
            return pair
        counts = chrf_counts(*pair)
        return Score(self.name, counts.score, _explain(counts), range=(0.0, _SCALE))

    def evaluate_set(self, cases: Sequence[Case]) -> SetScore | Failure:
        """The chrF of all texts together, with a bootstrap interval over texts."""
        read = self.read_pairs(cases, self.read)
        if isinstance(read, Failure):
            return read
        counts = [chrf_counts(candidate, references) for candidate, references in read.values]
        total = _total(counts)
        return SetScore(
            self.name,
            total.score,
            n=read.n,
            failures=read.failures,
            interval=_interval(counts, read.clusters),
            explanation=_explain(total),
            range=(0.0, _SCALE),
        )


def _interval(counts: Sequence[ChrfCounts], clusters: Sequence[Hashable]) -> Interval | None:
    import numpy as np

    from vlmops.statistics import reweighted_interval

    table = np.array([(*count.candidate, *count.reference, *count.matches) for count in counts], dtype=float)

    def statistic(weights: NDArray[np.float64]) -> float:
        sums = (tuple(map(int, part)) for part in np.split(weights @ table, 3))
        return ChrfCounts(*sums).score

    return reweighted_interval(statistic, len(counts), clusters=clusters)


def _explain(counts: ChrfCounts) -> str:
    return (
        f"{counts.matches[0]} of {counts.candidate[0]} characters and {counts.matches[-1]} of "
        f"{counts.candidate[-1]} runs of {_ORDERS} occur in the reference"
    )
