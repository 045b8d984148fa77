"""Edit distance of ordered labelled trees (Zhang and Shasha 1989, SIAM J. Comput. 18(6))."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

Label = TypeVar("Label", bound="Hashable")


@dataclass(slots=True)
class Node(Generic[Label]):
    """One node of an ordered tree.

    Attributes:
        label: What the costs depend on.
        children: In order.
    """

    label: Label
    children: list[Node[Label]] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Nodes in the tree, this one included."""
        return len(_PostOrder(self).labels)


def tree_edit_distance(
    output: Node[Label],
    expected: Node[Label],
    *,
    rename: Callable[[Label, Label], float],
    weight: Callable[[Label], float] = lambda _: 1.0,
) -> float:
    """Least total cost of deletions, insertions and renamings that turn one tree into the other.

    Takes O(n m min(depth, leaves)²) steps for trees of n and m nodes; for tables that is near O(n m).

    Args:
        output: A tree.
        expected: Another.
        rename: Cost of giving a node another label; at least 0. Called once per pair of different labels.
        weight: Cost of deleting or inserting a node; at least 0.

    Example:
        >>> left = Node("table", [Node("tr", [Node("td")])])
        >>> right = Node("table", [Node("tr", [Node("td"), Node("td")])])
        >>> tree_edit_distance(left, right, rename=lambda a, b: float(a != b))
        1.0
    """
    first, second = _PostOrder(output), _PostOrder(expected)
    renaming = _renaming(first.labels, second.labels, rename)
    deleting = [float(weight(label)) for label in first.labels]
    inserting = [float(weight(label)) for label in second.labels]
    distances = [[0.0] * len(second.labels) for _ in first.labels]
    for row in first.keyroots:
        for column in second.keyroots:
            if first.leftmost[row] == row:
                _fill_leaf(distances[row], second.leftmost, column, renaming[row], deleting[row], inserting)
            else:
                _fill(distances, first, second, row, column, renaming, deleting, inserting)
    return distances[-1][-1]


class _PostOrder(Generic[Label]):
    """A tree's nodes, children before parents.

    Attributes:
        labels: One per node.
        leftmost: Position of each node's leftmost leaf.
        keyroots: The nodes that are the highest with their leftmost leaf.
    """

    def __init__(self, root: Node[Label]) -> None:
        self.labels: list[Label] = []
        self.leftmost: list[int] = []
        self._visit(root)
        highest = {leaf: position for position, leaf in enumerate(self.leftmost)}
        self.keyroots = sorted(highest.values())

    def _visit(self, root: Node[Label]) -> None:
        # An explicit stack: a model's HTML may be nested deeper than Python's recursion limit.
        stack: list[tuple[Node[Label], int, int]] = [(root, 0, 0)]
        while stack:
            node, visited, leftmost = stack.pop()
            if not visited:
                leftmost = len(self.labels)
            if visited < len(node.children):
                stack.append((node, visited + 1, leftmost))
                stack.append((node.children[visited], 0, 0))
            else:
                self.labels.append(node.label)
                self.leftmost.append(leftmost)


def _renaming(
    first: Sequence[Label], second: Sequence[Label], rename: Callable[[Label, Label], float]
) -> list[list[float]]:
    costs: dict[Label, dict[Label, float]] = {}
    different = list(dict.fromkeys(second))
    for label in dict.fromkeys(first):
        costs[label] = {other: float(rename(label, other)) for other in different}
    rows = {label: [row[other] for other in second] for label, row in costs.items()}
    return [rows[label] for label in first]


def _fill_leaf(
    known: list[float],
    leftmost: list[int],
    column: int,
    change: list[float],
    deletion: float,
    inserting: list[float],
) -> None:
    """What :func:`_fill` does where the first subtree is a single node, as most are in a table.

    The node becomes one node of the other subtree, the one that saves most, or is deleted.
    """
    left = leftmost[column]
    whole, saving = 0.0, -deletion
    for position in range(left, column + 1):
        insertion = inserting[position]
        whole += insertion
        if insertion - change[position] > saving:
            saving = insertion - change[position]
        if leftmost[position] == left:
            known[position] = whole - saving


def _fill(
    distances: list[list[float]],
    first: _PostOrder[Label],
    second: _PostOrder[Label],
    row: int,
    column: int,
    renaming: list[list[float]],
    deleting: list[float],
    inserting: list[float],
) -> None:
    """Fill the distances of all subtrees that share their leftmost leaf with two keyroots.

    ``above`` and ``here`` are rows of the forest distances: between the first nodes of one subtree and the
    first nodes of the other, in post-order.
    """
    top, left = first.leftmost[row], second.leftmost[column]
    width = column - left + 1
    forests = [[0.0] * (width + 1)]
    for j in range(width):
        forests[0][j + 1] = forests[0][j] + inserting[left + j]
    # Per column: where its subtree begins, and whether it begins with the keyroot's.
    begins = [second.leftmost[left + j] - left for j in range(width)]
    for i in range(top, row + 1):
        above = forests[-1]
        deletion = deleting[i]
        cost = above[0] + deletion
        here = [cost]
        known, change = distances[i], renaming[i]
        aligned = first.leftmost[i] == top
        before = forests[first.leftmost[i] - top]
        for j in range(width):
            position = left + j
            cost += inserting[position]
            removed = above[j + 1] + deletion
            if removed < cost:
                cost = removed
            if aligned and not begins[j]:
                changed = above[j] + change[position]
                if changed < cost:
                    cost = changed
                known[position] = cost
            else:
                kept = before[begins[j]] + known[position]
                if kept < cost:
                    cost = kept
            here.append(cost)
        forests.append(here)
