"""Reading one quantity out of an answer, without guessing."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.quantities.numerals import (
    GROUPS,
    SCALES,
    SMALL_NUMBERS,
    TENS,
    DecimalMark,
    figure_value,
    plain_figures,
    words_value,
)
from vlmops.evaluators.quantities.units import CURRENCIES, UNITS, unit_named
from vlmops.evaluators.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOTHING = {"none", "nothing", "nil"}
_SIGN = r"(?:(?<![\w.,%)\]])-|(?<!\w)\+)"
_FIGURE = r"(?:\d+(?:[.,'_]\d+)*|[.,]\d+)(?:[eE][+-]?\d+)?"
_SYMBOL = r"[$€£¥₹₩₺₽₴₫฿₪]"
_CURRENCY_BEFORE = rf"(?:(?:[A-Z]{{3}}|US|HK|NT|[ACRS]|Rs\.?)\s?)?{_SYMBOL}|[A-Z]{{3}}|Rs\.?"
_NUMBER_WORD = "|".join([*SMALL_NUMBERS, *TENS, *SCALES, *GROUPS])
_WORDS = rf"(?:half a |an? )?(?:{_NUMBER_WORD})(?:(?:-| and a | and | point | )(?:{_NUMBER_WORD}|half))*"
_MAGNITUDES = {
    "k": 1e3,
    "K": 1e3,
    "M": 1e6,
    "mn": 1e6,
    "B": 1e9,
    "bn": 1e9,
    **SCALES,
    "dozen": 12.0,
    "hundred": 100.0,
}
_MAGNITUDE = r"(?:[kKMB]|mn|bn)\b|\s?(?i:thousand|million|billion|trillion|dozen|hundred)\b"
_QUANTITY = re.compile(
    rf"(?P<lead>{_SIGN})?(?:(?<!\w)(?P<before>{_CURRENCY_BEFORE})\s?)?(?P<sign>{_SIGN})?"
    rf"(?:(?<![\w.,/:#])(?<![^\W\d_]-)(?P<figure>{_FIGURE})(?P<magnitude>{_MAGNITUDE})?"
    rf"|\b(?P<words>(?i:{_WORDS}))\b)"
)
_AFTER = re.compile(rf"\s?(?P<unit>%|‰|°[CF]\b|{_SYMBOL}|[^\W\d_]+[23]?(?![\w]))")
# Ordinals, dates, times, versions and part numbers hold figures that are no quantities.
_NO_QUANTITY = re.compile(r"(?:st|nd|rd|th)\b|[/:]\d|-\d+-\d")
_RANGE_LINK = re.compile(r"\s?-\s?|\s+(?:to|and|or)\s+")
_ANSWER_MARK = re.compile(
    r"\b(?:final\s+answer|answer|total|sum|result|count)\s*(?:is|are|:|=)+\s*|(?<=\s)=\s", re.IGNORECASE
)
# "one" is a number at the start or after such a word; "the red one", "one of them" and "no one" hold none.
_BEFORE_ONE = re.compile(
    r"(?:^|[.:,;=(]|\b(?:is|are|only|just|exactly|about|see|shows?|contains?|has|have|counts?|be))\s*[\"'*]*$",
    re.IGNORECASE,
)
_LOOK_BACK = 40
_BETWEEN = re.compile(r"\bbetween\s+$", re.IGNORECASE)
_MINUS_WORD = re.compile(r"\b(?:minus|negative)\s+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, or a range of numbers, with its unit.

    Attributes:
        low: The number, or the low end of a range.
        high: The number, or the high end of a range.
        unit: Unit of measure (``"kg"``, ``"%"``), or empty.
        currency: ISO 4217 codes that the currency may be; empty for none.
    """

    low: float
    high: float
    unit: str = ""
    currency: frozenset[str] = frozenset()

    @property
    def is_range(self) -> bool:
        """Whether it is a range and not one number."""
        return self.low != self.high

    def in_unit_of(self, other: Quantity) -> Quantity | None:
        """The same quantity in another's unit, ``None`` when it measures something else.

        A quantity without a unit is taken to be in the other's; so are percent signs on one side only.

        Example:
            >>> Quantity(12.0, 12.0, "cm").in_unit_of(Quantity(1.0, 1.0, "m")).low
            0.12
            >>> Quantity(12.0, 12.0, "cm").in_unit_of(Quantity(1.0, 1.0, "kg")) is None
            True
        """
        if self.currency and other.currency and not self.currency & other.currency:
            return None
        if self.unit == other.unit or not self.unit or not other.unit:
            return self
        (dimension, factor), (wanted, size) = UNITS[self.unit], UNITS[other.unit]
        if dimension != wanted:
            return None
        return replace(self, low=self.low * factor / size, high=self.high * factor / size, unit=other.unit)

    def __str__(self) -> str:
        number = f"{self.low:.15g} to {self.high:.15g}" if self.is_range else f"{self.low:.15g}"
        mark = "/".join(sorted(self.currency)) or self.unit
        return f"{number} {mark}".strip()


