"""Counting and number extraction exactly as published benchmarks do it, quirks included.

For comparison with published figures; :func:`read_quantity` is the reading without guesses.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from vlmops.errors import UsageError
from vlmops.evaluators.quantities.numerals import SMALL_NUMBERS, TENS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_SIGNED_DECIMAL = re.compile(r"-?\d+(?:\.\d+)?")
_SIGNED_DECIMAL_OR_PLUS = re.compile(r"[+-]?\d+(?:\.\d+)?")
_INTEGER = re.compile(r"\d+")
_VSI_WORDS = {**SMALL_NUMBERS, **TENS, "hundred": 100, "thousand": 1000}
_COUNTBENCH_WORDS = {
    "none": "0",
    **{word: str(value) for word, value in SMALL_NUMBERS.items()},
    "twenty": "20",
}


@dataclass(frozen=True, slots=True)
class CountOutcome:
    """Score of one counted image in FSC-147.

    Attributes:
        exact: Whether the count is right.
        error: Absolute error; the target itself when no count could be read.
        parsed: Whether a count could be read.
    """

    exact: bool
    error: float
    parsed: bool


def fsc147_count(predicted: str, target: Any) -> CountOutcome:
    """FSC-147 in lmms-eval: the first number without commas, rounded half to even.

    An answer without figures is charged the whole target as its error ("seven" for 7 costs 7).

    Raises:
        UsageError: The target holds no number.

    Example:
        >>> fsc147_count("There are 1,234 birds", 1200)
        CountOutcome(exact=False, error=34.0, parsed=True)
        >>> fsc147_count("seven", 7)
        CountOutcome(exact=False, error=7.0, parsed=False)
    """
    wanted = _rounded_number(target)
    if wanted is None:
        raise UsageError(f"the target count {target!r} is no number")
    number = _rounded_number(str(predicted).strip())
    if number is None:
        return CountOutcome(exact=False, error=float(abs(wanted)), parsed=False)
    return CountOutcome(exact=number == wanted, error=float(abs(number - wanted)), parsed=True)


def pixmo_count(predicted: str, target: str) -> bool:
    """PixMo-Count in lmms-eval: the first run of digits on both sides, compared as text.

    Example:
        >>> pixmo_count("I see 3", "3"), pixmo_count("03", "3"), pixmo_count("three", "3")
        (True, False, False)
    """
    return _first_digits(str(predicted).strip()) == _first_digits(str(target).strip())


def countbench_answer(text: Any) -> str:
    """CountBench in lmms-eval: the answer in lower case, a number word up to twenty as its numeral.

    Example:
        >>> countbench_answer(" Seven"), countbench_answer("seven.")
        ('7', 'seven.')
    """
    folded = str(text).strip().lower()
    return _COUNTBENCH_WORDS.get(folded, folded)


def countbench_count(predicted: Any, target: Any) -> bool:
    """CountBench in lmms-eval: whether both answers are equal after :func:`countbench_answer`.

    Example:
        >>> countbench_count("seven", 7)
        True
    """
    return countbench_answer(predicted) == countbench_answer(target)


def ocrbench_v2_count(
    predicted: str | float,
    answers: str | Sequence[Any],
    *,
    method: Literal["exact match", "regression"] = "regression",
) -> float:
    """Counting in OCRBench v2, 0 to 1: the best score over the answers.

    ``"regression"`` takes the first run of digits, without its sign, and gives 1 - |p - t| / t where that is
    above 0.5, else 0; a prediction of 0 gives 0. ``"exact match"`` asks whether the answer stands anywhere in
    the prediction.

    Raises:
        UsageError: The method is unknown, or an answer is no whole number where one is needed.

    Example:
        >>> ocrbench_v2_count("about 12", ["10"]), ocrbench_v2_count("15", ["5"], method="exact match")
        (0.8, 1.0)
    """
    if method not in ("exact match", "regression"):
        raise UsageError(f"the method is 'exact match' or 'regression', not {method!r}")
    if isinstance(predicted, float) and math.isnan(predicted):
        return 0.0
    listed = [answers] if isinstance(answers, str) else answers
    wanted = [str(answer).lower().strip().replace("\n", " ") for answer in listed]
    if method == "exact match":
        return float(any(answer in str(predicted) for answer in wanted))
    match = _INTEGER.search(str(predicted))
    number = int(match.group()) if match else 0
    return max((_count_overlap(number, answer) for answer in wanted), default=0.0) if number else 0.0


def vsibench_number(text: Any) -> float | None:
    """VSI-Bench in lmms-eval: the first number, in figures or in words; "1,200" is 1.

    Example:
        >>> vsibench_number("one apple, room 2"), vsibench_number("1,200")
        (1.0, 1.0)
    """
    folded = "" if text is None else str(text).strip().lower()
    figure = _SIGNED_DECIMAL.search(folded)
    words: list[str] = []
    start = math.inf
    for match in re.finditer(r"[a-z]+", folded):
        word = match.group()
        if word in _VSI_WORDS:
            start = min(start, match.start())
            words.append(word)
        elif words and word != "and":
            break
    if figure is not None and figure.start() < start:
        return float(figure.group())
    return _vsi_value(words) if words else None


def osi_number(text: Any) -> float | None:
    """OSI-Bench in lmms-eval: the last number in figures, commas left out.

    Example:
        >>> osi_number("2 rooms of 1,200 square feet")
        1200.0
    """
    found = _SIGNED_DECIMAL_OR_PLUS.findall(str(text).replace(",", ""))
    return float(found[-1]) if found else None


def fsc147_number(text: Any) -> float | None:
    """FSC-147 in lmms-eval: the first number in figures, commas left out, rounded half to even.

    Example:
        >>> fsc147_number("1,234.5 birds")
        1234.0
    """
    number = _rounded_number(text)
    return None if number is None else float(number)


def first_integer(text: Any) -> float | None:
    """The first run of digits, without its sign, as in OCRBench v2.

    Example:
        >>> first_integer("-5.2")
        5.0
    """
    match = _INTEGER.search(str(text))
    return float(match.group()) if match else None


NUMBER_STRATEGIES: Mapping[str, Callable[[Any], float | None]] = {
    "first_integer": first_integer,
    "fsc147": fsc147_number,
    "osi_bench": osi_number,
    "vsibench": vsibench_number,
}
"""Published ways to take a number out of a text, by name; each gives ``None`` when it finds none."""


def _rounded_number(value: Any) -> int | None:
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return round(float(value))
    match = _SIGNED_DECIMAL.search(str(value).strip().replace(",", ""))
    return round(float(match.group())) if match else None


def _first_digits(text: str) -> str:
    match = _INTEGER.search(text)
    return match.group() if match else text


def _count_overlap(number: int, answer: str) -> float:
    try:
        wanted = int(answer)
    except ValueError as error:
        raise UsageError(f"the answer {answer!r} is no whole number") from error
    if number >= 2 * wanted:
        return 0.0
    overlap = 1 - abs(number - wanted) / wanted
    return overlap if overlap > 0.5 else 0.0


def _vsi_value(words: Sequence[str]) -> float:
    total = current = 0
    for word in words:
        value = _VSI_WORDS[word]
        if value == 100:
            current = max(current, 1) * 100
        elif value == 1000:
            total, current = total + max(current, 1) * 1000, 0
        else:
            current += value
    return float(total + current)
