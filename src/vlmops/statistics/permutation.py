"""Exact tests of paired differences: McNemar's, and its form for any numbers and for clusters.

Under the hypothesis that two variants are alike, which of them gave which results of a picture is a matter of
chance: the difference of each picture might as well have the opposite sign. The share of sign patterns that
give a sum as far out as the one seen is the p-value (R. A. Fisher, *The Design of Experiments*, 1935, section
21). It holds for any sample size and distribution. For pass and fail on independent pictures it **is**
McNemar's exact test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError
from vlmops.statistics.distributions import binomial_cdf
from vlmops.statistics.resampling import CACHED_CELLS, SEED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import ArrayLike

    Array = np.ndarray[Any, np.dtype[Any]]

FLIPS = 10_000
"""Random sign patterns where there are too many to try all."""
_TRIED = 12
"""Up to so many differences, all patterns are tried."""
_LONGEST_SUM = 20_000
_BLOCK_CELLS = 2_000_000
_KEPT_CELLS = 200_000_000


@dataclass(frozen=True, slots=True)
class SignFlipTest:
    """What chance alone would make of paired differences.

    Attributes:
        p_less: Probability of a sum as low as this one or lower.
        p_greater: Probability of a sum as high as this one or higher.
        exact: Whether all sign patterns were counted, not a random part of them.

    Example:
        >>> SignFlipTest(0.02, 0.99, exact=True).p_value
        0.04
    """

    p_less: float
    p_greater: float
    exact: bool

    @property
    def p_value(self) -> float:
        """Of the two-sided test: twice the smaller tail."""
        return min(1.0, 2 * min(self.p_less, self.p_greater))


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided p-value of McNemar's exact test.

    Args:
        only_first: Pairs that only the first variant passed.
        only_second: Pairs that only the second passed.

    Raises:
        UsageError: One is negative.

    Example:
        >>> round(mcnemar(1, 9), 4)
        0.0215
        >>> mcnemar(0, 0)
        1.0
    """
    if min(only_first, only_second) < 0:
        raise UsageError(f"pairs are counted from 0 on, not {only_first} and {only_second}")
    return min(1.0, 2 * binomial_cdf(min(only_first, only_second), only_first + only_second))


def sign_flip_tests(sums: ArrayLike) -> list[SignFlipTest]:
    """A test for each column of differences.

    Whole numbers (pass and fail) are counted out, and so are up to twelve differences of any kind; else
    10,000 random patterns are drawn, and one that none of them reached has at most the probability that
    Hoeffding's inequality allows it.

    Args:
        sums: One row per cluster with the sum of its differences, one column per metric.

    Raises:
        UsageError: A sum is NaN or infinite.

    Example:
        >>> (test,) = sign_flip_tests([[1.0], [1.0], [1.0], [1.0], [1.0], [0.0]])
        >>> test.p_greater, test.p_value, test.exact
        (0.03125, 0.0625, True)
    """
    import numpy as np

    table = np.asarray(sums, dtype=float)
    if not np.isfinite(table).all():
        raise UsageError("a difference is NaN or infinite: leave such pairs out, and count them")
    tests = [_counted(column[column != 0]) for column in table.T]
    rest = [at for at, test in enumerate(tests) if test is None]
    for at, test in zip(rest, _drawn(table[:, rest]) if rest else (), strict=True):
        tests[at] = test
    return [test for test in tests if test is not None]


def _counted(differences: Array) -> SignFlipTest | None:
    """The test over all sign patterns, where these can be counted."""
    import numpy as np

    sizes = np.abs(differences)
    if (sizes == np.rint(sizes)).all() and sizes.sum() <= _LONGEST_SUM:
        return _over_whole_numbers(differences.astype(int))
    if len(differences) > _TRIED:
        return None
    patterns = (np.arange(2 ** len(sizes))[:, None] >> np.arange(len(sizes))) & 1
    less, greater = _reached(patterns, differences[:, None])
    return SignFlipTest(float(less[0]) / len(patterns), float(greater[0]) / len(patterns), exact=True)


def _over_whole_numbers(differences: Array) -> SignFlipTest:
    """The distribution of the sum of those that are positive: binomials, one a size, added up."""
    import numpy as np

    probabilities = np.ones(1)
    for size, count in zip(*np.unique(np.abs(differences), return_counts=True), strict=True):
        spread = np.zeros(size * count + 1)
        spread[::size] = _binomial_probabilities(int(count))
        probabilities = np.convolve(probabilities, spread)
    seen = int(differences[differences > 0].sum())
    return SignFlipTest(
        min(1.0, float(probabilities[: seen + 1].sum())),
        min(1.0, float(probabilities[seen:].sum())),
        exact=True,
    )


def _binomial_probabilities(n: int) -> Array:
    import numpy as np

    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    probabilities: Array = np.exp(logs[n] - logs - logs[::-1] - n * math.log(2))
    return probabilities


def _drawn(table: Array) -> list[SignFlipTest]:
    import numpy as np

    less, greater = np.zeros(table.shape[1]), np.zeros(table.shape[1])
    for patterns in _patterns(len(table)):
        found = _reached(patterns, table)
        less += found[0]
        greater += found[1]
    totals, sizes = table.sum(axis=0), (table**2).sum(axis=0)
    bounds = np.exp(-(totals**2) / (2 * sizes))
    return [
        SignFlipTest(
            _drawn_p(below, bound, reached=total < 0), _drawn_p(above, bound, reached=total > 0), exact=False
        )
        for below, above, bound, total in zip(less, greater, bounds, totals, strict=True)
    ]


def _patterns(differences: int) -> Iterator[Array]:
    """Random signs of so many differences, 0 and 1: the same each time, some rows at once."""
    import numpy as np

    if differences * FLIPS > _KEPT_CELLS:
        yield from _drawn_patterns(differences)
        return
    for block in _kept_patterns(differences):
        yield np.unpackbits(block, axis=1, count=differences)


@lru_cache(maxsize=2)
def _kept_patterns(differences: int) -> Sequence[Array]:
    """All of them, a bit each: metrics and quantities of one comparison ask for the same again."""
    import numpy as np

    return [np.packbits(block, axis=1) for block in _drawn_patterns(differences)]


def _drawn_patterns(differences: int) -> Iterator[Array]:
    import numpy as np

    generator = np.random.default_rng(SEED)
    block = max(1, _BLOCK_CELLS // differences)
    for start in range(0, FLIPS, block):
        yield generator.integers(0, 2, size=(min(block, FLIPS - start), differences), dtype=np.int8)


def _drawn_p(times: float, bound: float, *, reached: bool) -> float:
    p = (1 + float(times)) / (1 + FLIPS)
    return min(p, float(bound)) if reached and times == 0 else p


def _reached(patterns: Array, table: Array) -> tuple[Array, Array]:
    """How many patterns (rows of 0 and 1) give a sum as low, and as high, as each column's."""
    import numpy as np

    sizes = np.abs(table)
    positive = np.where(table > 0, sizes, 0).sum(axis=0)
    step = max(1, CACHED_CELLS // max(1, len(table)))
    drawn = np.concatenate(
        [patterns[start : start + step].astype(float) @ sizes for start in range(0, len(patterns), step)]
    )
    # Equal sums must count as equal whatever the order they were added up in.
    slack = 1e-12 * np.maximum(sizes.sum(axis=0), 1e-300)
    return (drawn <= positive + slack).sum(axis=0), (drawn >= positive - slack).sum(axis=0)
