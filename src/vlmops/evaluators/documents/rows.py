"""Fields of nested JSON compared within their rows: rows are matched one-to-one, in any order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vlmops.evaluators.documents.assignment import best_assignment
from vlmops.evaluators.text import Normalization, as_text, fold


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is wrong, missing or made up.

    Attributes:
        field: Keys that lead to it, joined by dots, list positions left out.
        expected: What it should be; ``None`` if it was not asked for.
        output: What it is; ``None`` if it is missing.
    """

    field: str
    expected: str | None
    output: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Fields counted.

    Attributes:
        right: Fields that agree.
        expected: Fields that were asked for.
        output: Fields that were given.
        differences: All that do not agree, in the order of ``expected``.
    """

    right: int
    expected: int
    output: int
    differences: tuple[Difference, ...] = ()

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, 0 to 1; 1 where no field is on either side."""
        fields = self.expected + self.output
        return 2 * self.right / fields if fields else 1.0


def compare_fields(
    output: Any,
    expected: Any,
    *,
    case_sensitive: bool = True,
    normalization: Normalization | None = None,
) -> Comparison:
    """Compare the fields of two JSON values.

    A scalar is a list of one where the other side has a list. ``{"any_of": [...]}`` in ``expected`` stands
    for several right values of one field. ``None``, ``""``, ``[]`` and ``{}`` are no fields: leaving a key
    out is as good as leaving it empty.

    Raises:
        TypeError: A value is not JSON.

    Example:
        >>> found = compare_fields({"rows": [["b"], ["a"]]}, {"rows": [["a"], ["c"]]})
        >>> found.right, found.differences
        (1, (Difference(field='rows', expected='c', output='b'),))
    """
    fields = _Fields(case_sensitive, normalization)
    got, wanted = fields.tree(output), fields.tree(expected, right_answers=True)
    match = _match(got, wanted)
    differences = tuple(_differences(got, wanted, ()))
    return Comparison(match, _size(wanted), _size(got), differences)


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A value: how it is shown, and the folded texts that count as equal to it."""

    shown: str
    texts: frozenset[str]


_Tree = _Leaf | list[Any] | dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Fields:
    case_sensitive: bool
    normalization: Normalization | None

    def tree(self, value: Any, *, right_answers: bool = False) -> _Tree:
        """The value without what is empty, its scalars folded."""
        if right_answers and isinstance(value, Mapping) and set(value) == {"any_of"}:
            options = [as_text(option) for option in value["any_of"]]
            return _Leaf(" or ".join(options), frozenset(map(self._fold, options))) if any(options) else []
        if isinstance(value, Mapping):
            parts = {str(key): self.tree(v, right_answers=right_answers) for key, v in value.items()}
            return {key: part for key, part in parts.items() if part}
        if isinstance(value, list | tuple):
            return [part for item in value if (part := self.tree(item, right_answers=right_answers))]
        text = "" if value is None else as_text(value)
        return _Leaf(text, frozenset({self._fold(text)})) if text.strip() else []

    def _fold(self, text: str) -> str:
        folded = fold(text, case_sensitive=self.case_sensitive, normalization=self.normalization)
        return " ".join(folded.split())


def _size(tree: _Tree) -> int:
    if isinstance(tree, _Leaf):
        return 1
    return sum(map(_size, tree.values() if isinstance(tree, dict) else tree))


def _match(got: _Tree, wanted: _Tree) -> int:
    """The greatest number of fields that agree under a one-to-one matching of rows."""
    if isinstance(got, _Leaf) and isinstance(wanted, _Leaf):
        return int(not got.texts.isdisjoint(wanted.texts))
    if isinstance(got, dict) and isinstance(wanted, dict):
        return sum(_match(part, wanted[key]) for key, part in got.items() if key in wanted)
    if isinstance(got, list) or isinstance(wanted, list):
        return _pair_rows(_as_rows(got), _as_rows(wanted))[1]
    return 0


def _as_rows(tree: _Tree) -> list[_Tree]:
    return tree if isinstance(tree, list) else [tree]


def _pair_rows(rows: list[_Tree], others: list[_Tree]) -> tuple[list[tuple[int, int]], int]:
    """The pairs with the most fields in common, and how many those are.

    Equal rows are paired at once, which never costs a match (what a row shares with two others, those two
    share or the row has apart) and leaves a small problem where most rows are right.
    """
    waiting: dict[Any, list[int]] = {}
    for index in reversed(range(len(others))):
        waiting.setdefault(_key(others[index]), []).append(index)
    pairs: list[tuple[int, int]] = []
    rest: list[int] = []
    for index, row in enumerate(rows):
        same = waiting.get(_key(row))
        if same:
            pairs.append((index, same.pop()))
        else:
            rest.append(index)
    total = sum(_size(rows[row]) for row, _ in pairs)
    free = sorted(index for indices in waiting.values() for index in indices)
    profits = [[_match(rows[row], others[other]) for other in free] for row in rest]
    for position, partner in best_assignment(profits):
        pairs.append((rest[position], free[partner]))
        total += profits[position][partner]
    return pairs, total


def _key(tree: _Tree) -> Any:
    """Equal for trees that agree in every field, whatever the order of their keys."""
    if isinstance(tree, _Leaf):
        return tree.texts
    if isinstance(tree, dict):
        return frozenset((key, _key(part)) for key, part in tree.items())
    return tuple(map(_key, tree))


def _differences(got: _Tree | None, wanted: _Tree | None, path: tuple[str, ...]) -> Iterator[Difference]:
    if isinstance(got, _Leaf) and isinstance(wanted, _Leaf):
        if got.texts.isdisjoint(wanted.texts):
            yield Difference(".".join(path), wanted.shown, got.shown)
    elif isinstance(got, dict) and isinstance(wanted, dict):
        for key in [*wanted, *(key for key in got if key not in wanted)]:
            yield from _differences(got.get(key), wanted.get(key), (*path, key))
    elif got is not None and wanted is not None and (isinstance(got, list) or isinstance(wanted, list)):
        rows, others = _as_rows(got), _as_rows(wanted)
        partner = {other: row for row, other in _pair_rows(rows, others)[0]}
        for index, other_row in enumerate(others):
            row = rows[partner[index]] if index in partner else None
            yield from _differences(row, other_row, path)
        for index in sorted(set(range(len(rows))) - set(partner.values())):
            yield from _differences(rows[index], None, path)
    else:
        yield from (Difference(field, shown, None) for field, shown in _leaves(wanted, path))
        yield from (Difference(field, None, shown) for field, shown in _leaves(got, path))


def _leaves(tree: _Tree | None, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(tree, _Leaf):
        yield ".".join(path), tree.shown
    elif isinstance(tree, dict):
        for key, part in tree.items():
            yield from _leaves(part, (*path, key))
    elif tree is not None:
        for part in tree:
            yield from _leaves(part, path)