def quantities_in(text: str, *, decimal_mark: DecimalMark | None = ".") -> list[Quantity]:
    """All quantities that a text names, in their order.

    Figures with any marks for thousands and decimals (:func:`figure_value`), English number words ("two
    dozen", "half a million"), ranges ("3-5", "between 3 and 5"), signs, percents, units and currencies are
    understood. Ordinals, dates, times, ratios ("8/10") and figures inside of names ("A4", "B-12") are no
    quantities; nor is the pronoun "one" ("the red one").

    Args:
        text: What to read.
        decimal_mark: The decimal sign to assume where a figure could be read in two ways; ``None`` gives NaN
            for such a figure.

    Example:
        >>> [str(quantity) for quantity in quantities_in("between 3 and 5 apples for $1,200.50, not 4th")]
        ['3 to 5', '1200.5 AUD/CAD/HKD/MXN/NZD/SGD/TWD/USD']
    """
    plain = plain_figures(text)
    return [entry.quantity for entry in _joined(list(_found(plain, decimal_mark)), plain)]


def read_quantity(answer: Any, *, decimal_mark: DecimalMark | None = ".") -> Quantity | Failure:
    """The one quantity that an answer names.

    If something follows "answer:", "the total is" or "=" and holds exactly one quantity, that is meant; else
    the whole answer must hold exactly one, though it may repeat it. "none", "nothing" and "nil" are 0.

    Args:
        answer: A number, or text.
        decimal_mark: The decimal sign to assume where a figure could be read in two ways (``1,200``); with
            ``None`` such a figure is a failure.

    Returns:
        The quantity; a :class:`Failure` when there is none or several could be meant.

    Example:
        >>> read_quantity("There are two dozen screws.").low
        24.0
        >>> read_quantity("3 bolts and 4 nuts").message
        "'3 bolts and 4 nuts' names several numbers: 3, 4"
        >>> read_quantity("3 bolts, 4 nuts: the total is 7").low
        7.0
    """
    if isinstance(answer, bool) or not isinstance(answer, int | float | str):
        return _unparsable(f"a {type(answer).__name__} is no number")
    if not isinstance(answer, str):
        return (
            Quantity(float(answer), float(answer))
            if math.isfinite(answer)
            else _unparsable(f"{answer} is no count")
        )
    if answer.strip(" .!\t\n").lower() in _NOTHING:
        return Quantity(0.0, 0.0)
    marks = list(_ANSWER_MARK.finditer(answer))
    if marks:
        after = _distinct(quantities_in(answer[marks[-1].end() :], decimal_mark=decimal_mark))
        if len(after) == 1 and math.isfinite(after[0].low + after[0].high):
            return after[0]
    found = _distinct(quantities_in(answer, decimal_mark=decimal_mark))
    quoted = shown(answer)
    if not found:
        return _unparsable(f"no number in {quoted}")
    if any(math.isnan(quantity.low) for quantity in found):
        return _unparsable(f"a number in {quoted} can be read in two ways; state the decimal mark")
    if any(math.isinf(quantity.low) or math.isinf(quantity.high) for quantity in found):
        return _unparsable(f"a number in {quoted} is too large")
    if len(found) > 1:
        return _unparsable(f"{quoted} names several numbers: {', '.join(map(str, found))}")
    return found[0]


