"""Drawing bootstrap resamples: the one mechanism behind every interval.

A resample is the same rows with other weights: how often the cluster of each was drawn. Draws depend on
nothing but the number of clusters, so that two variants measured on the same pictures meet the same draws and
the difference of their resampled values is a paired bootstrap.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from vlmops.evaluators.score import Interval

    Array = np.ndarray[Any, np.dtype[Any]]

RESAMPLES = 2_000
CONFIDENCE = 0.95
SEED = 20_000
"""Of every resampling, so that a value comes with the same interval each time."""
_BLOCK_CELLS = 2_000_000
_KEPT_CELLS = 20_000_000
CACHED_CELLS = 1 << 17
"""A megabyte of floats: what is drawn or converted is summed before it leaves the processor's cache."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """Which rows are drawn together.

    Attributes:
        keys: One key a cluster, in the order in which they first occur.
        of_row: The position of each row's cluster in ``keys``.

    Example:
        >>> clusters = Clusters.of(3, ["a", "b", "a"])
        >>> clusters.keys, clusters.sums([1.0, 2.0, 4.0]).tolist()
        (('a', 'b'), [5.0, 2.0])
    """

    keys: tuple[Hashable, ...]
    of_row: Array

    @classmethod
    def of(cls, n: int, keys: ClusterKeys) -> Clusters:
        """The clusters of ``n`` rows with these keys; each row is one of its own without.

        Clusters that are known already stay as they are.

        Raises:
            UsageError: There are not as many keys as rows.
        """
        import numpy as np

        from vlmops.errors import UsageError

        if keys is None:
            return cls(tuple(range(n)), np.arange(n))
        given = len(keys.of_row) if isinstance(keys, Clusters) else len(keys)
        if given != n:
            raise UsageError(f"there are {n} rows and {given} cluster keys: give one key per row")
        if isinstance(keys, Clusters):
            return keys
        position: dict[Hashable, int] = {}
        of_row = [position.setdefault(key, len(position)) for key in keys]
        return cls(tuple(position), np.asarray(of_row, dtype=np.intp))

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.keys)

    @property
    def single(self) -> bool:
        """Whether every row is a cluster of its own."""
        return self.count == len(self.of_row)

    def chosen(self, rows: Any) -> Clusters:
        """The clusters of some of the rows, given by position or as flags.

        Example:
            >>> Clusters.of(3, ["a", "b", "a"]).chosen([1, 2]).keys
            ('b', 'a')
        """
        import numpy as np

        kept = self.of_row[np.asarray(rows)]
        if len(kept) == len(self.of_row) and (kept == self.of_row).all():
            return self
        numbers, first, of_row = np.unique(kept, return_index=True, return_inverse=True)
        order = np.argsort(first)
        place = np.empty(len(order), dtype=np.intp)
        place[order] = np.arange(len(order))
        return Clusters(tuple(self.keys[number] for number in numbers[order]), place[of_row])

    def sums(self, values: Any) -> Array:
        """Sum of the rows' values in each cluster; a column each where ``values`` has columns."""
        import numpy as np

        rows = np.asarray(values, dtype=float)
        if self.single:
            return rows
        if rows.ndim == 1:
            return np.bincount(self.of_row, weights=rows, minlength=self.count)
        return np.column_stack(
            [np.bincount(self.of_row, weights=column, minlength=self.count) for column in rows.T]
        )


ClusterKeys = Sequence[Hashable] | Clusters | None
"""One key a row, equal for rows that are drawn together; or the clusters; ``None`` for each row alone."""


def check_confidence(confidence: float) -> None:
    """Refuse what is no level of confidence, above all 95 for 0.95.

    Raises:
        UsageError: It is not between 0 and 1.

    Example:
        >>> check_confidence(0.95)
    """
    from vlmops.errors import UsageError

    if not 0 < confidence < 1:
        raise UsageError(f"confidence is {confidence:g}: give a level between 0 and 1, such as 0.95")


def alike(present: Array) -> list[list[int]]:
    """Columns whose values stand in the same rows: these share their draws.

    Example:
        >>> import numpy as np
        >>> alike(np.array([[True, True, True], [False, True, False]]))
        [[0, 2], [1]]
    """
    groups: dict[bytes, list[int]] = {}
    for column in range(present.shape[1]):
        groups.setdefault(present[:, column].tobytes(), []).append(column)
    return list(groups.values())


