"""Which prediction belongs to which expected box: the best assignment, or the greedy rule of detection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

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

    Example:
        >>> rows, columns = assign([[0.9, 0.8], [0.8, 0.1]])
        >>> rows.tolist(), columns.tolist()
        ([0, 1], [1, 0])
    """
    import numpy as np

    cost = -np.atleast_2d(np.asarray(benefit, dtype=float))
    if 0 in cost.shape:
        return np.zeros(0, dtype=int), np.zeros(0, dtype=int)
    transposed = cost.shape[1] < cost.shape[0]
    columns = _Assignment(cost.T if transposed else cost).solve()
    if not transposed:
        return np.arange(len(columns)), columns
    order = np.argsort(columns)
    return columns[order], order


class _Assignment:
    """State of the search; rows are not more than columns."""

    def __init__(self, cost: Array) -> None:
        import numpy as np

        self.cost = cost
        rows, columns = cost.shape
        self.row_price, self.column_price = np.zeros(rows), np.zeros(columns)
        self.column_of = np.full(rows, -1)
        self.row_of = np.full(columns, -1)

    def solve(self) -> Array:
        for row in range(len(self.column_of)):
            self._place(row)
        return self.column_of

    def _place(self, row: int) -> None:
        """Find the cheapest way to give ``row`` a column, moving rows placed before."""
        import numpy as np

        columns = len(self.row_of)
        shortest = np.full(columns, np.inf)
        path = np.full(columns, -1)
        # In reverse, as in scipy: a constant matrix is then assigned along its diagonal.
        remaining = np.arange(columns - 1, -1, -1)
        visited_rows, visited_columns = [], []
        current, lowest, sink = row, 0.0, -1
        while sink == -1:
            visited_rows.append(current)
            reduced = lowest + self.cost[current, remaining] - self.row_price[current]
            reduced -= self.column_price[remaining]
            closer = reduced < shortest[remaining]
            shortest[remaining[closer]] = reduced[closer]
            path[remaining[closer]] = current
            position = self._nearest(shortest[remaining], remaining)
            column = remaining[position]
            lowest = shortest[column]
            if self.row_of[column] == -1:
                sink = column
            else:
                current = self.row_of[column]
            visited_columns.append(column)
            remaining[position] = remaining[-1]
            remaining = remaining[:-1]
        self._reprice(row, lowest, shortest, visited_rows, visited_columns)
        self._augment(row, sink, path)

    def _nearest(self, distances: Array, remaining: Array) -> int:
        """Position of the least distance; among equals the last free column, else the first."""
        import numpy as np

        equal = np.flatnonzero(distances == distances.min())
        free = equal[self.row_of[remaining[equal]] == -1]
        return int(free[-1] if len(free) else equal[0])

    def _reprice(self, row: int, lowest: float, shortest: Array, rows: list[int], columns: list[int]) -> None:
        self.row_price[row] += lowest
        for moved in rows[1:]:
            self.row_price[moved] += lowest - shortest[self.column_of[moved]]
        self.column_price[columns] -= lowest - shortest[columns]

    def _augment(self, row: int, column: int, path: Array) -> None:
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
