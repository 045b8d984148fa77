"""How alike two sequences of steps are: edit distance, swaps, longest common subsequence, order.

Steps are compared as they are given; bring them to one form first (:func:`match_steps`). Expected steps come
first, observed steps second; all measures but the counts of missing and extra steps are symmetric.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence


def step_edit_distance(expected: Sequence[Hashable], observed: Sequence[Hashable]) -> int:
    """Least number of steps to add, drop or replace (Levenshtein); a swap of two neighbours costs 2.

    Example:
        >>> step_edit_distance(["open", "swap", "close"], ["open", "close"])
        1
    """
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.distance(expected, observed)


def step_edit_similarity(expected: Sequence[Hashable], observed: Sequence[Hashable]) -> float:
    """1 - edit distance / length of the longer sequence, 0 to 1; 1 for two empty ones.

    Example:
        >>> step_edit_similarity(["open", "unscrew", "swap", "close"], ["open", "swap", "close"])
        0.75
    """
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.normalized_similarity(expected, observed)


def step_swap_distance(expected: Sequence[Hashable], observed: Sequence[Hashable]) -> int:
    """Edit distance in which a swap of two neighbours costs 1 (Damerau-Levenshtein, unrestricted).

    Example:
        >>> step_swap_distance(["a", "b", "c"], ["b", "a", "c"])
        1
    """
    from rapidfuzz.distance import DamerauLevenshtein

    return DamerauLevenshtein.distance(expected, observed)


def step_swap_similarity(expected: Sequence[Hashable], observed: Sequence[Hashable]) -> float:
    """1 - swap distance / length of the longer sequence, 0 to 1; 1 for two empty ones.

    Example:
        >>> step_swap_similarity(["a", "b", "c", "d"], ["b", "a", "c", "d"])
        0.75
    """
    from rapidfuzz.distance import DamerauLevenshtein

    return DamerauLevenshtein.normalized_similarity(expected, observed)


def longest_common_steps(expected: Sequence[Hashable], observed: Sequence[Hashable]) -> int:
    """Length of the longest common subsequence: steps that were done in the right order.

    Example:
        >>> longest_common_steps(["a", "b", "c"], ["b", "x", "c"])
        2
    """
    from rapidfuzz.distance import LCSseq

    return LCSseq.similarity(expected, observed)


def common_steps_similarity(expected: Sequence[Hashable], observed: Sequence[Hashable]) -> float:
    """Longest common subsequence / length of the longer sequence, 0 to 1; 1 for two empty ones.

    Example:
        >>> common_steps_similarity(["a", "b", "c", "d"], ["b", "c"])
        0.5
    """
    from rapidfuzz.distance import LCSseq

    return LCSseq.normalized_similarity(expected, observed)


@dataclass(frozen=True, slots=True)
class StepDifference:
    """How an observed sequence of steps differs from the expected one.

    Attributes:
        missing: Expected steps that were not observed, once for each time.
        extra: Observed steps that were never expected, once for each time.
        repeated: Observed steps that were expected, but fewer times, once for each time too many.
        moved: Steps observed in another order than expected.
        places: Where each matched step stands among the observed ones, in the expected order.
    """

    missing: tuple[Hashable, ...]
    extra: tuple[Hashable, ...]
    repeated: tuple[Hashable, ...]
    moved: tuple[Hashable, ...]
    places: tuple[int, ...]

    @property
    def matched(self) -> int:
        """How many expected steps were observed, whatever their order."""
        return len(self.places)

    @property
    def order(self) -> float:
        """Kendall's tau-b of the places of the matched steps, -1 to 1; NaN with fewer than two."""
        from vlmops.statistics.correlation import kendall_tau

        return kendall_tau(range(self.matched), self.places)


def compare_steps(expected: Sequence[Hashable], observed: Sequence[Hashable]) -> StepDifference:
    """Missing, extra, repeated and moved steps, and how well the order was kept.

    The n-th time a step is observed is matched with the n-th time it is expected. Moved steps are the matched
    ones that stand outside of a longest run in the expected order.

    Example:
        >>> observed = ["swap", "open", "close", "close", "wipe"]
        >>> difference = compare_steps(["open", "swap", "test", "close"], observed)
        >>> difference.missing, difference.extra, difference.repeated, difference.moved
        (('test',), ('wipe',), ('close',), ('swap',))
        >>> round(difference.order, 3)
        0.333
    """
    wanted, done = _numbered(expected), _numbered(observed)
    place = {step: index for index, step in enumerate(done)}
    matched = [step for step in wanted if step in place]
    in_wanted = set(matched)
    known = set(expected)
    too_many = [step for step, _ in (entry for entry in done if entry not in in_wanted)]
    return StepDifference(
        missing=tuple(step for step, _ in (entry for entry in wanted if entry not in place)),
        extra=tuple(step for step in too_many if step not in known),
        repeated=tuple(step for step in too_many if step in known),
        moved=_moved(matched, [step for step in done if step in in_wanted]),
        places=tuple(place[step] for step in matched),
    )


def _numbered(steps: Sequence[Hashable]) -> list[tuple[Hashable, int]]:
    """Each step with how many times it stood before, which makes all of them different."""
    seen: Counter[Hashable] = Counter()
    numbered = []
    for step in steps:
        numbered.append((step, seen[step]))
        seen[step] += 1
    return numbered


def _moved(matched: list[tuple[Hashable, int]], observed: list[tuple[Hashable, int]]) -> tuple[Hashable, ...]:
    from rapidfuzz.distance import LCSseq

    moved = [
        observed[operation.dest_pos]
        for operation in LCSseq.editops(matched, observed)
        if operation.tag == "insert"
    ]
    return tuple(step for step, _ in moved)
