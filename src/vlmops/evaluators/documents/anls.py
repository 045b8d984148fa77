"""Average normalised Levenshtein similarity of answers (Biten et al. 2019, arXiv:1905.13648)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score
from vlmops.evaluators.text import as_text

AnlsVariant = Literal["paper", "anls", "anls_star", "docvqa"]
"""Which implementation is followed; they differ at the threshold and in the length divided by."""


def anls(
    output: str, expected: str | Sequence[str], *, threshold: float = 0.5, variant: AnlsVariant = "paper"
) -> float:
    """Similarity of an answer with the nearest right answer, 0 to 1; more is better.

    Both sides are lower-cased and their white space collapsed; ``NL`` is the edit distance divided by the
    longer length, and the value is ``1 - NL``, or 0 where the answer is too far off.

    Args:
        output: The answer.
        expected: One right answer, or several of which the nearest counts.
        threshold: Greatest ``NL`` that still scores.
        variant: ``"paper"`` follows the definition: ``NL`` must be below the threshold, so half right
            scores 0. ``"anls"`` is the package of that name: the same, with lengths of upper-cased text
            ("ß" counts twice). ``"anls_star"`` is anls-star 1.0.1: half right scores 0.5. ``"docvqa"`` is
            the benchmark's script as VLMEvalKit and lmms-eval run it: half right scores 0.5, and lengths
            are those of the raw upper-cased text, so that padding raises the value.

    Raises:
        ValueError: There is no expected answer.

    Example:
        >>> anls("1998", ["1999", "MCMXCIX"])
        0.75
        >>> anls("abxx", "abcd"), anls("abxx", "abcd", variant="anls_star")
        (0.0, 0.5)
    """
    answers = [expected] if isinstance(expected, str) else list(expected)
    if not answers:
        raise ValueError("there is no expected answer to compare with")
    least = min(_normalized_distance(output, answer, variant) for answer in answers)
    if variant in ("paper", "anls"):
        return 1 - least if least < threshold else 0.0
    return 0.0 if 1 - least < threshold else 1 - least


@register("anls")
@dataclass(frozen=True, kw_only=True)
class AnswerSimilarity(ComparisonEvaluator):
    """ANLS: how near a short answer comes to one of the right answers, 0 to 1; more is better.

    ``expected`` is a string, a list of right answers or ``{"any_of": [...]}``.

    Attributes:
        threshold: Greatest normalised edit distance that still scores.
        variant: Which implementation to follow, see :func:`anls`.

    Example:
        >>> from vlmops.evaluators import Case
        >>> score = AnswerSimilarity().evaluate(Case(output="12 Main St.", expected=["12 Main St", "Main"]))
        >>> round(score.value, 3), score.explanation
        (0.909, "nearest right answer: '12 Main St'")
    """

    default_name: ClassVar[str] = "anls"

    threshold: float = 0.5
    variant: AnlsVariant = "paper"

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one answer."""
        try:
            answer = as_text(output)
            right = right_answers(expected)
        except TypeError as error:
            return self.failure(FailureKind.UNPARSABLE, str(error))
        if not right:
            return self.failure(FailureKind.MISSING_EXPECTED, "the list of right answers is empty")
        nearest = min(right, key=lambda option: _normalized_distance(answer, option, self.variant))
        value = anls(answer, right, threshold=self.threshold, variant=self.variant)
        far = f" is too far off (threshold {self.threshold:g})" if not value else ""
        return Score(self.name, value, f"nearest right answer: {nearest!r}{far}")


def right_answers(expected: Any) -> list[str]:
    """The right answers as text: of a scalar, a list or ``{"any_of": [...]}``.

    Raises:
        TypeError: An answer is neither text nor a number.

    Example:
        >>> right_answers({"any_of": ["12", 12.5]})
        ['12', '12.5']
    """
    if isinstance(expected, Mapping) and set(expected) == {"any_of"}:
        expected = expected["any_of"]
    options = expected if isinstance(expected, list | tuple) else [expected]
    return [as_text(option) for option in options]


def _normalized_distance(output: str, expected: str, variant: AnlsVariant) -> float:
    from rapidfuzz.distance import Levenshtein

    got, wanted = _collapsed(output), _collapsed(expected)
    if variant == "anls":
        longer = max(len(got.upper()), len(wanted.upper()))
    elif variant == "docvqa":
        longer = max(len(output.upper()), len(expected.upper()))
    else:
        longer = max(len(got), len(wanted))
    return Levenshtein.distance(got, wanted) / longer if longer else 0.0


def _collapsed(text: str) -> str:
    return " ".join(text.strip().lower().split())
