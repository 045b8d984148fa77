"""Edit distance of two texts, normalised by the longer one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Direction, Score
from vlmops.evaluators.text import Normalization, as_text, fold

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence


def edit_distance(first: Sequence[Hashable], second: Sequence[Hashable]) -> int:
    """Least number of insertions, deletions and substitutions between two texts (Levenshtein 1965).

    Example:
        >>> edit_distance("kitten", "sitting")
        3
    """
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.distance(first, second)


def normalized_edit_distance(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Edit distance divided by the longer length, 0 to 1; less is better; 0 for two empty texts.

    Example:
        >>> normalized_edit_distance("café", "cafe")
        0.25
    """
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.normalized_distance(first, second)


def indel_ratio(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Similarity in per cent when only insertions and deletions are allowed: rapidfuzz's ``fuzz.ratio``.

    Example:
        >>> indel_ratio("café", "cafe")
        75.0
    """
    from rapidfuzz.distance import Indel

    return 100.0 * Indel.normalized_similarity(first, second)


@register("normalized_edit_distance")
@dataclass(frozen=True, kw_only=True)
class NormalizedEditDistance(ComparisonEvaluator):
    """Edits divided by the longer of both texts, 0 (equal) to 1; lower is better.

    Unlike the character error rate it never exceeds 1 and does not care which side is the reference.

    Attributes:
        case_sensitive: Whether upper and lower case differ.
        normalization: Unicode form to bring both sides to first.

    Example:
        >>> from vlmops.evaluators import Case
        >>> NormalizedEditDistance().evaluate(Case(output="cafe", expected="café")).explanation
        '1 edit in 4 characters'
    """

    default_name: ClassVar[str] = "normalized_edit_distance"
    direction: ClassVar[Direction] = "minimize"

    case_sensitive: bool = True
    normalization: Normalization | None = None

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one text."""
        try:
            got, wanted = (
                fold(as_text(side), case_sensitive=self.case_sensitive, normalization=self.normalization)
                for side in (output, expected)
            )
        except TypeError as error:
            return self.failure(FailureKind.UNPARSABLE, str(error))
        edits = edit_distance(got, wanted)
        return Score(
            self.name,
            normalized_edit_distance(got, wanted),
            f"{edits} edit{'' if edits == 1 else 's'} in {max(len(got), len(wanted))} characters",
            self.direction,
        )
