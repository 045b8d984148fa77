"""Character and word error rate of transcriptions, as jiwer 4 defines them."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Direction, Score, SetScore
from vlmops.evaluators.text import Normalization, as_text, fold, shortened
from vlmops.field_names import shallow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vlmops.evaluators.case import Case

_WHITESPACE_RUN = re.compile(r"\s\s+")
_SHOWN_DIFFERENCES = 3
_SHOWN_LENGTH = 20


@dataclass(frozen=True, slots=True)
class EditCounts:
    """A minimal alignment of an output with its reference, counted; counts of several texts add up.

    Attributes:
        hits: Units (characters or words) that agree.
        substitutions: Units that were read as another one.
        deletions: Units of the reference that the output lacks.
        insertions: Units of the output that the reference lacks.

    Example:
        >>> counts = EditCounts(hits=2, substitutions=1) + EditCounts(hits=2, insertions=1)
        >>> counts.edits, counts.error_rate
        (2, 0.4)
    """

    hits: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    def __add__(self, other: EditCounts) -> EditCounts:
        return EditCounts(
            self.hits + other.hits,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )

    @property
    def edits(self) -> int:
        """Substitutions, deletions and insertions together."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def reference_length(self) -> int:
        """Units in the reference."""
        return self.hits + self.substitutions + self.deletions

    @property
    def output_length(self) -> int:
        """Units in the output."""
        return self.hits + self.substitutions + self.insertions

    @property
    def error_rate(self) -> float:
        """Edits per unit of the reference, 0 to infinity; with an empty reference, the insertions."""
        return self.edits / self.reference_length if self.reference_length else float(self.insertions)

    @property
    def match_error_rate(self) -> float:
        """MER: share of aligned pairs that are wrong, 0 to 1; 0 when both are empty."""
        pairs = self.reference_length + self.insertions
        return self.edits / pairs if pairs else 0.0

    @property
    def information_preserved(self) -> float:
        """WIP (Morris et al. 2004): hits/reference times hits/output, 0 to 1; 1 when both are empty."""
        if not self.reference_length and not self.output_length:
            return 1.0
        if not self.reference_length or not self.output_length:
            return 0.0
        return (self.hits / self.reference_length) * (self.hits / self.output_length)

    @property
    def information_lost(self) -> float:
        """WIL: one minus :attr:`information_preserved`."""
        return 1.0 - self.information_preserved


def words(text: str) -> list[str]:
    r"""Words as jiwer 4 splits them: runs of white space become one space, then split on spaces.

    A lone tab or line break does not separate words: only runs of two and more become a space.

    Example:
        >>> words("  invoice  total\n12")
        ['invoice', 'total\n12']
    """
    return [word for word in _WHITESPACE_RUN.sub(" ", text).strip().split(" ") if word]


def character_error_rate(output: str, expected: str) -> float:
    """Edits per character of ``expected``: 0 is perfect, lower is better, may exceed 1.

    Code points count, white space at both ends does not, nothing else is normalised (jiwer 4). With an
    empty reference the value is the number of characters of the output.

    Example:
        >>> character_error_rate("tota1", "total")
        0.2
        >>> character_error_rate("abc", "")
        3.0
    """
    return _rate(output.strip(), expected.strip())


def word_error_rate(output: str, expected: str) -> float:
    """Edits per word of ``expected``: 0 is perfect, lower is better, may exceed 1.

    Words are those of :func:`words` (jiwer 4). With an empty reference the value is the number of words.

    Example:
        >>> word_error_rate("invoice total 1250", "invoice total 12.50")
        0.3333333333333333
    """
    return _rate(words(output), words(expected))


def character_edits(output: str, expected: str) -> EditCounts:
    """Hits, substitutions, deletions and insertions of characters, white space at both ends left out.

    Example:
        >>> character_edits("helo", "hello").deletions
        1
    """
    return _align(output.strip(), expected.strip())


def word_edits(output: str, expected: str) -> EditCounts:
    """Hits, substitutions, deletions and insertions of words.

    Example:
        >>> word_edits("a x c", "a b c").hits
        2
    """
    return _align(words(output), words(expected))


def corpus_error_rate(counts: Iterable[EditCounts]) -> float:
    """Micro error rate of a corpus: all edits per unit of all references, not a mean of rates.

    Example:
        >>> corpus_error_rate([word_edits("a x c", "a b c"), word_edits("d e f", "d e")])
        0.4
    """
    return sum(counts, EditCounts()).error_rate


