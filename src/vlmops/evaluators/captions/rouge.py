"""ROUGE-L of captions: the longest common subsequence of words, as pycocoevalcap weighs it (Lin 2004)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.captions.caption import CaptionReader, Tokenizer, tokenized
from vlmops.evaluators.failure import Failure
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score

if TYPE_CHECKING:
    from collections.abc import Sequence

_BETA = 1.2


def rouge_l(candidate: str, references: Sequence[str], beta: float = _BETA) -> float:
    """ROUGE-L of one tokenised caption, 0 to 1, higher is better.

    F-measure of precision and recall of the longest common subsequence of words; the best precision and the
    best recall count, though they may come from different references. Words are split at single spaces, so
    that two empty captions agree (1.0). (pycocoevalcap, beta 1.2.)

    Raises:
        ValueError: There is no reference.

    Example:
        >>> rouge_l("a dog runs", ["a dog sleeps", "the dog runs home"])
        0.6666666666666666
    """
    from rapidfuzz.distance import LCSseq

    if not references:
        raise ValueError("ROUGE-L needs at least one reference caption")
    words = candidate.split(" ")
    precision = recall = 0.0
    for reference in references:
        reference_words = reference.split(" ")
        common = LCSseq.similarity(words, reference_words)
        precision = max(precision, common / len(words))
        recall = max(recall, common / len(reference_words))
    if not precision or not recall:
        return 0.0
    return (1 + beta**2) * precision * recall / (recall + beta**2 * precision)


@register("rouge_l")
@dataclass(frozen=True, kw_only=True)
class RougeL(CaptionReader, ComparisonEvaluator):
    """Overlap of a caption with its references, in the order of their words; 1 is best.

    ``expected`` is a caption or a list of them. The figure of a set is the mean over its cases.

    Attributes:
        tokenizer: ``"ptb"`` as pycocoevalcap does, or ``"spaces"`` for text that is tokenised already.
        beta: Weight of recall against precision.

    Example:
        >>> from vlmops.evaluators import Case
        >>> RougeL().evaluate(Case(output="A dog runs.", expected="a dog runs")).value
        1.0
    """

    default_name: ClassVar[str] = "rouge_l"

    tokenizer: Tokenizer = "ptb"
    beta: float = _BETA

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one caption."""
        pair = self.read(output, expected)
        if isinstance(pair, Failure):
            return pair
        candidate, *references = (tokenized(text, self.tokenizer) for text in (pair[0], *pair[1]))
        value = rouge_l(candidate, references, self.beta)
        best = max(references, key=lambda reference: rouge_l(candidate, [reference], self.beta))
        return Score(self.name, value, f"closest of {len(references)}: {best!r}")
