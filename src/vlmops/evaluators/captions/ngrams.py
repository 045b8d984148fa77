"""Runs of words that captions share."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Ngram = tuple[str, ...]
"""Consecutive words."""


def ngrams(words: Sequence[str], length: int) -> Iterator[Ngram]:
    """The runs of ``length`` consecutive words, in order, repeats included.

    Example:
        >>> list(ngrams(["a", "red", "car"], 2))
        [('a', 'red'), ('red', 'car')]
    """
    return zip(*(words[start:] for start in range(length)), strict=False)


def clipped_matches(
    candidate: Sequence[str], references: Sequence[Sequence[str]], longest: int
) -> tuple[int, ...]:
    """For runs of 1, 2, ..., ``longest`` words, how many of the candidate's a reference has too.

    Each run counts at most as often as in the reference that has it most often.

    Example:
        >>> clipped_matches(["a", "a", "a"], [["a", "dog"], ["a", "a"]], 2)
        (2, 1)
    """
    matches = [0] * longest
    for order in range(longest):
        own = Counter(ngrams(candidate, order + 1))
        most: dict[Ngram, int] = {}
        for reference in references:
            shared = Counter(filter(own.__contains__, ngrams(reference, order + 1)))
            for ngram, count in shared.items():
                if count > most.get(ngram, 0):
                    most[ngram] = count
        if not most:
            # Without a common run there is no longer one either.
            break
        matches[order] = sum(min(count, own[ngram]) for ngram, count in most.items())
    return tuple(matches)


def closest_length(length: int, references: Sequence[int]) -> int:
    """The reference length that is closest; of two equally close ones the shorter.

    Example:
        >>> closest_length(5, [7, 3, 9])
        3
    """
    return min((abs(other - length), other) for other in references)[1]
