"""Which choice an answer names: read from what it says, or not at all; never guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class ExtractedChoice:
    """The choice that an answer names.

    Attributes:
        label: Its letter as given in the choices; ``None`` when the answer names none, or several.
        reason: How it was read, or why it could not be; one line for a person.
    """

    label: str | None
    reason: str


def extract_choice(response: str, choices: Mapping[str, str]) -> ExtractedChoice:
    r"""Read the letter of the choice that an answer names.

    The first of these that finds something decides; where it finds more than one choice, none is taken:

    1. The whole answer is a letter, in any case and mark-up: ``b``, ``(B)``, ``**B**.``, ``\boxed{B}``.
    2. The answer states it: "the answer is B", "Answer: (b)", "option B is correct", "I choose B",
       ``答案是B``; the last statement counts, and "the answer is not B" is none.
    3. The first or the last line starts with a letter and a delimiter: ``B. rabbit``, ``(B) rabbit``.
    4. A letter in mark-up, or after "option" or "choice": ``(B)``, ``[B]``, ``**B**``, "option B".
    5. A capital letter alone. ``A`` before a lower-case word is an article (unless that word goes on as
       "because" or "and" do), ``I`` a pronoun.
    6. The text of a choice, in any case, as whole words; a choice inside a longer one that is found
       ("bear" in "teddy bear") does not count.

    From 4 on, what follows "not" or "neither" is left out. A letter goes before a text that
    contradicts it (``B. cat`` is B).

    Args:
        response: What the model said.
        choices: Text of each choice by its letter; texts may be empty.

    Example:
        >>> choices = {"A": "dog", "B": "rabbit", "C": "cat"}
        >>> extract_choice("The correct answer is **B**, since ...", choices)
        ExtractedChoice(label='B', reason="it states 'answer is **B**'")
        >>> extract_choice("A cat is on the mat", choices).label
        'C'
        >>> extract_choice("It could be A or B", choices)
        ExtractedChoice(label=None, reason='it names several choices: A, B')
    """
    text = _LINE_BREAKS.sub("\n", _SPACES.sub(" ", response)).strip()
    if not text:
        return ExtractedChoice(None, "the answer is empty")
    if not choices:
        return ExtractedChoice(None, "there are no choices to read it against")
    patterns = _patterns(tuple(choices))
    whole = patterns.whole.fullmatch(text)
    if whole:
        return ExtractedChoice(patterns.label(whole), "the answer is the letter")
    stated = list(patterns.stated(text))
    if stated:
        return ExtractedChoice(patterns.label(stated[-1]), f"it states {stated[-1].group().strip()!r}")
    readings = (
        (patterns.leading(text), "a line starts with the letter"),
        (patterns.marked(text), "the letter is marked"),
        (patterns.bare(text), "it is the only letter"),
        (_named_by_text(text, choices), "it names the text of the choice"),
    )
    for labels, reason in readings:
        found = sorted(set(labels))
        if len(found) == 1:
            return ExtractedChoice(found[0], reason)
        if found:
            return ExtractedChoice(None, f"it names several choices: {', '.join(found)}")
    return ExtractedChoice(None, "it names no choice, by letter or by text")


_SPACES = re.compile(r"[^\S\n]+")
_LINE_BREAKS = re.compile(r"\s*\n\s*")
_OPEN = r"[\s\*_`\"'(\[{【（<]{0,8}"
_ARTICLE_OR_PRONOUN = re.compile(
    r"'|\s+(?!(?:although|and|as|because|but|due|given|if|nor|or|since|so|though|which|while)\b)[a-z]"
)
_NEGATION = re.compile(
    r"(?:\b(?:not|neither|nor|never)|n't)\s+(?:(?:an?|be|the|option|choice)\s+)*[*(\[]*$", re.I
)
_LONGEST_NEGATION = 40
_CJK_STATEMENTS = "答案是|答案为|答案為|答案选|答案[::：]|选择|選擇|选|選|정답은|답은|답:|答えは|正解は"


class _Patterns:
    """The expressions for one set of letters; the one group that matched is the letter."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = {label.casefold(): label for label in labels}
        self._exact = frozenset(labels)
        letter = f"({'|'.join(map(re.escape, sorted(labels, key=len, reverse=True)))})"
        bounded = rf"(?<![^\W_]){letter}(?![^\W_])"
        named = r"(?:(?:option|choice|letter)\s+)?"
        self.whole = re.compile(
            rf"[\W_]*(?:(?:the|final|correct|boxed|text|answer|option|choice)\b[\W_]*){{0,6}}{bounded}"
            r"[\W_]*(?:answer[\W_]*)?",
            re.IGNORECASE,
        )
        self._stated = re.compile(
            rf"(?:(?:answer|option|choice)\s*(?:is|would\s+be|must\s+be|should\s+be|[:=：])"
            rf"|\bI(?:'d|\s+would)?\s+(?:choose|select|pick|go\s+with)|\\boxed)\s*:?\s*(?:the\s+)?{named}"
            rf"{_OPEN}{bounded}[\*)\]}}】）]*"
            rf"|(?:{_CJK_STATEMENTS})\s*{_OPEN}{letter}(?![A-Za-z0-9])",
            re.IGNORECASE,
        )
        self._judged = re.compile(
            rf"(?:option|choice)?\s*{_OPEN}{bounded}[\*)\]]*\s+is\s+(?:the\s+)?(?:correct|right|best)\b",
            re.IGNORECASE,
        )
        self._leading = re.compile(rf"{_OPEN}{letter}[\*_]*(?:[.):：\]】）]|\s+[-–—]\s)", re.IGNORECASE)
        self._marked = re.compile(
            rf"[(\[【（]\s*{letter}\s*[)\]】）]|(?<!\w)(?:\*\*|__|`)\s*{letter}[.:]?\s*(?:\*\*|__|`)"
            rf"|\b(?:option|choice|letter)\s+{bounded}",
            re.IGNORECASE,
        )
        self._bare = re.compile(bounded)

    def label(self, match: re.Match[str]) -> str:
        """The letter of a match, as the choices spell it."""
        return self._labels[next(group for group in match.groups() if group).casefold()]

    def stated(self, text: str) -> Iterator[re.Match[str]]:
        """Statements of the answer, in the order of the text."""
        found = [*self._stated.finditer(text), *self._judged.finditer(text)]
        yield from sorted((m for m in found if self._is_letter(m, text)), key=lambda match: match.end())

    def leading(self, text: str) -> Iterator[str]:
        """Letters that open the first or the last line; both, when the text lists the choices."""
        lines = [line for line in text.splitlines() if line.strip()]
        opened = [match for match in map(self._leading.match, lines) if match]
        if len({self.label(match) for match in opened}) > 1:
            yield from map(self.label, opened)
        else:
            yield from (self.label(m) for m in map(self._leading.match, (lines[0], lines[-1])) if m)

    def marked(self, text: str) -> Iterator[str]:
        """Letters in brackets or emphasis, or after "option"."""
        for match in self._marked.finditer(text):
            if self._is_letter(match, text) and not _negated(text, match.start()):
                yield self.label(match)

    def bare(self, text: str) -> Iterator[str]:
        """Letters that stand alone as the choices spell them, articles and pronouns left out."""
        for match in self._bare.finditer(text):
            if self._is_letter(match, text) and not _negated(text, match.start()):
                yield self.label(match)

    def _is_letter(self, match: re.Match[str], text: str) -> bool:
        spelled = next(group for group in match.groups() if group)
        at_word = text[match.end() - 1] == spelled[-1]
        if spelled in ("A", "I") and at_word:
            return not _ARTICLE_OR_PRONOUN.match(text, match.end())
        # "The answer is a dog": a small letter before another word is no letter of a choice.
        return spelled in self._exact or not at_word or not re.match(r"\s+[^\W\d_]", text[match.end() :])


