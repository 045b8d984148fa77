"""A caption and its references: read from cases, and tokenised."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from vlmops.evaluators.captions.ptb import ptb_tokenize
from vlmops.evaluators.documents.text import as_text
from vlmops.evaluators.evaluator import MISSING, select
from vlmops.evaluators.failure import Failure, FailureKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.evaluators.case import Case
    from vlmops.evaluators.score import SetScore

Tokenizer = Literal["ptb", "spaces", "none"]
"""How a caption becomes words: as pycocoevalcap does it, at white space, or not at all."""


@dataclass(frozen=True, slots=True)
class CaptionSet:
    """The captions of a run that can be used.

    Attributes:
        candidates: One per usable case, tokenised.
        references: Their references, tokenised.
        failures: How many cases could not be used.
    """

    candidates: list[str]
    references: list[list[str]]
    failures: int


def tokenized(text: str, tokenizer: Tokenizer) -> str:
    """The text as a measure over words takes it: words between single spaces.

    Example:
        >>> tokenized("A dog  runs.", "ptb"), tokenized("A dog  runs.", "spaces")
        ('a dog runs', 'A dog runs.')
    """
    if tokenizer == "ptb":
        return ptb_tokenize(text)
    return " ".join(text.split()) if tokenizer == "spaces" else text


def read_captions(output: Any, expected: Any) -> tuple[str, list[str]]:
    """A caption and its references; ``expected`` may be one caption or a list of them.

    Raises:
        ValueError: A side is not text, or there is no reference; the message names the side.

    Example:
        >>> read_captions("a dog", "the dog")
        ('a dog', ['the dog'])
    """
    captions = list(expected) if isinstance(expected, list | tuple) else [expected]
    if not captions:
        raise ValueError("expected: the list of reference captions is empty")
    try:
        candidate = as_text(output)
    except TypeError as error:
        raise ValueError(f"output: {error}") from error
    try:
        return candidate, [as_text(caption) for caption in captions]
    except TypeError as error:
        raise ValueError(f"expected: {error}") from error


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


def read_set(
    cases: Sequence[Case], *, key: str | None, expected_key: str | None, tokenizer: Tokenizer
) -> CaptionSet:
    """The captions of all cases that have one and references to it; the others are counted."""
    found = CaptionSet([], [], 0)
    for case in cases:
        output = None if isinstance(case.output, Failure) else select(case.output, key)
        expected = select(case.expected, key if expected_key is None else expected_key)
        if output is None or output is MISSING or expected is None or expected is MISSING:
            continue
        try:
            candidate, references = read_captions(output, expected)
        except ValueError:
            continue
        found.candidates.append(tokenized(candidate, tokenizer))
        found.references.append([tokenized(reference, tokenizer) for reference in references])
    return CaptionSet(found.candidates, found.references, len(cases) - len(found.candidates))


@dataclass(frozen=True, kw_only=True)
class CaptionSetEvaluator(ABC):
    """Base of measures that only a set of captions has.

    Attributes:
        name: Name of the score, or the common prefix of several.
        key: Dotted path of the caption, in ``output`` and in ``expected`` alike; the whole when ``None``.
        expected_key: The same for ``expected`` alone.
    """

    default_name: ClassVar[str]

    name: str = ""
    key: str | None = None
    expected_key: str | None = None
    tokenizer: Tokenizer = "ptb"

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.default_name)

    def applies(self, case: Case) -> bool:
        """Whether the case has references; one without is no failure of anybody."""
        expected = select(case.expected, self.key if self.expected_key is None else self.expected_key)
        return expected is not None and expected is not MISSING

    def evaluate_set(self, cases: Sequence[Case]) -> SetScore | list[SetScore] | Failure:
        """Score all captions together; cases without a caption or references are counted in ``failures``."""
        read = read_set(cases, key=self.key, expected_key=self.expected_key, tokenizer=self.tokenizer)
        if not read.candidates:
            problem = f"none of the {len(cases)} cases has a caption and references to compare it with"
            return Failure(FailureKind.MISSING_EXPECTED, problem, evaluator=self.name)
        return self.score(read)

    @abstractmethod
    def score(self, captions: CaptionSet) -> SetScore | list[SetScore]:
        """Score captions, of which there is at least one."""
