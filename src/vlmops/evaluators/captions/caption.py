"""A caption and its references: read from cases, and tokenised."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from vlmops.evaluators.bases import PairReader
from vlmops.evaluators.captions.ptb import ptb_tokenize
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.text import as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.evaluators.bases import Readings
    from vlmops.evaluators.case import Case
    from vlmops.evaluators.score import SetScore

Tokenizer = Literal["ptb", "spaces", "none"]
"""How a caption becomes words: as pycocoevalcap does it, at white space, or not at all."""

Captioned = tuple[str, list[str]]
"""A caption and its references."""


def tokenized(text: str, tokenizer: Tokenizer) -> str:
    """The text as a measure over words takes it: words between single spaces.

    Example:
        >>> tokenized("A dog  runs.", "ptb"), tokenized("A dog  runs.", "spaces")
        ('a dog runs', 'A dog runs.')
    """
    if tokenizer == "ptb":
        return ptb_tokenize(text)
    return " ".join(text.split()) if tokenizer == "spaces" else text


def check_aligned(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> None:
    """Raise where captions and references do not belong together.

    Raises:
        ValueError: There are no captions, the two differ in length, or a picture has no reference.

    Example:
        >>> check_aligned(["a dog"], [["the dog", "a brown dog"]])
    """
    if len(candidates) != len(references):
        raise ValueError(f"{len(candidates)} captions for {len(references)} lists of references")
    if not candidates:
        raise ValueError("there are no captions to score")
    for index, captions in enumerate(references):
        if isinstance(captions, str) or not captions:
            raise ValueError(
                f"references[{index}]: a list of one or more captions is needed, not {captions!r}"
            )


@dataclass(frozen=True, kw_only=True)
class CaptionReader(PairReader):
    """Base of evaluators that read a caption and its references; ``expected`` is one caption or a list."""

    def read(self, output: Any, expected: Any) -> Captioned | Failure:
        """A caption and its references, or the failure that says which side is not text."""
        captions = list(expected) if isinstance(expected, list | tuple) else [expected]
        if not captions:
            return self.failure(FailureKind.MISSING_EXPECTED, "expected: the list of captions is empty")
        try:
            references = [as_text(caption) for caption in captions]
        except TypeError as error:
            return self.failure(FailureKind.MISSING_EXPECTED, f"expected: {error}")
        try:
            return as_text(output), references
        except TypeError as error:
            return self.failure(FailureKind.UNPARSABLE, f"output: {error}")


@dataclass(frozen=True, kw_only=True)
class CaptionSetEvaluator(CaptionReader):
    """Base of measures that only a set of captions has.

    Attributes:
        tokenizer: How a caption becomes words.
    """

    tokenizer: Tokenizer = "ptb"

    def evaluate_set(self, cases: Sequence[Case]) -> SetScore | list[SetScore] | Failure:
        """Score all captions together; cases without a caption or references are counted in ``failures``."""
        read = self.read_pairs(cases, self._tokenized)
        return read if isinstance(read, Failure) else self.score(read)

    @abstractmethod
    def score(self, captions: Readings[Captioned]) -> SetScore | list[SetScore]:
        """Score tokenised captions."""

    def _tokenized(self, output: Any, expected: Any) -> Captioned | Failure:
        pair = self.read(output, expected)
        if isinstance(pair, Failure):
            return pair
        candidate, references = pair
        return tokenized(candidate, self.tokenizer), [tokenized(r, self.tokenizer) for r in references]
