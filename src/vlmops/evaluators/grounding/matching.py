"""Which prediction belongs to which expected box: the best assignment, or the greedy rule of detection."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    Array = Any

Method = Literal["hungarian", "greedy"]
"""Best overall, or each prediction in turn by confidence."""


@dataclass(frozen=True, slots=True)
class Match:
    """One prediction that belongs to one expected box.

    Attributes:
        predicted: Index of the prediction.
        expected: Index of the expected box.
        overlap: Their overlap.
    """

    predicted: int
    expected: int
    overlap: float


def assign(benefit: ArrayLike) -> tuple[Array, Array]:
    """The one-to-one assignment with the greatest sum, exact (Hungarian problem).

    Shortest augmenting paths with dual prices (Jonker and Volgenant 1987, in Crouse's rectangular form 2016);
    equal sums are decided as ``scipy.optimize.linear_sum_assignment`` decides them. Time O(n^2 m).

    Args:
        benefit: Shape (n, m), finite.

    Returns:
        Row indices in ascending order and the column of each; min(n, m) of them.

    Raises:
        UsageError: A benefit is not finite.

    Example:
        >>> rows, columns = assign([[0.9, 0.8], [0.8, 0.1]])
        >>> rows.tolist(), columns.tolist()
        ([0, 1], [1, 0])
    """
    import numpy as np

    table = np.atleast_2d(np.asarray(benefit, dtype=float))
    if not np.isfinite(table).all():
        raise UsageError("an assignment needs finite benefits")
    transposed = table.shape[1] < table.shape[0]
    columns = np.array(_Assignment((-table.T if transposed else -table).tolist()).solve(), dtype=int)
    if not transposed:
        return np.arange(len(columns)), columns
    order = np.argsort(columns)
    return columns[order], order


class _Assignment:
    """State of the search; rows are not more than columns.

    Plain lists: the tables of one picture are so small that array calls would cost more than they save.
    """

    def __init__(self, cost: list[list[float]]) -> None:
        rows, columns = len(cost), len(cost[0]) if cost else 0
        self.cost = cost
        self.row_price, self.column_price = [0.0] * rows, [0.0] * columns
        self.column_of, self.row_of = [-1] * rows, [-1] * columns

    def solve(self) -> list[int]:
        for row in range(len(self.cost)):
            self._place(row)
        return self.column_of

    def _place(self, row: int) -> None:
        """Find the cheapest way to give ``row`` a column, moving rows placed before."""
        columns = len(self.row_of)
        shortest, path = [math.inf] * columns, [-1] * columns
        # In reverse, as in scipy: a constant table is then assigned along its diagonal.
        remaining = list(range(columns - 1, -1, -1))
        current, lowest = row, 0.0
        moved: list[int] = []
        reached: list[int] = []
        while True:
            column, lowest = self._nearest(current, lowest, remaining, shortest, path)
            reached.append(column)
            if self.row_of[column] == -1:
                break
            current = self.row_of[column]
            moved.append(current)
        self.row_price[row] += lowest
        for other in moved:
            self.row_price[other] += lowest - shortest[self.column_of[other]]
        for other in reached:
            self.column_price[other] -= lowest - shortest[other]
        self._augment(row, column, path)

    def _nearest(
        self, row: int, so_far: float, remaining: list[int], shortest: list[float], path: list[int]
    ) -> tuple[int, float]:
        """Take the column at the least distance out of ``remaining``; among equals the last free one."""
        costs, price, row_of, column_price = (
            self.cost[row],
            self.row_price[row],
            self.row_of,
            self.column_price,
        )
        least, best = math.inf, -1
        for position, column in enumerate(remaining):
            distance = so_far + costs[column] - price - column_price[column]
            if distance < shortest[column]:
                shortest[column] = distance
                path[column] = row
            else:
                distance = shortest[column]
            if distance < least or (distance == least and row_of[column] == -1):
                least, best = distance, position
        column = remaining[best]
        remaining[best] = remaining[-1]
        remaining.pop()
        return column, least

    def _augment(self, row: int, column: int, path: list[int]) -> None:
        while True:
            giver = path[column]
            self.row_of[column] = giver
            self.column_of[giver], column = column, self.column_of[giver]
            if giver == row:
                return


def match_boxes(
    overlap: ArrayLike,
    threshold: float,
    *,
    method: Method = "hungarian",
    scores: Sequence[float | None] | None = None,
) -> list[Match]:
    """Pairs of predictions and expected boxes that overlap by ``threshold`` or more, each used once.

    ``hungarian`` finds the most pairs, and of these the greatest total overlap. ``greedy`` goes through the
    predictions by falling confidence (list order where equal or absent) and gives each the free expected box
    that it overlaps most (the last of equals), as pycocotools does.

    Args:
        overlap: Shape (predictions, expected).
        threshold: Least overlap, inclusive.
        method: Which rule.
        scores: Confidence of each prediction, for ``greedy``.

    Example:
        >>> match_boxes([[0.6, 0.7], [0.0, 0.8]], 0.5)
        [Match(predicted=0, expected=0, overlap=0.6), Match(predicted=1, expected=1, overlap=0.8)]
        >>> match_boxes([[0.6, 0.7], [0.0, 0.8]], 0.5, method="greedy")
        [Match(predicted=0, expected=1, overlap=0.7)]
    """
    import numpy as np

    table = np.asarray(overlap, dtype=float)
    if table.size == 0:
        return []
    if method == "greedy":
        pairs = _greedy(table, threshold, scores)
    else:
        least = min(0.0, float(table.min()))
        # Adding the number of boxes to each allowed pair makes one more pair outweigh any total overlap.
        allowed = table >= threshold
        benefit = np.where(allowed, table - least + (1 - least) * min(table.shape), 0.0)
        rows, columns = assign(benefit)
        pairs = [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if allowed[r, c]]
    return [Match(row, column, float(table[row, column])) for row, column in pairs]


def _greedy(table: Array, threshold: float, scores: Sequence[float | None] | None) -> list[tuple[int, int]]:
    import numpy as np

    confidence = np.array([0.0 if score is None else score for score in scores or [0.0] * len(table)])
    free = np.ones(table.shape[1], dtype=bool)
    pairs = []
    for row in np.argsort(-confidence, kind="stable"):
        candidates = np.where(free & (table[row] >= threshold), table[row], -np.inf)
        best = len(candidates) - 1 - int(np.argmax(candidates[::-1]))
        if candidates[best] != -np.inf:
            free[best] = False
            pairs.append((int(row), best))
    return pairs