@dataclass(frozen=True, slots=True)
class _Found:
    quantity: Quantity
    start: int
    end: int


def _found(plain: str, decimal_mark: DecimalMark | None) -> Iterator[_Found]:
    position = 0
    while match := _QUANTITY.search(plain, position):
        position = match.end()
        words = match["words"]
        if words is None and _NO_QUANTITY.match(plain, match.end()):
            position = _end_of_name(plain, match.end())
            continue
        number = _number(match, decimal_mark)
        if number is None or (words is not None and words.lower() == "one" and not _counts(match, plain)):
            continue
        after = _AFTER.match(plain, match.end())
        unit, currency, end = _unit(match["before"], after["unit"] if after else "", match.end(), after)
        if words is None and end == match.end() and _is_glued_to_letters(after):
            continue
        if match["lead"] == "-" or match["sign"] == "-" or _ends_in(_MINUS_WORD, plain, match.start()):
            number = -number
        position = end
        quantity = Quantity(number, number, unit, currency)
        yield _Found(quantity, match.start(), end)


def _counts(one: re.Match[str], plain: str) -> bool:
    """Whether a lone "one" is a number and not a pronoun."""
    return _ends_in(_BEFORE_ONE, plain, one.start()) and not plain.startswith(" of ", one.end())


def _ends_in(words: re.Pattern[str], plain: str, end: int) -> bool:
    """Whether the words stand right before a place; looks back a little only, since texts may be long."""
    return words.search(plain, max(0, end - _LOOK_BACK), end) is not None


def _number(match: re.Match[str], decimal_mark: DecimalMark | None) -> float | None:
    if match["words"] is not None:
        return words_value(re.split(r"[\s-]+", match["words"].lower()))
    value = figure_value(match["figure"], decimal_mark)
    magnitude = (match["magnitude"] or "").strip()
    if value is None:
        return math.nan
    return value * _MAGNITUDES.get(magnitude, _MAGNITUDES.get(magnitude.lower(), 1.0)) if magnitude else value


def _unit(
    before: str | None, word: str, end: int, after: re.Match[str] | None
) -> tuple[str, frozenset[str], int]:
    currency = CURRENCIES.get((before or "").replace(" ", "").rstrip(".").lower(), frozenset())
    if after is None:
        return "", currency, end
    if not currency and word.lower() in CURRENCIES:
        return "", CURRENCIES[word.lower()], after.end()
    unit = unit_named(word)
    return (unit, currency, after.end()) if unit else ("", currency, end)


def _is_glued_to_letters(after: re.Match[str] | None) -> bool:
    """Whether figures go on in letters, as in the name "3D"."""
    return after is not None and after.group()[0].isalpha()


def _joined(found: list[_Found], plain: str) -> Iterator[_Found]:
    """Two neighbours linked by a dash, "to", "or", or "between ... and" are one range."""
    index = 0
    while index < len(found):
        entry = found[index]
        following = found[index + 1] if index + 1 < len(found) else None
        if following is not None and _is_range(entry, following, plain):
            low, high = entry.quantity.low, abs(following.quantity.low)
            unit = following.quantity.unit or entry.quantity.unit
            currency = entry.quantity.currency or following.quantity.currency
            joined = Quantity(min(low, high), max(low, high), unit, currency)
            yield _Found(joined, entry.start, following.end)
            index += 2
        else:
            yield entry
            index += 1


def _is_range(first: _Found, second: _Found, plain: str) -> bool:
    between = plain[first.end : second.start]
    link = _RANGE_LINK.fullmatch(between)
    if link is None:
        return False
    if between.strip() == "and":
        return _ends_in(_BETWEEN, plain, first.start)
    return True


def _distinct(found: list[Quantity]) -> list[Quantity]:
    return list(dict.fromkeys(found))


def _end_of_name(plain: str, start: int) -> int:
    end = re.compile(r"[\w/:\-.]*").match(plain, start)
    return end.end() if end else start


def _unparsable(message: str) -> Failure:
    return Failure(FailureKind.UNPARSABLE, message)
