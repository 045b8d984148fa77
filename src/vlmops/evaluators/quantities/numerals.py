"""Numbers written in figures or in English words."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

DecimalMark = Literal[".", ","]
"""The sign between whole and fractional part."""

SMALL_NUMBERS = {
    "zero": 0,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "thirteen": 13,
    "fourteen": 14,
    "fifteen": 15,
    "sixteen": 16,
    "seventeen": 17,
    "eighteen": 18,
    "nineteen": 19,
}
TENS = {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
GROUPS = {"hundred": 100.0, "dozen": 12.0}
"""Words that multiply what stands before them, within a scale."""

_SPACED_GROUP = re.compile(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))")
_VULGAR = re.compile(r"(\d*)\s?([\u00bc-\u00be\u2150-\u215e])")
_MINUS_SIGNS = str.maketrans("\u2212\uff0d\u2013\u2014", "----")


def plain_figures(text: str) -> str:
    """The text in Unicode NFKC with ASCII digits, minus signs and group marks, and fractions as decimals.

    Example:
        >>> plain_figures("１２３ m² − ٥, 2½")
        '123 m2 - 5, 2.5'
    """
    grouped = _SPACED_GROUP.sub("'", text)
    decimal = _VULGAR.sub(_as_decimal, grouped).translate(_MINUS_SIGNS)
    return "".join(map(_as_ascii_digit, unicodedata.normalize("NFKC", decimal)))


def figure_value(figure: str, decimal_mark: DecimalMark | None = ".") -> float | None:
    """The value of a number in figures, whichever way thousands and decimals are marked.

    With two kinds of marks the last one is decimal; a mark that stands twice marks thousands; so do an
    apostrophe and an underscore. A
    single mark before exactly three digits could be either: then ``decimal_mark`` decides.

    Args:
        figure: Digits with ``.``, ``,``, ``'`` or ``_`` between them, with sign and exponent; no white space.
        decimal_mark: The decimal sign to assume where both readings are possible.

    Returns:
        The value; ``None`` when it could be read in two ways and ``decimal_mark`` is ``None``, or when marks
        contradict each other.

    Example:
        >>> figure_value("1,200.50"), figure_value("1.200,50"), figure_value("1'200"), figure_value("12,5")
        (1200.5, 1200.5, 1200.0, 12.5)
        >>> figure_value("1,200"), figure_value("1,200", ","), figure_value("1,200", None)
        (1200.0, 1.2, None)
    """
    mantissa, exponent, power = figure.replace("'", "").replace("_", "").lower().partition("e")
    mark = _decimal_mark(mantissa, decimal_mark)
    if mark is None:
        return None
    grouping = "," if mark == "." else "."
    whole, _, fraction = mantissa.partition(mark)
    if grouping in fraction or (grouping in whole and not _is_grouped(whole, grouping)):
        return None
    return float(f"{whole.replace(grouping, '') or '0'}.{fraction or '0'}{exponent}{power}")


def words_value(words: Sequence[str]) -> float | None:
    """The value of a number in English words; ``None`` when they are not one number.

    Example:
        >>> words_value(["one", "hundred", "and", "twenty", "one"]), words_value(["half", "a", "dozen"])
        (121.0, 6.0)
        >>> words_value(["two", "and", "a", "half"]), words_value(["three", "point", "one", "four"])
        (2.5, 3.14)
        >>> words_value(["two", "three"]) is None
        True
    """
    tokens = list(words)
    if tokens[:2] == ["half", "a"] and tokens[2:] and tokens[2] in {**GROUPS, **SCALES}:
        whole = words_value(["one", *tokens[2:]])
        return None if whole is None else whole / 2
    if tokens[-3:] == ["and", "a", "half"] and len(tokens) > 3:
        whole = words_value(tokens[:-3])
        return None if whole is None else whole + 0.5
    if "point" in tokens:
        return _pointed_value(tokens)
    return _whole_value(tokens)


def _whole_value(words: Sequence[str]) -> float | None:
    total, current = 0.0, 0.0
    # What may follow must be less than this: "twenty one" is a number, "one twenty" and "two three" are not.
    room: float = float("inf")
    scale_room = float("inf")
    for position, word in enumerate(words):
        if word in ("a", "an"):
            if position or len(words) == 1:
                return None
            current, room = 1.0, 0.0
        elif word == "and":
            if position in (0, len(words) - 1) or words[position - 1] not in {**GROUPS, **SCALES}:
                return None
        elif word in SMALL_NUMBERS or word in TENS:
            value = float(SMALL_NUMBERS.get(word, TENS.get(word, 0)))
            if value >= room:
                return None
            current += value
            room = 10.0 if word in TENS else 0.0
        elif word in GROUPS:
            if current >= 100 or current == 0:
                return None
            current *= GROUPS[word]
            room = 100.0 if word == "hundred" else 0.0
        elif word in SCALES:
            if current == 0 or SCALES[word] >= scale_room:
                return None
            total, current = total + current * SCALES[word], 0.0
            room, scale_room = 1000.0, SCALES[word]
        else:
            return None
    return total + current if words else None


def _pointed_value(tokens: Sequence[str]) -> float | None:
    at = tokens.index("point")
    whole = _whole_value(tokens[:at]) if at else 0.0
    digits = [SMALL_NUMBERS.get(token, 10) for token in tokens[at + 1 :]]
    if whole is None or not digits or max(digits) > 9:
        return None
    return float(f"{whole:.0f}.{''.join(map(str, digits))}")


def _decimal_mark(mantissa: str, preferred: DecimalMark | None) -> DecimalMark | None:
    commas, points = mantissa.count(","), mantissa.count(".")
    if commas and points:
        return "." if mantissa.rindex(".") > mantissa.rindex(",") else ","
    if commas + points == 0:
        return "."
    mark, other = (",", ".") if commas else (".", ",")
    if commas + points > 1:
        return "." if other == "." else ","
    whole, _, fraction = mantissa.lstrip("+-").partition(mark)
    could_group = len(fraction) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0")
    if could_group:
        return preferred
    return "," if mark == "," else "."


def _is_grouped(whole: str, mark: str) -> bool:
    first, *rest = whole.lstrip("+-").split(mark)
    return 1 <= len(first) <= 3 and all(len(group) == 3 for group in rest)


def _as_decimal(match: re.Match[str]) -> str:
    value = (int(match.group(1)) if match.group(1) else 0) + unicodedata.numeric(match.group(2))
    return f"{value:.10g}"


def _as_ascii_digit(character: str) -> str:
    digit = unicodedata.decimal(character, None)
    return character if digit is None or character.isascii() else str(digit)
