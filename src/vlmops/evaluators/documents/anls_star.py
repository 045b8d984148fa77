"""ANLS*: the normalised Levenshtein similarity of nested JSON (Peer et al. 2024, arXiv:2402.03848).

The values are those of the authors' package ``anls-star`` 1.0.1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.documents.assignment import best_assignment
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score

ANY_OF = "any_of"
"""Key of an object ``{"any_of": [...]}`` that stands for several right answers."""

_THRESHOLD = 0.5
_SHOWN_FIELDS = 3


@dataclass(frozen=True, slots=True)
class AnlsStar:
    """An ANLS* value and how it came about.

    Attributes:
        value: 0 to 1, more is better.
        closest: The expected value nearest to the output: answers chosen, lists in the output's order.
        by_key: Mean value per dotted key (list positions left out), for all keys of both sides.
    """

    value: float
    closest: Any
    by_key: Mapping[str, float]


def anls_star(output: Any, expected: Any) -> float:
    """ANLS* of an output against the expected JSON, 0 to 1; more is better.

    - Strings, numbers and booleans: similarity of their lower-cased text with white space collapsed,
      ``1 - edits / longer length``; 0 below 0.5.
    - Objects: by key; keys that are missing or made up count against the value.
    - Lists: elements are matched one-to-one for the best total, whatever their order.
    - ``None``: only an empty answer (``None``, ``""``, ``[]``, ``{}``) is right.
    - A tuple or ``{"any_of": [...]}`` in ``expected``: the best of several right answers. A list of
      strings against one string is read in the same way, as question-answering sets write it.

    Raises:
        TypeError: A value is not JSON, or ``output`` holds a tuple.
        ValueError: An ``any_of`` is empty.

    Example:
        >>> anls_star({"total": "12.50"}, {"total": "12.50", "date": "3 May"})
        0.5
        >>> anls_star(["b", "a"], ["a", "b"])
        1.0
        >>> anls_star("colour", {"any_of": ["color", "colour"]})
        1.0
    """
    return anls_star_detail(output, expected).value


def anls_star_detail(output: Any, expected: Any) -> AnlsStar:
    """The same as :func:`anls_star`, with the closest expected value and the values by key.

    Example:
        >>> detail = anls_star_detail({"a": "hello!"}, {"a": {"any_of": ["world", "hello"]}})
        >>> detail.closest, round(detail.by_key["a"], 3)
        ({'a': 'hello'}, 0.833)
    """
    if isinstance(output, str) and isinstance(expected, list) and all(isinstance(e, str) for e in expected):
        expected = tuple(expected)
    found = _match(_expected_node(expected), _output_node(output), ())
    sums: dict[str, list[float]] = {}
    for path, value in found.keys:
        sums.setdefault(".".join(path), []).append(value)
    by_key = {key: sum(values) / len(values) for key, values in sums.items()}
    return AnlsStar(found.mean, found.closest, by_key)


@register("anls_star")
@dataclass(frozen=True, kw_only=True)
class AnlsStarSimilarity(ComparisonEvaluator):
    """ANLS* of nested JSON: fields compared by edit distance, lists in any order; more is better.

    The recommended measure of key information extraction when near misses should count in part; see
    :class:`~vlmops.evaluators.documents.fields.FieldMatch` for exact matches.

    Example:
        >>> from vlmops.evaluators import Case
        >>> case = Case(output={"total": "12.50", "tax": "1"}, expected={"total": "12.50", "tax": "2"})
        >>> score = AnlsStarSimilarity().evaluate(case)
        >>> score.value, score.explanation
        (0.5, '1 of 2 keys differ: tax 0.00')
    """

    default_name: ClassVar[str] = "anls_star"

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one value."""
        try:
            detail = anls_star_detail(output, expected)
        except (TypeError, ValueError) as error:
            return self.failure(FailureKind.UNPARSABLE, str(error))
        return Score(self.name, detail.value, _explain(detail), metadata={"by_key": dict(detail.by_key)})


def _explain(detail: AnlsStar) -> str:
    if not detail.by_key:
        return "the values agree" if detail.value == 1 else f"closest expected: {detail.closest!r}"
    wrong = sorted((value, key) for key, value in detail.by_key.items() if value < 1)
    if not wrong:
        return f"all {len(detail.by_key)} keys agree"
    shown = ", ".join(f"{key} {value:.2f}" for value, key in wrong[:_SHOWN_FIELDS])
    rest = ", ..." if len(wrong) > _SHOWN_FIELDS else ""
    return f"{len(wrong)} of {len(detail.by_key)} keys differ: {shown}{rest}"


