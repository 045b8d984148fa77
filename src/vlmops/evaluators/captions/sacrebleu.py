"""BLEU as sacreBLEU computes it by default, on untokenised text (Post 2018)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from vlmops.evaluators.captions.bleu import BleuCounts, bleu_counts, bleu_intervals, total_counts
from vlmops.evaluators.captions.caption import Captioned, CaptionSetEvaluator, Tokenizer, check_aligned
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import SetScore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.evaluators.bases import Readings

_ORDERS = 4
_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
_SEPARATED = (
    (re.compile(r"([\{-\~\[-\` -\&\(-\+\:-\@\/])"), r" \1 "),
    (re.compile(r"([^0-9])([\.,])"), r"\1 \2 "),
    (re.compile(r"([\.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)


def tokenize_13a(text: str) -> str:
    """Words and marks between single spaces, as WMT's ``mteval-v13a`` and sacreBLEU split them.

    Example:
        >>> tokenize_13a("A dog, 1.5 m tall.")
        'A dog , 1.5 m tall .'
    """
    text = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    text = f" {text} "
    for pattern, replacement in _SEPARATED:
        text = pattern.sub(replacement, text)
    return " ".join(text.split())


def sacre_bleu(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Corpus BLEU of untokenised text, **0 to 100**, higher is better.

    sacreBLEU's defaults: case matters, ``13a`` tokens, runs of one to four words, exponential smoothing of
    orders without a match, length of the closest reference. 0 where the texts are too short to hold a run of
    four words.

    Raises:
        ValueError: There are no texts, the two differ in length, or one has no reference.

    Example:
        >>> sacre_bleu(["a dog runs in the park"], [["a dog runs in the park"]])
        100.00000000000004
    """
    check_aligned(candidates, references)
    return sacre_bleu_of_counts(
        total_counts([_counts(c, r) for c, r in zip(candidates, references, strict=True)])
    )


def _counts(candidate: str, references: Sequence[str]) -> BleuCounts:
    return bleu_counts(
        tokenize_13a(candidate), [tokenize_13a(reference) for reference in references], _ORDERS
    )


def sacre_bleu_of_counts(counts: BleuCounts) -> float:
    """BLEU from summed counts, 0 to 100.

    Example:
        >>> sacre_bleu_of_counts(BleuCounts(2, 2, (2, 1, 0, 0), (2, 1, 0, 0)))
        0.0
    """
    if not any(counts.matches) or not all(counts.guesses):
        return 0.0
    smoothing, logs = 1.0, 0.0
    for matched, guessed in zip(counts.matches, counts.guesses, strict=True):
        if not matched:
            smoothing *= 2
        logs += math.log(100 * matched / guessed if matched else 100 / (smoothing * guessed))
    short = counts.length < counts.reference_length
    penalty = math.exp(1 - counts.reference_length / counts.length) if short else 1.0
    return penalty * math.exp(logs / len(counts.matches))


@register("sacrebleu")
@dataclass(frozen=True, kw_only=True)
class SacreBleu(CaptionSetEvaluator):
    """BLEU of all texts together as sacreBLEU gives it: 0 to 100, higher is better.

    ``expected`` is a text or a list of them; nothing need be tokenised. For translations, descriptions and
    reports; for captions ``bleu`` gives the figures that caption papers print.

    Attributes:
        tokenizer: Applied before sacreBLEU's own ``13a``; leave it at ``"none"``.

    Example:
        >>> from vlmops.evaluators import Case
        >>> cases = [Case(output="The sky is blue.", expected="The sky is blue!")]
        >>> round(SacreBleu().evaluate_set(cases).value)
        67
    """

    default_name: ClassVar[str] = "sacrebleu"

    tokenizer: Tokenizer = "none"

    def score(self, captions: Readings[Captioned]) -> SetScore:
        """Corpus BLEU, with a bootstrap interval over texts."""
        counts = [_counts(candidate, references) for candidate, references in captions.values]
        total = total_counts(counts)
        intervals = bleu_intervals(counts, lambda sums: [sacre_bleu_of_counts(sums)], captions.clusters)
        return SetScore(
            self.name,
            sacre_bleu_of_counts(total),
            n=captions.n,
            failures=captions.failures,
            interval=intervals[0] if intervals else None,
            explanation=f"{total.length} words against {total.reference_length}; "
            f"matching runs of 1 to 4 words: {', '.join(map(str, total.matches))}",
            range=(0.0, 100.0),
            metadata={"length": total.length, "reference_length": total.reference_length},
        )