def drawn_counts(clusters: int, resamples: int = RESAMPLES) -> Iterator[Array]:
    """How often each cluster was drawn: arrays of resamples (rows) by clusters, as many rows as fit a block.

    Example:
        >>> blocks = list(drawn_counts(5, resamples=3))
        >>> [block.sum(axis=1).tolist() for block in blocks]
        [[5, 5, 5]]
    """
    if clusters * resamples > _KEPT_CELLS:
        yield from _counts(clusters, resamples)
        return
    kept = _kept_counts(clusters, resamples)
    block = max(1, _BLOCK_CELLS // clusters)
    for start in range(0, resamples, block):
        yield kept[start : start + block]


@lru_cache(maxsize=4)
def _kept_counts(clusters: int, resamples: int) -> Array:
    """All draws, a byte each: metrics and slices of one comparison ask for the same again and again."""
    import numpy as np

    counts = np.concatenate([_in_bytes(block) for block in _counts(clusters, resamples)])
    counts.flags.writeable = False
    return counts


def _in_bytes(counts: Array) -> Array:
    import numpy as np

    # That one of many clusters is drawn so often has a probability of less than one in 10^500.
    return counts.astype(np.uint8) if counts.max() < 256 else counts


def _counts(clusters: int, resamples: int) -> Iterator[Array]:
    import numpy as np

    generator = np.random.default_rng(SEED)
    block = max(1, CACHED_CELLS // clusters)
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = generator.integers(0, clusters, size=(rows, clusters))
        drawn += np.arange(rows)[:, None] * clusters
        yield np.bincount(drawn.ravel(), minlength=rows * clusters).reshape(rows, clusters)


def resampled_sums(columns: Array, resamples: int = RESAMPLES) -> Array:
    """Sums over resampled clusters.

    Args:
        columns: One row per cluster, one column per quantity.
        resamples: How many resamples.

    Returns:
        One row per resample, one column per quantity.

    Example:
        >>> import numpy as np
        >>> resampled_sums(np.ones((4, 2)), resamples=3).tolist()
        [[4.0, 4.0], [4.0, 4.0], [4.0, 4.0]]
    """
    import numpy as np

    return np.concatenate([_summed(counts, columns) for counts in drawn_counts(len(columns), resamples)])


def _summed(counts: Array, columns: Array) -> Array:
    """Sums of clusters drawn so many times; one that was not drawn adds nothing, be it infinite."""
    import numpy as np

    infinite = np.logical_not(np.all(np.isfinite(columns), axis=1))
    finite = np.where(infinite[:, None], 0.0, columns) if infinite.any() else columns
    step = max(1, CACHED_CELLS // len(columns))
    sums: Array = np.concatenate(
        [counts[start : start + step].astype(float) @ finite for start in range(0, len(counts), step)]
    )
    for row in np.flatnonzero(infinite):
        times = counts[:, row, None].astype(float)
        with np.errstate(invalid="ignore"):
            sums += np.where(times > 0, times * columns[row], 0.0)
    return sums


@dataclass(frozen=True, slots=True)
class Resampled:
    """What stands behind a bootstrap interval.

    Attributes:
        values: The statistic, one value per resample, in the order of the draws; NaN where it is undefined.
        keys: The clusters drawn from: two with equal keys met the same draws.
    """

    values: Array
    keys: tuple[Hashable, ...]


class ResamplingRecord:
    """The resampled values behind the intervals made while it was open."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[Interval, Resampled]] = {}

    def keep(self, interval: Interval, resampled: Resampled) -> None:
        """Remember what an interval was made of."""
        # The interval is held too: the id of one that is gone could become another's.
        self._kept[id(interval)] = (interval, resampled)

    def behind(self, interval: Interval | None) -> Resampled | None:
        """What this very interval was made of; ``None`` for one made otherwise."""
        return self._kept.get(id(interval), (None, None))[1]


_open: ContextVar[ResamplingRecord | None] = ContextVar("vlmops_resampling_record", default=None)


@contextmanager
def recorded_resamples() -> Iterator[ResamplingRecord]:
    """Keeps the resampled values behind every bootstrap interval made within.

    Metrics of whole sets give a value and its interval. Where two variants were measured on the same
    clusters, the difference of their resampled values gives the interval of the difference as well, with
    nothing to be asked of the metric.

    Example:
        >>> from vlmops.statistics import mean_interval, recorded_resamples
        >>> with recorded_resamples() as record:
        ...     first, second = mean_interval([1.0, 2.0, 4.0]), mean_interval([2.0, 3.0, 5.0])
        >>> differences = record.behind(second).values - record.behind(first).values
        >>> bool(abs(differences - 1).max() < 1e-9)
        True
    """
    record = ResamplingRecord()
    token = _open.set(record)
    try:
        yield record
    finally:
        _open.reset(token)


def percentile_interval(
    values: Array, confidence: float = CONFIDENCE, keys: tuple[Hashable, ...] | None = None
) -> Interval | None:
    """The interval that holds the middle share ``confidence`` of resampled values.

    Args:
        values: Of the statistic, one per resample; NaN and infinite ones are left out.
        confidence: Level in (0, 1).
        keys: The clusters drawn from, for :func:`recorded_resamples`.

    Returns:
        The interval, or ``None`` without a finite value.

    Raises:
        UsageError: ``confidence`` is no level.

    Example:
        >>> import numpy as np
        >>> interval = percentile_interval(np.arange(101.0), 0.9)
        >>> round(interval.low), round(interval.high)
        (5, 95)
    """
    check_confidence(confidence)
    tail = (1 - confidence) / 2
    return interval_between(values, tail, 1 - tail, confidence, keys)


def interval_between(
    values: Array, low: float, high: float, confidence: float, keys: tuple[Hashable, ...] | None = None
) -> Interval | None:
    """The interval between two quantiles of resampled values, kept where a record is open.

    Example:
        >>> import numpy as np
        >>> interval_between(np.arange(101.0), 0.25, 0.75, 0.5).high
        75.0
    """
    import numpy as np

    from vlmops.evaluators.score import Interval

    defined = values[np.isfinite(values)]
    if not len(defined):
        return None
    bounds = np.quantile(defined, [low, high])
    interval = Interval(float(bounds[0]), float(bounds[1]), confidence)
    record = _open.get()
    if record is not None and keys is not None:
        record.keep(interval, Resampled(values, keys))
    return interval
