"""BLEU of captions as pycocoevalcap computes it, on tokenised text (Papineni et al. 2002)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from vlmops.evaluators.captions.caption import Captioned, CaptionSetEvaluator, check_aligned
from vlmops.evaluators.captions.ngrams import clipped_matches, closest_length
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import SetScore

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from vlmops.evaluators.bases import Readings
    from vlmops.evaluators.score import Interval

# The reference adds these so that no order ever divides or multiplies by zero.
_SMALL, _TINY = 1e-9, 1e-15


@dataclass(frozen=True, slots=True)
class BleuCounts:
    """What BLEU needs to know of a caption, or summed, of a set of captions.

    Attributes:
        length: Words of the candidate.
        reference_length: Words of the reference whose length is closest (the shorter of two).
        matches: Runs of 1, 2, ... words that a reference has too, clipped.
        guesses: Runs of 1, 2, ... words in the candidate.

    Example:
        >>> counts = bleu_counts("a dog runs", ["a dog runs", "the dog"])
        >>> counts.matches, counts.guesses
        ((3, 2, 1, 0), (3, 2, 1, 0))
    """

    length: int
    reference_length: int
    matches: tuple[int, ...]
    guesses: tuple[int, ...]

    @property
    def scores(self) -> tuple[float, ...]:
        """BLEU-1, BLEU-2, ..., 0 to 1.

        Of a single short caption the higher orders are tiny rather than 0, as in the reference.
        """
        product, found = 1.0, []
        for order, (matched, guessed) in enumerate(zip(self.matches, self.guesses, strict=True), start=1):
            product *= (matched + _TINY) / (guessed + _SMALL)
            found.append(product ** (1 / order))
        ratio = (self.length + _TINY) / (self.reference_length + _SMALL)
        penalty = math.exp(1 - 1 / ratio) if ratio < 1 else 1.0
        return tuple(score * penalty for score in found)


def bleu_counts(candidate: str, references: Sequence[str], orders: int = 4) -> BleuCounts:
    """Count the matches of one tokenised caption with its references; words are split at white space.

    Raises:
        ValueError: There is no reference.

    Example:
        >>> bleu_counts("a a a", ["a dog"]).matches
        (1, 0, 0, 0)
    """
    if not references:
        raise ValueError("BLEU needs at least one reference caption")
    words = candidate.split()
    reference_words = [reference.split() for reference in references]
    return BleuCounts(
        length=len(words),
        reference_length=closest_length(len(words), [len(reference) for reference in reference_words]),
        matches=clipped_matches(words, reference_words, orders),
        guesses=tuple(max(0, len(words) - n) for n in range(orders)),
    )


def corpus_bleu(
    candidates: Sequence[str], references: Sequence[Sequence[str]], orders: int = 4
) -> tuple[float, ...]:
    """BLEU-1 to BLEU-4 of a set of tokenised captions, 0 to 1, higher is better.

    Matches and lengths are summed over the set before anything is divided; the length to reach is that of
    the closest reference (pycocoevalcap's ``option="closest"``).

    Args:
        candidates: One caption per picture.
        references: The reference captions of each picture.
        orders: Longest run of words.

    Raises:
        ValueError: There are no captions, the two differ in length, or a picture has no reference.

    Example:
        >>> [round(score, 3) for score in corpus_bleu(["a dog runs"], [["a dog walks"]], orders=2)]
        [0.667, 0.577]
    """
    check_aligned(candidates, references)
    counts = [bleu_counts(c, r, orders) for c, r in zip(candidates, references, strict=True)]
    return total_counts(counts).scores


def total_counts(counts: Sequence[BleuCounts]) -> BleuCounts:
    """The counts of a set, of which there is at least one caption.

    Example:
        >>> total_counts([bleu_counts("a dog", ["a dog"]), bleu_counts("a", ["the"])]).matches
        (2, 1, 0, 0)
    """
    return BleuCounts(
        sum(count.length for count in counts),
        sum(count.reference_length for count in counts),
        tuple(map(sum, zip(*(count.matches for count in counts), strict=True))),
        tuple(map(sum, zip(*(count.guesses for count in counts), strict=True))),
    )


def bleu_intervals(
    counts: Sequence[BleuCounts],
    scores: Callable[[BleuCounts], Sequence[float]],
    clusters: Sequence[Hashable] | None = None,
) -> list[Interval | None]:
    """Bootstrap intervals of scores of summed counts; empty for a single caption or cluster.

    Args:
        counts: One per caption.
        scores: Gives the scores of summed counts.
        clusters: One key per caption; captions with equal keys are drawn together.

    Example:
        >>> counts = [bleu_counts("a dog", ["a dog"]), bleu_counts("a cat", ["the dog"])]
        >>> [round(found.high, 6) for found in bleu_intervals(counts, lambda sums: sums.scores[:1])]
        [1.0]
    """
    import numpy as np

    from vlmops.statistics import reweighted_intervals

    orders = len(counts[0].matches)
    table = np.array([(c.length, c.reference_length, *c.matches, *c.guesses) for c in counts], dtype=float)

    def statistics(weights: NDArray[np.float64]) -> Sequence[float]:
        length, reference_length, *runs = (int(total) for total in weights @ table)
        return scores(BleuCounts(length, reference_length, tuple(runs[:orders]), tuple(runs[orders:])))

    return reweighted_intervals(statistics, len(counts), clusters=clusters)


@register("bleu")
@dataclass(frozen=True, kw_only=True)
class Bleu(CaptionSetEvaluator):
    """BLEU-1 to BLEU-4 of all captions together, as pycocoevalcap gives them; 1 is best.

    ``expected`` is a caption or a list of them. A measure of the set, not of a case: a single caption shares
    too few runs of words with its references. For text that is not captions, use ``sacrebleu``.

    Attributes:
        orders: Longest run of words; one score for each length up to it.
        tokenizer: ``"ptb"`` as pycocoevalcap does, or ``"spaces"`` for text that is tokenised already.

    Example:
        >>> from vlmops.evaluators import Case
        >>> cases = [Case(output="A dog runs.", expected=["A dog runs!", "a running dog"])]
        >>> [(score.name, round(score.value, 6)) for score in Bleu(orders=2).evaluate_set(cases)]
        [('bleu.1', 1.0), ('bleu.2', 1.0)]
    """

    default_name: ClassVar[str] = "bleu"

    orders: int = 4

    def score(self, captions: Readings[Captioned]) -> list[SetScore]:
        """BLEU-1 to BLEU-``orders``, each with a bootstrap interval over captions."""
        counts = [
            bleu_counts(candidate, references, self.orders) for candidate, references in captions.values
        ]
        total = total_counts(counts)
        intervals = bleu_intervals(counts, lambda sums: sums.scores, captions.clusters)
        return [
            SetScore(
                self.part(str(order + 1)),
                total.scores[order],
                n=captions.n,
                failures=captions.failures,
                interval=intervals[order] if intervals else None,
                explanation=f"{total.matches[order]} of {total.guesses[order]} runs of {order + 1} words "
                f"occur in a reference; {total.length} words against {total.reference_length}",
                metadata={"length": total.length, "reference_length": total.reference_length},
            )
            for order in range(self.orders)
        ]