@dataclass(frozen=True, kw_only=True)
class _ErrorRate(ComparisonEvaluator):
    """What CER and WER share.

    Attributes:
        case_sensitive: Whether upper and lower case differ.
        normalization: Unicode form to bring both sides to first; ``None`` compares code points as they are.
    """

    unit: ClassVar[str]
    direction: ClassVar[Direction] = "minimize"

    case_sensitive: bool = True
    normalization: Normalization | None = None

    @abstractmethod
    def units(self, text: str) -> str | list[str]:
        """The units that are aligned."""

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one transcription."""
        pair = self._pair(output, expected)
        if isinstance(pair, Failure):
            return pair
        counts = _align(*pair)
        return Score(
            self.name,
            counts.error_rate,
            self._explain(counts, *pair),
            self.direction,
            range=(0.0, float("inf")),
            metadata=shallow(counts),
        )

    def evaluate_set(self, cases: Sequence[Case]) -> SetScore | Failure:
        """Micro rate over all cases: all edits per unit of all references, with a bootstrap interval."""
        from vlmops.statistics import bootstrap_ratio

        read = self.read_pairs(cases, self._counts)
        if isinstance(read, Failure):
            return read
        total = sum(read.values, EditCounts())
        edits, lengths = [c.edits for c in read.values], [c.reference_length for c in read.values]
        return SetScore(
            self.name,
            total.error_rate,
            n=read.n,
            failures=read.failures,
            interval=bootstrap_ratio(edits, lengths, clusters=read.clusters),
            explanation=f"{total.edits} edits in {total.reference_length} {self.unit}s of {read.n} texts",
            direction=self.direction,
            range=(0.0, float("inf")),
            metadata=shallow(total),
        )

    def _counts(self, output: Any, expected: Any) -> EditCounts | Failure:
        pair = self._pair(output, expected)
        return pair if isinstance(pair, Failure) else _align(*pair)

    def _pair(self, output: Any, expected: Any) -> tuple[str | list[str], str | list[str]] | Failure:
        sides: list[str | list[str]] = []
        for side, value in (("output", output), ("expected", expected)):
            try:
                text = as_text(value)
            except TypeError as error:
                return self.failure(FailureKind.UNPARSABLE, f"{side}: {error}")
            folded = fold(text, case_sensitive=self.case_sensitive, normalization=self.normalization)
            sides.append(self.units(folded))
        return sides[0], sides[1]

    def _explain(self, counts: EditCounts, output: str | list[str], expected: str | list[str]) -> str:
        if not counts.edits:
            return f"all {counts.reference_length} {self.unit}s agree"
        differences = Counter(_differences(output, expected)).most_common()
        shown = [
            f"{text} ({times} times)" if times > 1 else text
            for text, times in differences[:_SHOWN_DIFFERENCES]
        ]
        rest = ", ..." if len(differences) > _SHOWN_DIFFERENCES else ""
        head = f"{counts.edits} of {counts.reference_length} {self.unit}s differ"
        return f"{head}: {', '.join(shown)}{rest}"


@register("cer")
@dataclass(frozen=True, kw_only=True)
class CharacterErrorRate(_ErrorRate):
    """Edits per character of the expected text; 0 is perfect, lower is better.

    One case gives its rate; a set gives the micro rate, in which long texts weigh more. Characters are
    code points; white space at both ends does not count. Definition: jiwer 4.

    Attributes:
        case_sensitive: Whether upper and lower case differ.
        normalization: Unicode form to bring both sides to first (``"NFC"`` where accents may be written
            in two ways, ``"NFKC"`` to read ligatures and full-width digits as plain ones).

    Example:
        >>> from vlmops.evaluators import Case
        >>> score = CharacterErrorRate().evaluate(Case(output="tota1", expected="total"))
        >>> score.value, score.explanation
        (0.2, "1 of 5 characters differ: 'l' read as '1'")
    """

    default_name: ClassVar[str] = "cer"
    unit: ClassVar[str] = "character"

    def units(self, text: str) -> str:
        """The text without white space at both ends."""
        return text.strip()


@register("wer")
@dataclass(frozen=True, kw_only=True)
class WordErrorRate(_ErrorRate):
    """Edits per word of the expected text; 0 is perfect, lower is better.

    One case gives its rate; a set gives the micro rate. Definition: jiwer 4. In scripts without spaces
    between words use :class:`CharacterErrorRate`.

    Attributes:
        case_sensitive: Whether upper and lower case differ.
        normalization: Unicode form to bring both sides to first.

    Example:
        >>> from vlmops.evaluators import Case
        >>> WordErrorRate().evaluate(Case(output="due 3 May", expected="due 8 May")).explanation
        "1 of 3 words differ: '8' read as '3'"
    """

    default_name: ClassVar[str] = "wer"
    unit: ClassVar[str] = "word"

    def units(self, text: str) -> list[str]:
        """The words."""
        return words(text)


def _rate(output: Sequence[str], expected: Sequence[str]) -> float:
    from rapidfuzz.distance import Levenshtein

    edits = Levenshtein.distance(expected, output)
    return edits / len(expected) if expected else float(edits)


def _align(output: Sequence[str], expected: Sequence[str]) -> EditCounts:
    from rapidfuzz.distance import Levenshtein

    if output == expected:
        return EditCounts(hits=len(expected))
    tags = Counter(operation.tag for operation in Levenshtein.editops(expected, output))
    substitutions, deletions = tags["replace"], tags["delete"]
    return EditCounts(
        hits=len(expected) - substitutions - deletions,
        substitutions=substitutions,
        deletions=deletions,
        insertions=tags["insert"],
    )


def _differences(output: str | list[str], expected: str | list[str]) -> Iterable[str]:
    from rapidfuzz.distance import Levenshtein

    for operation in Levenshtein.opcodes(expected, output):
        wanted = expected[operation.src_start : operation.src_end]
        got = output[operation.dest_start : operation.dest_end]
        if operation.tag == "replace":
            # One by one, so that the same confusion in several places is counted together.
            yield from (f"{_quote(w)} read as {_quote(g)}" for w, g in zip(wanted, got, strict=True))
        elif operation.tag == "delete":
            yield f"{_quote(wanted)} missing"
        elif operation.tag == "insert":
            yield f"{_quote(got)} added"


def _quote(units: str | list[str]) -> str:
    text = units if isinstance(units, str) else " ".join(units)
    return repr(shortened(text, _SHOWN_LENGTH))