_Keys = tuple[tuple[tuple[str, ...], float], ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """The comparison of two nodes: similarities, the length they are divided by, the chosen answer."""

    similarities: tuple[float, ...]
    length: int
    closest: Any
    keys: _Keys = ()

    @property
    def mean(self) -> float:
        return sum(self.similarities) / self.length if self.length > 0 else 1.0


@dataclass(frozen=True, slots=True)
class _Node:
    """A JSON value with the number of leaves below it."""

    value: Any
    length: int
    children: Any = field(default=())
    text: str = ""


class _AnyOf(_Node):
    """Several right answers."""


class _List(_Node):
    """A list, in any order."""


class _Object(_Node):
    """A mapping."""


class _Nothing(_Node):
    """``None``, and a key that is not there."""


class _Leaf(_Node):
    """A string, number or boolean."""


_ABSENT = _Nothing(None, 1)


def _expected_node(value: Any) -> _Node:
    if isinstance(value, Mapping) and set(value) == {ANY_OF} and isinstance(value[ANY_OF], list):
        value = tuple(value[ANY_OF])
    if isinstance(value, tuple):
        if not value:
            raise ValueError("an any-of needs at least one right answer")
        options = tuple(map(_expected_node, value))
        return _AnyOf(value, max(option.length for option in options), options)
    return _node(value, _expected_node)


def _output_node(value: Any) -> _Node:
    if isinstance(value, tuple):
        raise TypeError("a tuple stands for several right answers; an output holds lists")
    return _node(value, _output_node)


def _node(value: Any, make: Any) -> _Node:
    if isinstance(value, list):
        items = tuple(map(make, value))
        return _List(value, sum(item.length for item in items), items)
    if isinstance(value, Mapping):
        parts = {key: make(part) for key, part in value.items()}
        return _Object(value, sum(part.length for part in parts.values()), parts)
    if value is None:
        return _ABSENT
    if isinstance(value, str | int | float):
        return _Leaf(value, 1, text=" ".join(str(value).strip().lower().split()))
    raise TypeError(f"{type(value).__name__} is not a JSON value: {value!r}")


def _match(expected: _Node, output: _Node, path: tuple[str, ...]) -> _Found:
    if isinstance(expected, _AnyOf):
        options = [_match(option, output, path) for option in expected.children]
        return max(options, key=lambda option: (option.mean, option.closest == output.value))
    if isinstance(expected, _List) and isinstance(output, _List):
        return _match_lists(expected, output, path)
    if isinstance(expected, _Object) and isinstance(output, _Object):
        return _match_objects(expected, output, path)
    length = max(expected.length, output.length)
    if isinstance(expected, _Nothing):
        return (
            _Found((1.0,), length, output.value) if _is_empty(output.value) else _Found((0.0,), length, None)
        )
    if isinstance(expected, _Leaf) and isinstance(output, _Leaf):
        return _Found((_similarity(expected.text, output.text),), length, expected.value)
    return _Found((0.0,), length, expected.value)


def _match_lists(expected: _List, output: _List, path: tuple[str, ...]) -> _Found:
    table = [[_match(wanted, got, path) for got in output.children] for wanted in expected.children]
    profits = [
        [
            # An exact match wins a tie by the least step there is, as in the reference.
            math.nextafter(cell.mean, math.inf) if got.value == cell.closest else cell.mean
            for cell, got in zip(row, output.children, strict=True)
        ]
        for row in table
    ]
    pairs = best_assignment(profits)
    rows = {row for row, _ in pairs}
    columns = {column for _, column in pairs}
    left = [wanted for row, wanted in enumerate(expected.children) if row not in rows]
    made_up = [got for column, got in enumerate(output.children) if column not in columns]
    in_output_order = [table[row][column] for row, column in sorted(pairs, key=lambda pair: pair[1])]
    return _Found(
        tuple(value for row, column in pairs for value in table[row][column].similarities),
        sum(table[row][column].length for row, column in pairs) + sum(node.length for node in left + made_up),
        [cell.closest for cell in in_output_order] + [node.value for node in left],
        tuple(entry for cell in in_output_order for entry in cell.keys),
    )


def _match_objects(expected: _Object, output: _Object, path: tuple[str, ...]) -> _Found:
    similarities: list[float] = []
    keys: list[tuple[tuple[str, ...], float]] = []
    closest: dict[Any, Any] = {}
    length = 0
    for key in [*expected.children, *(key for key in output.children if key not in expected.children)]:
        got = output.children.get(key, _ABSENT)
        here = (*path, str(key))
        found = _match(expected.children.get(key, _ABSENT), got, here)
        # The reference counts the length of a made-up empty key, but not its similarity.
        length += found.length
        if key not in expected.children and _is_empty(got.value):
            continue
        similarities.extend(found.similarities)
        keys.extend((*found.keys, (here, found.mean)))
        if key in output.children or not _is_empty(found.closest):
            closest[key] = found.closest
    return _Found(tuple(similarities), length, closest, tuple(keys))


def _similarity(expected: str, output: str) -> float:
    from rapidfuzz.distance import Levenshtein

    longer = max(len(expected), len(output))
    similarity = 1 - (Levenshtein.distance(expected, output) / longer if longer else 0.0)
    return similarity if similarity >= _THRESHOLD else 0.0


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | Mapping) and not value)
