"""Text of whole pages: edit distance over matched blocks, and their reading order."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.documents.assignment import best_assignment
from vlmops.evaluators.documents.edit_distance import edit_distance, normalized_edit_distance
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Direction, Score
from vlmops.evaluators.text import as_text, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LEAST_SIMILARITY = 0.5
"""Blocks less similar than this are not matched."""


def page_edit_distance(blocks: Iterable[tuple[str, str]]) -> float:
    """Edits of all blocks of a page divided by their longer lengths, 0 to 1; less is better.

    This is the page term of OmniDocBench (Ouyang et al. 2024, arXiv:2412.07626): a block that one side
    lacks is paired with ``""`` and counts in full.

    Args:
        blocks: Pairs (output, expected).

    Returns:
        The distance, NaN where there is no text at all.

    Example:
        >>> page_edit_distance([("hello word", "hello world"), ("", "total")])
        0.375
    """
    edits = longer = 0
    for output, expected in blocks:
        edits += edit_distance(output, expected)
        longer += max(len(output), len(expected))
    return edits / longer if longer else math.nan


def omnidocbench_edit_distance(pages: Mapping[Any, Iterable[tuple[str, str]]]) -> float:
    """Mean of :func:`page_edit_distance` over pages; pages without any text are left out.

    Example:
        >>> omnidocbench_edit_distance({"p1": [("ab", "ab")], "p2": [("ab", "ax")], "p3": [("", "")]})
        0.25
    """
    distances = [page_edit_distance(blocks) for blocks in pages.values()]
    defined = [distance for distance in distances if not math.isnan(distance)]
    return sum(defined) / len(defined) if defined else math.nan


def match_blocks(
    output: Sequence[str], expected: Sequence[str], *, least_similarity: float = LEAST_SIMILARITY
) -> list[tuple[int, int]]:
    """Pairs (output position, expected position) of the blocks that are the same text.

    The matching is one-to-one with the greatest total similarity (1 - normalised edit distance); of blocks
    that are equally good, such as repeated ones, the one at the nearest relative place is taken. Pairs are
    sorted by output position.

    Example:
        >>> match_blocks(["Total 12", "Dear Sir"], ["Dear Sir,", "Total 12", "Yours"])
        [(0, 1), (1, 0)]
    """
    if not output or not expected:
        return []
    similarity = [[1 - normalized_edit_distance(got, wanted) for wanted in expected] for got in output]
    profits = [
        [
            value + _PLACE_WEIGHT * (1 - abs(row / len(output) - column / len(expected)))
            if value >= least_similarity
            else 0.0
            for column, value in enumerate(values)
        ]
        for row, values in enumerate(similarity)
    ]
    return [(row, column) for row, column in best_assignment(profits) if profits[row][column] > 0]


def order_edit_distance(order: Sequence[int]) -> float:
    """Normalised edit distance of an order from the sorted one, 0 to 1; less is better.

    Args:
        order: Expected positions of the blocks, in the order in which they were read; NaN if there is none.

    Example:
        >>> order_edit_distance([0, 2, 1, 3])
        0.5
    """
    return normalized_edit_distance(order, sorted(order)) if order else math.nan


def order_kendall_tau(order: Sequence[int]) -> float:
    """Kendall's tau of an order without ties, -1 (reversed) to 1 (right); more is better.

    Returns:
        (concordant - discordant) / pairs; NaN with fewer than two positions.

    Example:
        >>> order_kendall_tau([0, 2, 1, 3])
        0.6666666666666667
    """
    seen: list[int] = []
    discordant = 0
    for position in order:
        discordant += len(seen) - bisect_left(seen, position)
        insort(seen, position)
    pairs = len(order) * (len(order) - 1) // 2
    return 1 - 2 * discordant / pairs if pairs else math.nan


@dataclass(frozen=True, kw_only=True)
class _PageEvaluator(ComparisonEvaluator):
    """Base of evaluators that take a page as one text or as a list of blocks."""

    def blocks(self, output: Any, expected: Any) -> tuple[list[str], list[str]] | Failure:
        """Both sides as blocks."""
        sides: list[list[str]] = []
        for side, value in (("output", output), ("expected", expected)):
            try:
                sides.append([as_text(b) for b in (value if isinstance(value, list | tuple) else [value])])
            except TypeError as error:
                return self.failure(FailureKind.UNPARSABLE, f"{side}: {error}")
        return sides[0], sides[1]


@register("page_edit_distance")
@dataclass(frozen=True, kw_only=True)
class PageEditDistance(_PageEvaluator):
    """Edits over the longer text of a page (OmniDocBench), 0 to 1; lower is better.

    Both sides are one text, or lists of blocks, which are matched first whatever their order
    (:class:`ReadingOrder` judges that); a block without a partner counts in full. The mean over pages is the
    published figure.

    Example:
        >>> from vlmops.evaluators import Case
        >>> case = Case(output=["total", "hello word"], expected=["hello world", "total"])
        >>> score = PageEditDistance().evaluate(case)
        >>> score.value, score.explanation
        (0.0625, '2 of 2 blocks matched')
    """

    default_name: ClassVar[str] = "page_edit_distance"
    direction: ClassVar[Direction] = "minimize"

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one page."""
        blocks = self.blocks(output, expected)
        if isinstance(blocks, Failure):
            return blocks
        got, wanted = blocks
        pairs = [(0, 0)] if len(got) == len(wanted) == 1 else match_blocks(got, wanted)
        rows, columns = {row for row, _ in pairs}, {column for _, column in pairs}
        texts = [(got[row], wanted[column]) for row, column in pairs]
        texts += [(text, "") for row, text in enumerate(got) if row not in rows]
        texts += [("", text) for column, text in enumerate(wanted) if column not in columns]
        value = page_edit_distance(texts)
        if math.isnan(value):
            return self.failure(FailureKind.MISSING_EXPECTED, "neither side has any text")
        explanation = f"{len(pairs)} of {len(wanted)} blocks matched"
        return Score(self.name, value, explanation, self.direction)


