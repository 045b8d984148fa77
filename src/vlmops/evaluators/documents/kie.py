"""Key information extraction as Donut (Kim et al. 2022, arXiv:2111.15664) and CC-OCR score it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.documents.tree import Node, tree_edit_distance
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score
from vlmops.evaluators.text import to_half_width

if TYPE_CHECKING:
    from collections.abc import Iterator

KieVariant = Literal["donut", "cc_ocr"]
"""Donut's evaluator, which drops falsy values, or CC-OCR's copy, which keeps them."""


def flat_fields(value: Any, variant: KieVariant = "donut") -> list[tuple[str, str]]:
    """(Dotted path without list positions, stripped value) of every field.

    Example:
        >>> flat_fields({"menu": [{"name": "cake", "count": 2}, {"name": "tea"}]})
        [('menu.name', 'cake'), ('menu.count', '2'), ('menu.name', 'tea')]
    """
    return list(_flatten(_normalized(value, variant), ""))


def tree_edit_accuracy(output: Any, expected: Any, *, variant: KieVariant = "donut") -> float:
    """Accuracy by tree edits (nTED), 0 to 1; more is better.

    The value is one minus the cost of the edits divided by that of building ``expected`` from nothing.

    A key costs 1 and a value its characters; changing a value costs its edit distance. Keys are sorted, but
    the order of list elements matters.

    Returns:
        The accuracy, never below 0; 0 as well where ``expected`` has no field.

    Example:
        >>> tree_edit_accuracy({"a": "1"}, {"a": "1", "b": "2"})
        0.5
    """
    wanted = _tree(_normalized(expected, variant))
    whole = _distance(Node((False, "<root>")), wanted)
    if not whole:
        return 0.0
    return max(0.0, 1.0 - _distance(_tree(_normalized(output, variant)), wanted) / whole)


def normalize_kie_text(text: str) -> str:
    """Text as CC-OCR compares it: full-width to plain, spaces between Chinese characters removed, ...

    Spaces between Chinese and Latin characters or digits go too, one space follows punctuation that is not
    preceded by a digit, and one stands between Latin letters and digits.

    Example:
        >>> normalize_kie_text("东 京１２３abc")
        '东京123 abc'
    """
    text = to_half_width(text).replace("、", ",")
    for pattern, replacement in _SPACING:
        text = pattern.sub(replacement, text)
    return text


@register("nted")
@dataclass(frozen=True, kw_only=True)
class TreeEditAccuracy(ComparisonEvaluator):
    """nTED accuracy of nested JSON, 0 to 1; more is better. The order of rows matters.

    Attributes:
        variant: ``"donut"`` drops falsy values, ``"cc_ocr"`` keeps 0.

    Example:
        >>> from vlmops.evaluators import Case
        >>> TreeEditAccuracy().evaluate(Case(output={"a": "1"}, expected={"a": "1", "b": "2"})).value
        0.5
    """

    default_name: ClassVar[str] = "nted"

    variant: KieVariant = "donut"

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one document."""
        for side, value in (("output", output), ("expected", expected)):
            if not isinstance(value, Mapping | list):
                problem = f"{side} is {type(value).__name__}, not an object or a list; parse the answer first"
                return self.failure(FailureKind.UNPARSABLE, problem)
        if not flat_fields(expected, self.variant):
            return self.failure(FailureKind.MISSING_EXPECTED, "the expected value has no field")
        value = tree_edit_accuracy(output, expected, variant=self.variant)
        fields = len(flat_fields(expected, self.variant))
        return Score(self.name, value, f"tree edits cost {1 - value:.0%} of building all {fields} fields")


_SPACING = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])", ""),
        (r"(?<=[\u4e00-\u9fff])\s+(?=[a-zA-Z0-9])", ""),
        (r"(?<=[a-zA-Z0-9])\s+(?=[\u4e00-\u9fff])", ""),
        (r"(?<![0-9])\s*([,.!?:;])\s*", r"\1 "),
        (r"(?<=[0-9])(?=[a-zA-Z])", " "),
        (r"(?<=[a-zA-Z])(?=[0-9])", " "),
        (r"\s+", " "),
    )
]


def _normalized(value: Any, variant: KieVariant) -> Any:
    """Keys sorted by length, scalars in lists of stripped text, what is empty left out."""
    if variant == "donut" and not value:
        return {}
    if isinstance(value, Mapping):
        parts: dict[str, Any] = {}
        for key in sorted(value, key=lambda key: (len(key), key)):
            part = _normalized(value[key], variant)
            if part:
                parts[key] = part if isinstance(part, list) else [part]
        return parts
    if isinstance(value, list):
        if all(isinstance(item, Mapping) for item in value):
            return [part for item in value if (part := _normalized(item, variant))]
        # The references compare exact types: booleans among scalars of a list are left out.
        return [str(item).strip() for item in value if type(item) in (str, int, float) and str(item).strip()]
    return [str(value).strip()]


def _flatten(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _flatten(part, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for item in value:
            yield from _flatten(item, path)
    else:
        yield path, value


def _tree(value: Any) -> Node[tuple[bool, str]]:
    """Nodes are labelled (is a value, text)."""
    root = Node((False, "<root>"))
    _grow(root, value)
    return root


def _grow(node: Node[tuple[bool, str]], value: Any) -> None:
    if isinstance(value, dict):
        for key, part in value.items():
            branch = Node((False, key))
            node.children.append(branch)
            _grow(branch, part)
    else:
        for item in value:
            branch = Node((False, "<subtree>")) if isinstance(item, dict) else Node((True, item))
            node.children.append(branch)
            if isinstance(item, dict):
                _grow(branch, item)


def _distance(output: Node[tuple[bool, str]], expected: Node[tuple[bool, str]]) -> float:
    return tree_edit_distance(output, expected, rename=_rename, weight=_weight)


def _weight(label: tuple[bool, str]) -> float:
    is_value, text = label
    return len(text) if is_value else 1


def _rename(got: tuple[bool, str], wanted: tuple[bool, str]) -> float:
    from rapidfuzz.distance import Levenshtein

    if got[0] and wanted[0]:
        return Levenshtein.distance(got[1], wanted[1])
    if got[0] or wanted[0]:
        return 1 + len(got[1] if got[0] else wanted[1])
    return float(got[1] != wanted[1])
