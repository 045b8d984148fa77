"""Open answers, numbers or short text, judged as MMMU judges them (Yue et al. 2024)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score
from vlmops.evaluators.text import as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_INDICATORS = ("could be ", "so ", "is ", "thus ", "therefore ", "final ", "answer ", "result ")
# The look-ahead never holds, the text being lower-cased by then: in effect a split at line feeds. Kept so.
_SENTENCE_END = re.compile(r"\.\s(?=[A-Z])|\n")
_TRIVIAL = frozenset(":,.!?;'")
_NUMBERS = (
    re.compile(r"-?\b\d{1,3}(?:,\d{3})+\b"),
    re.compile(r"-?\d+(?:\.\d+)?[eE][+-]?\d+"),
    re.compile(r"-?(?:\d+\.\d+|\.\d+|\d+\b)(?![eE][+-]?\d+)(?![,\d])"),
)


def parse_open_answer(response: str) -> set[str | float]:
    """What may be the answer in a response: the tails of its key sentences, and the numbers in them.

    A key sentence holds "is", "so", "answer" or the like; its tail is what follows the last of them. Without
    one the whole response counts. Numbers are rounded to two decimals; text is in lower case, and a single
    character stands with a space before or after it, so that it does not match inside a word. (MMMU's
    ``parse_open_response``.)

    Example:
        >>> sorted(parse_open_answer("The total is 3.50"), key=str)
        [3.5]
        >>> sorted(parse_open_answer("about 1e-3 m"), key=str)
        [-3.0, 0.0, 'about 1e-3 m']
    """
    tails = _key_tails(response)
    found = tails + [number for tail in tails for pattern in _NUMBERS for number in pattern.findall(tail)]
    return {value for text in found for value in _comparable(text)}


def open_answer_correct(response: str, gold: str | Sequence[str]) -> bool:
    """Whether a response gives the expected answer, or one of several.

    A number is right when equal at two decimals; text when it occurs anywhere in the key tail, word
    boundaries or not: ``"red"`` is found in "redwood", and an empty ``gold`` in every text. (MMMU's
    ``eval_open``.)

    Example:
        >>> open_answer_correct("The answer is 42.", "42.00")
        True
        >>> open_answer_correct("It is green", ["red", "blue"])
        False
    """
    return _matched(parse_open_answer(response), gold) is not None


def _key_tails(response: str) -> list[str]:
    text = response.strip().strip(".").lower()
    sentences = _SENTENCE_END.split(text)
    tails = [_tail(sentence, _INDICATORS) for sentence in sentences[:-1]]
    tails.append(_tail(sentences[-1], (*_INDICATORS, "=")))
    return [tail for tail in tails if tail and tail not in _TRIVIAL] or [text]


def _tail(sentence: str, indicators: tuple[str, ...]) -> str:
    shortest = ""
    for indicator in indicators:
        if indicator in sentence:
            tail = sentence.split(indicator)[-1].strip()
            # An empty tail is taken too, and replaced by the next indicator's.
            if not shortest or len(tail) < len(shortest):
                shortest = tail
    return shortest


def _comparable(text: str) -> list[str | float]:
    text = text.strip()
    try:
        return [round(float(text.replace(",", "")), 2)]
    except ValueError:
        text = text.lower()
    return [" " + text, text + " "] if len(text) == 1 else [text]


def _matched(parsed: set[str | float], gold: str | Sequence[str]) -> str | float | None:
    golds = [gold] if isinstance(gold, str) else gold
    wanted = [value for text in golds for value in _comparable(text)]
    for value in sorted(parsed, key=repr):
        if isinstance(value, float):
            if value in wanted:
                return value
        elif any(isinstance(text, str) and text in value for text in wanted):
            return value
    return None


@register("open_answer")
@dataclass(frozen=True, kw_only=True)
class OpenAnswer(ComparisonEvaluator):
    """Whether a free answer holds the expected number or text, by MMMU's rules.

    ``expected`` is an answer or a list of acceptable ones. Lenient: text need only occur in the answer's key
    sentence. For answers that are nothing but a number or a word, an exact or relaxed match says more.

    Example:
        >>> from vlmops.evaluators import Case
        >>> OpenAnswer().evaluate(Case(output="So x = 3.5", expected="3.50")).value
        True
    """

    default_name: ClassVar[str] = "open_answer"

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one answer."""
        try:
            response = as_text(output)
            golds = [
                as_text(gold) for gold in (expected if isinstance(expected, list | tuple) else [expected])
            ]
        except TypeError as error:
            return self.failure(FailureKind.UNPARSABLE, str(error))
        parsed = parse_open_answer(response)
        match = _matched(parsed, golds)
        read = ", ".join(sorted(map(repr, parsed)))
        found = f"{match!r} matches" if match is not None else f"none of {read} matches"
        return Score(self.name, match is not None, f"{found} {' or '.join(map(repr, golds))}")