@register("reading_order")
@dataclass(frozen=True, kw_only=True)
class ReadingOrder(_PageEvaluator):
    """How far the order of a page's blocks is from the expected one, 0 to 1; lower is better.

    Blocks are matched by their text (:func:`match_blocks`); the order of the matched ones is compared by
    normalised edit distance, as OmniDocBench does. Kendall's tau is in the metadata. Blocks that are missing
    or made up do not count here.

    Attributes:
        least_similarity: Blocks less similar than this are not matched.

    Example:
        >>> from vlmops.evaluators import Case
        >>> case = Case(output=["one", "three", "two", "four"], expected=["one", "two", "three", "four"])
        >>> score = ReadingOrder().evaluate(case)
        >>> score.value, score.explanation
        (0.5, "4 of 4 blocks matched; first out of order: 'three'")
    """

    default_name: ClassVar[str] = "reading_order"
    direction: ClassVar[Direction] = "minimize"

    least_similarity: float = LEAST_SIMILARITY

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one page."""
        blocks = self.blocks(output, expected)
        if isinstance(blocks, Failure):
            return blocks
        got, wanted = blocks
        pairs = match_blocks(got, wanted, least_similarity=self.least_similarity)
        if not pairs:
            return self.failure(FailureKind.UNPARSABLE, f"none of {len(wanted)} blocks is in the output")
        order = [column for _, column in pairs]
        explanation = f"{len(pairs)} of {len(wanted)} blocks matched"
        displaced = next((c for c, right in zip(order, sorted(order), strict=True) if c != right), None)
        if displaced is not None:
            explanation += f"; first out of order: {shortened(wanted[displaced], _SHOWN_LENGTH)!r}"
        tau = order_kendall_tau(order)
        metadata = {"order": order, "kendall_tau": None if math.isnan(tau) else tau}
        value = order_edit_distance(order)
        return Score(self.name, value, explanation, self.direction, metadata=metadata)


_PLACE_WEIGHT = 1e-6
_SHOWN_LENGTH = 40