@lru_cache(maxsize=64)
def _patterns(labels: tuple[str, ...]) -> _Patterns:
    return _Patterns(labels)


def _named_by_text(text: str, choices: Mapping[str, str]) -> Iterable[str]:
    folded = _fold(text)
    equal = [label for label, choice in choices.items() if _fold(choice) == folded and folded]
    if equal:
        return equal
    spans = {label: list(_spans(folded, _fold(choice))) for label, choice in choices.items()}
    every = [span for found in spans.values() for span in found]
    return [label for label, found in spans.items() if any(not _inside(span, every) for span in found)]


def _fold(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .,;:!?*_`\"'")


def _spans(text: str, choice: str) -> Iterator[tuple[int, int]]:
    if not choice:
        return
    before = r"(?<!\w)" if _is_word(choice[0]) else ""
    after = r"(?!\w)" if _is_word(choice[-1]) else ""
    for match in re.finditer(before + re.escape(choice) + after, text):
        if not _negated(text, match.start()):
            yield match.span()


def _negated(text: str, at: int) -> bool:
    return _NEGATION.search(text[max(0, at - _LONGEST_NEGATION) : at]) is not None


def _is_word(character: str) -> bool:
    # Chinese, Japanese and Thai write without spaces, so a boundary there means nothing.
    return character.isalnum() and ord(character) < 0x0E00


def _inside(span: tuple[int, int], others: Iterable[tuple[int, int]]) -> bool:
    return any(a <= span[0] and span[1] <= b and (a, b) != span for a, b in others)
