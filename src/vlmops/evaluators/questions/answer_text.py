"""Short answers brought to one spelling, in the four ways in which VQA evaluations do it."""

from __future__ import annotations

import re
from typing import Literal

VqaVariant = Literal["official", "lmms_eval_vqav2", "lmms_eval_textvqa", "vlmevalkit"]
"""Whose rules to follow: the VQA authors' code, lmms-eval's two tasks, or VLMEvalKit."""

# Restored when a word lacks one of the apostrophes; "somebody'd" is the table's one reversed entry.
_CONTRACTED = """
ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't
haven't he'd he'd've he's how'd how'll how's isn't it'd it'd've it'll ma'am mightn't mightn't've might've
mustn't must've needn't not've o'clock oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've
somebody'd've somebody'll somebody's someone'd someone'd've someone'll someone's something'd
something'd've something'll that's there'd there'd've there're there's they'd they'd've they'll they're
they've 'twas wasn't we'd've we've weren't what'll what're what's what've when's where'd where's where've
who'd who'd've who'll who's who've why'll why're why's won't would've wouldn't wouldn't've y'all y'all'll
y'all'd've you'd you'd've you'll you're you've
"""


def _without_one_apostrophe(word: str) -> list[str]:
    return [word[:at] + word[at + 1 :] for at, character in enumerate(word) if character == "'"]


_CONTRACTIONS = {bare: word for word in _CONTRACTED.split() for bare in _without_one_apostrophe(word)}
_CONTRACTIONS["somebody'd"] = "somebodyd"
_NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_DIGITS = {word: str(value) for value, word in enumerate(_NUMBER_WORDS)} | {"none": "0"}
_ARTICLES = frozenset(("a", "an", "the"))
_PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
_COMMA_IN_NUMBER = re.compile(r"\d,\d")
_COMMAS_IN_NUMBER = re.compile(r"\d,+\d")
_PERIOD_NOT_BEFORE_DIGIT = re.compile(r"\.(?!\d)")
_PERIOD_AWAY_FROM_DIGITS = re.compile(r"(?<!\d)\.(?!\d)")
# All four pass `re.UNICODE` where `re.sub` takes the greatest number of replacements.
_PERIODS_REMOVED = int(re.UNICODE)


def normalise_answer(text: str, variant: VqaVariant = "lmms_eval_vqav2") -> str:
    """An answer as VQA accuracy compares it: lower case, no articles, digits for number words.

    Punctuation is removed where it touches a space anywhere in the text, or where the text holds a number
    with a thousands separator, and becomes a space otherwise. Contractions get their apostrophe back.
    At most 32 full stops are removed, as in all four references.

    The variants differ in this:

    - ``official`` (GT-Vision-Lab/VQA) and ``lmms_eval_vqav2`` remove every full stop that no digit follows;
      the latter also takes ``1,,000`` for a number with separators.
    - ``lmms_eval_textvqa`` first removes commas and question marks and detaches ``'s``.
    - ``vlmevalkit`` keeps a full stop after a digit (``"5."`` stays).

    Line breaks and tabs count as spaces for the latter two; for the former two :func:`vqa_accuracy` replaces
    them beforehand, as their callers do.

    Example:
        >>> normalise_answer("The two dogs.")
        '2 dogs'
        >>> normalise_answer("5.", "vlmevalkit"), normalise_answer("dont", "official")
        ('5.', "don't")
    """
    if variant == "lmms_eval_textvqa":
        text = text.lower().replace(",", "").replace("?", "").replace("'s", " 's").strip()
    if variant in ("lmms_eval_textvqa", "vlmevalkit"):
        text = single_line(text)
    return _words(strip_punctuation(text, variant))


def single_line(text: str) -> str:
    r"""Text with line feeds and tabs as spaces, and no white space at either end.

    Example:
        >>> single_line(" two\nlines ")
        'two lines'
    """
    return text.replace("\n", " ").replace("\t", " ").strip()


def strip_punctuation(text: str, variant: VqaVariant) -> str:
    """The punctuation step of :func:`normalise_answer` alone; case and words stay.

    Example:
        >>> strip_punctuation("Yes, there is.", "vlmevalkit")
        'Yes there is'
    """
    separators = _COMMA_IN_NUMBER if variant in ("official", "vlmevalkit") else _COMMAS_IN_NUMBER
    has_number = separators.search(text) is not None
    stripped = text
    for mark in _PUNCTUATION:
        if mark in text:
            touches_space = f"{mark} " in text or f" {mark}" in text
            stripped = stripped.replace(mark, "" if touches_space or has_number else " ")
    period = _PERIOD_AWAY_FROM_DIGITS if variant == "vlmevalkit" else _PERIOD_NOT_BEFORE_DIGIT
    return period.sub("", stripped, count=_PERIODS_REMOVED)


def _words(text: str) -> str:
    digits = (_DIGITS.get(word, word) for word in text.lower().split())
    return " ".join(_CONTRACTIONS.get(word, word) for word in digits if word not in _ARTICLES)
