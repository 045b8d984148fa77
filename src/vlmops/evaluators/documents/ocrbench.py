"""The scores of OCRBench (Liu et al. 2023, arXiv:2305.07895) and OCRBench v2 (arXiv:2501.00321)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.documents.anls import right_answers
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score
from vlmops.evaluators.text import as_text, to_half_width

if TYPE_CHECKING:
    from collections.abc import Sequence

OcrBenchVariant = Literal["official", "lmms_eval"]
"""Which implementation of version 1 is followed: lmms-eval folds full-width characters first."""

_SHORT_ANSWER_WORDS = 5
_THRESHOLD = 0.5


def ocrbench_v1(
    output: str,
    expected: str | Sequence[str],
    *,
    formula: bool = False,
    variant: OcrBenchVariant = "official",
) -> bool:
    """Whether any right answer stands in the output, ignoring case.

    Generous by design: ``"2"`` is found in ``"12 people"``, and an empty answer in everything.

    Args:
        output: What the model wrote.
        expected: One right answer or several.
        formula: Compare as the handwritten formulas (HME100k) are: case counts, spaces do not.
        variant: ``"lmms_eval"`` reads full-width characters as plain ones.

    Example:
        >>> ocrbench_v1("The total is 12.50", "12.50")
        True
        >>> ocrbench_v1("x^2", ["X^2"], formula=True)
        False
    """
    answers = [expected] if isinstance(expected, str) else expected

    def plain(text: str) -> str:
        if formula:
            return text.strip().replace("\n", " ").replace(" ", "")
        folded = to_half_width(text) if variant == "lmms_eval" else text
        return folded.lower().strip().replace("\n", " ")

    written = plain(output)
    return any(plain(answer) in written for answer in answers)


def ocrbench_v2(output: str | float, expected: str | Sequence[str | float]) -> float:
    """Score of a text answer in OCRBench v2, 0 to 1; more is better.

    A right answer of fewer than five words scores 1 if it stands in the output; a longer one scores its
    similarity ``1 - edits / longer length`` if that is at least 0.5. As in the reference, a single string
    (not a list) is read otherwise: if short and not found it scores its similarity; if long, 0.

    Raises:
        TypeError: ``expected`` is a single string and ``output`` is not text.

    Example:
        >>> ocrbench_v2("a b c e", ["a b c d"])
        0.0
        >>> ocrbench_v2("7 apples", [7])
        1.0
    """
    if isinstance(expected, str):
        if not isinstance(output, str):
            raise TypeError(f"output is {type(output).__name__}, which only a list of answers allows")
        written, answer = _plain(output), _plain(expected)
        if not _is_short(answer):
            return 0.0
        return 1.0 if answer in written else _similarity(written, answer)
    written = _plain(str(output))
    return max((_score(written, _plain(str(answer))) for answer in expected), default=0.0)


@register("ocrbench_v1")
@dataclass(frozen=True, kw_only=True)
class OcrBenchV1(ComparisonEvaluator):
    """Whether a right answer stands in the output (OCRBench).

    Attributes:
        formula: Compare as handwritten formulas are: case counts, spaces do not.
        variant: Which implementation to follow.

    Example:
        >>> from vlmops.evaluators import Case
        >>> OcrBenchV1().evaluate(Case(output="It says CENTRE.", expected=["centre"])).value
        True
    """

    default_name: ClassVar[str] = "ocrbench_v1"

    formula: bool = False
    variant: OcrBenchVariant = "official"

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one answer."""
        try:
            written, answers = as_text(output), right_answers(expected)
        except TypeError as error:
            return self.failure(FailureKind.UNPARSABLE, str(error))
        found = ocrbench_v1(written, answers, formula=self.formula, variant=self.variant)
        return Score(self.name, found, f"{'one' if found else 'none'} of {answers!r} stands in the output")


@register("ocrbench_v2")
@dataclass(frozen=True, kw_only=True)
class OcrBenchV2(ComparisonEvaluator):
    """Short answers by containment, long ones by similarity (OCRBench v2), 0 to 1; more is better.

    Example:
        >>> from vlmops.evaluators import Case
        >>> OcrBenchV2().evaluate(Case(output="7 apples", expected=[7])).value
        1.0
    """

    default_name: ClassVar[str] = "ocrbench_v2"

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one answer."""
        try:
            written, answers = as_text(output), right_answers(expected)
        except TypeError as error:
            return self.failure(FailureKind.UNPARSABLE, str(error))
        value = ocrbench_v2(written, answers)
        kind = "contained" if value == 1 else "similar" if value else "not found"
        return Score(self.name, value, f"{kind}: right answers {answers!r}")


def _plain(text: str) -> str:
    return text.lower().strip().replace("\n", " ")


def _is_short(answer: str) -> bool:
    return len(answer.split()) < _SHORT_ANSWER_WORDS


def _score(written: str, answer: str) -> float:
    if _is_short(answer):
        return 1.0 if answer in written else 0.0
    return _similarity(written, answer)


def _similarity(written: str, answer: str) -> float:
    from rapidfuzz.distance import Levenshtein

    longer = max(len(written), len(answer))
    similarity = 1 - (Levenshtein.distance(written, answer) / longer if longer else 0.0)
    return similarity if similarity >= _THRESHOLD else 0.0
