"""Runs of words, counted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Ngram = tuple[str, ...]
"""Consecutive words."""


def ngram_counts(words: Sequence[str], longest: int) -> list[Counter[Ngram]]:
    """How often each run of 1, 2, ..., ``longest`` words occurs; one counter per length.

    Example:
        >>> ngram_counts(["a", "dog", "a"], 2)[0][("a",)]
        2
    """
    return [Counter(zip(*(words[start:] for start in range(n)), strict=False)) for n in range(1, longest + 1)]


def clipped_matches(candidate: Counter[Ngram], references: Sequence[Counter[Ngram]]) -> int:
    """Runs of the candidate that a reference has too, each at most as often as in that reference.

    Example:
        >>> clipped_matches(Counter({("a",): 3}), [Counter({("a",): 1}), Counter({("a",): 2})])
        2
    """
    return sum(
        min(count, max(reference.get(ngram, 0) for reference in references))
        for ngram, count in candidate.items()
    )


def closest_length(length: int, references: Sequence[int]) -> int:
    """The reference length that is closest; of two equally close ones the shorter.

    Example:
        >>> closest_length(5, [7, 3, 9])
        3
    """
    return min((abs(other - length), other) for other in references)[1]
