"""One-to-one assignment of the greatest total profit (Kuhn 1955; shortest augmenting paths)."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def best_assignment(profits: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Pairs (row, column) of the greatest total profit, sorted by row.

    Every row has a partner if there are at least as many columns as rows, else every column has one.
    Takes O(rows² columns) steps.

    Args:
        profits: Finite numbers, one list per row, all of the same length.

    Example:
        >>> best_assignment([[0.9, 0.8], [0.9, 0.1]])
        [(0, 1), (1, 0)]
    """
    if not profits or not profits[0]:
        return []
    if len(profits) > len(profits[0]):
        turned = [list(column) for column in zip(*profits, strict=True)]
        return sorted((row, column) for column, row in best_assignment(turned))
    highest = max(map(max, profits))
    return _cheapest([[highest - profit for profit in row] for row in profits])


def _cheapest(costs: list[list[float]]) -> list[tuple[int, int]]:
    """The assignment of least cost, for at least as many columns as rows.

    A row whose cheapest column is free takes it; the others enter one by one over the path of least
    reduced cost to a free column. ``row_price`` and ``column_price`` keep all reduced costs non-negative,
    so that the path is a shortest one.
    """
    width = len(costs[0])
    row_price = [min(row) for row in costs]
    column_price = [0.0] * (width + 1)
    holder = [-1] * (width + 1)
    waiting: list[int] = []
    for index, row in enumerate(costs):
        free = (c for c in range(width) if holder[c] == -1 and row[c] == row_price[index])
        column = next(free, width)
        if column < width:
            holder[column] = index
        else:
            waiting.append(index)
    for entering in waiting:
        holder[width] = entering
        column = width
        distance = [inf] * width
        came_from = [width] * width
        open_columns = list(range(width))
        reached = [width]
        while holder[column] != -1:
            cost, price = costs[holder[column]], row_price[holder[column]]
            for candidate in open_columns:
                reduced = cost[candidate] - price - column_price[candidate]
                if reduced < distance[candidate]:
                    distance[candidate], came_from[candidate] = reduced, column
            column = min(open_columns, key=distance.__getitem__)
            step = distance[column]
            for passed in reached:
                row_price[holder[passed]] += step
                column_price[passed] -= step
            for candidate in open_columns:
                distance[candidate] -= step
            open_columns.remove(column)
            reached.append(column)
        while column != width:
            holder[column] = holder[came_from[column]]
            column = came_from[column]
    return sorted((holder[column], column) for column in range(width) if holder[column] != -1)
