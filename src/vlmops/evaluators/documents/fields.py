"""Agreement of extracted fields: exact matches in nested JSON, as an F1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.documents.kie import flat_fields
from vlmops.evaluators.documents.rows import Comparison, Difference, compare_fields
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score, SetScore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.evaluators.case import Case
    from vlmops.evaluators.text import Normalization

FieldVariant = Literal["row_bound", "donut", "cc_ocr"]
"""How fields are matched."""

_CC_OCR_EPSILON = 1e-6
_SHOWN_DIFFERENCES = 3


def field_f1(
    output: Any,
    expected: Any,
    *,
    variant: FieldVariant = "row_bound",
    case_sensitive: bool = True,
    normalization: Normalization | None = None,
) -> float:
    """F1 of the fields of two JSON values, 0 to 1; more is better.

    A field is a value with the path of keys that leads to it; it is right or wrong as a whole. Numbers are
    compared as text (``2`` is ``"2"``), with white space collapsed; empty values are no fields.

    Args:
        output: What was extracted.
        expected: What should have been.
        variant: ``"row_bound"`` matches the rows of a list one-to-one for the most fields in common, in any
            order, so that quantities swapped between two rows are errors. ``"donut"`` is Donut's
            ``JSONParseEvaluator``: a multiset of (path without list positions, value) that loses the rows;
            0 and ``false`` are no fields. ``"cc_ocr"`` is CC-OCR's copy: 0 and ``None`` are fields, and
            1e-6 in the denominator makes a perfect value 0.9999990 or so.
        case_sensitive: Whether upper and lower case differ; ``"row_bound"`` only.
        normalization: Unicode form to bring both sides to first; ``"row_bound"`` only.

    Returns:
        The F1. With no field on either side: 1 for ``"row_bound"``, NaN for ``"donut"`` (the reference
        divides by zero), 0 for ``"cc_ocr"``.

    Example:
        >>> expected = {"items": [{"name": "cake", "count": 2}, {"name": "juice", "count": 1}]}
        >>> swapped = {"items": [{"name": "cake", "count": 1}, {"name": "juice", "count": 2}]}
        >>> field_f1(swapped, expected), field_f1(swapped, expected, variant="donut")
        (0.5, 1.0)
    """
    if variant == "row_bound":
        found = compare_fields(output, expected, case_sensitive=case_sensitive, normalization=normalization)
        return found.f1
    got, wanted = (Counter(flat_fields(side, variant)) for side in (output, expected))
    right = (got & wanted).total()
    wrong = got.total() + wanted.total() - 2 * right
    denominator = right + wrong / 2 + (_CC_OCR_EPSILON if variant == "cc_ocr" else 0.0)
    return right / denominator if denominator else float("nan")


@register("field_match")
@dataclass(frozen=True, kw_only=True)
class FieldMatch(ComparisonEvaluator):
    """Exact agreement of extracted fields in nested JSON, as an F1; more is better.

    One document gives its F1; a set gives the micro F1 over all fields, with a bootstrap interval and the
    counts of each field. Rows of a list are matched one-to-one whatever their order, and a field counts
    within its row only.

    Attributes:
        case_sensitive: Whether upper and lower case differ.
        normalization: Unicode form to bring both sides to first; ``"NFKC"`` reads full-width digits as
            plain ones.

    Example:
        >>> from vlmops.evaluators import Case
        >>> case = Case(
        ...     output={"fields": {"total": "12.50", "date": "3 May"}},
        ...     expected={"fields": {"total": "12.50", "date": "8 May"}},
        ... )
        >>> score = FieldMatch(key="fields").evaluate(case)
        >>> score.value, score.explanation
        (0.5, "1 of 2 fields right: date '3 May' instead of '8 May'")
    """

    default_name: ClassVar[str] = "field_match"

    case_sensitive: bool = True
    normalization: Normalization | None = None

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one document."""
        found = self._compare(output, expected)
        if isinstance(found, Failure):
            return found
        return Score(
            self.name,
            found.f1,
            _explain(found),
            metadata={
                "right": found.right,
                "expected_fields": found.expected,
                "output_fields": found.output,
                "differences": [
                    {"field": d.field, "expected": d.expected, "output": d.output} for d in found.differences
                ],
            },
        )

    def evaluate_set(self, cases: Sequence[Case]) -> SetScore | Failure:
        """Micro F1 over the fields of all documents."""
        from vlmops.statistics import bootstrap_ratio

        read = self.read_pairs(cases, self._compare)
        if isinstance(read, Failure):
            return read
        found = read.values
        right, wanted = sum(f.right for f in found), sum(f.expected for f in found)
        made = sum(f.output for f in found)
        by_field = Counter(d.field for f in found for d in f.differences)
        worst = ", ".join(f"{name} {times}" for name, times in by_field.most_common(_SHOWN_DIFFERENCES))
        value = 2 * right / (wanted + made) if wanted + made else 1.0
        return SetScore(
            self.name,
            value,
            n=read.n,
            failures=read.failures,
            interval=bootstrap_ratio(
                [2 * f.right for f in found],
                [f.expected + f.output for f in found],
                clusters=read.clusters,
            ),
            explanation=f"{right} of {wanted} fields right{f'; most errors: {worst}' if worst else ''}",
            metadata={
                "precision": right / made if made else float("nan"),
                "recall": right / wanted if wanted else float("nan"),
                "errors_by_field": dict(by_field.most_common()),
            },
        )

    def _compare(self, output: Any, expected: Any) -> Comparison | Failure:
        for side, value in (("output", output), ("expected", expected)):
            if not isinstance(value, Mapping | list):
                problem = f"{side} is {type(value).__name__}, not an object or a list; parse the answer first"
                return self.failure(FailureKind.UNPARSABLE, problem)
        try:
            return compare_fields(
                output, expected, case_sensitive=self.case_sensitive, normalization=self.normalization
            )
        except TypeError as error:
            return self.failure(FailureKind.UNPARSABLE, str(error))


def _explain(found: Comparison) -> str:
    if not found.expected and not found.output:
        return "no field was expected, and none was given"
    head = f"{found.right} of {found.expected} fields right"
    if not found.differences:
        return head
    shown = ", ".join(map(_describe, found.differences[:_SHOWN_DIFFERENCES]))
    return f"{head}: {shown}{', ...' if len(found.differences) > _SHOWN_DIFFERENCES else ''}"


def _describe(difference: Difference) -> str:
    if difference.output is None:
        return f"{difference.field} is missing"
    if difference.expected is None:
        return f"{difference.field} {difference.output!r} was not asked for"
    return f"{difference.field} {difference.output!r} instead of {difference.expected!r}"
