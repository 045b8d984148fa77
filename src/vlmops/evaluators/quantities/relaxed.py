"""Relaxed accuracy: numbers may be off by a few percent, other answers must be equal."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.quantities.numeric_error import relative_error
from vlmops.evaluators.quantities.quantity import Quantity, read_quantity

if TYPE_CHECKING:
    from vlmops.evaluators.quantities.numerals import DecimalMark

_ROUNDING = 1e-9
_LETTERS_OF_A_NUMBER = 3


def chartqa_relaxed_match(predicted: str, target: str, *, tolerance: float = 0.05) -> bool:
    """Relaxed accuracy exactly as the ChartQA reference code computes it.

    Both sides are numbers if ``float`` reads them, "50%" being 0.5; then the relative error may be
    ``tolerance``. Else, and for a target of 0, they must be equal apart from case. Known quirks: 1.05 does
    not match 1 (rounding), "0.0" does not match "0", "50%" matches "0.5" but not "50", "1,000" does not match
    "1000", "$5" does not match "5", white space around texts counts, years match within 5 %. The same in
    pix2struct, VLMEvalKit and lmms-eval.

    Example:
        >>> chartqa_relaxed_match("103", "100"), chartqa_relaxed_match("1,000", "1000")
        (True, False)
    """
    number, wanted = _python_number(str(predicted)), _python_number(str(target))
    if number is not None and wanted:
        return abs(number - wanted) / abs(wanted) <= tolerance
    return str(predicted).lower() == str(target).lower()


def relaxed_match(
    predicted: Any, target: Any, *, tolerance: float = 0.05, decimal_mark: DecimalMark | None = "."
) -> bool | Failure:
    """Relaxed accuracy without the quirks of the reference code.

    If the target is a number, the prediction must name exactly one (:func:`read_quantity`: units, currencies,
    thousands marks and sentences are read) and may be off by ``tolerance``, inclusive. A target of 0 is
    matched by 0 alone. Units are converted; a percent sign or unit on one side only is ignored ("50" matches
    "50%"); a different measure or currency does not match. If the target is no number, both texts must be
    equal apart from case and outer white space.

    Returns:
        Whether they match; a :class:`Failure` when the prediction names no number, or several.

    Example:
        >>> relaxed_match("It is $1,020.", "1000"), relaxed_match(" Brazil", "brazil")
        (True, True)
        >>> relaxed_match("12 or 13", "12").message
        "'12 or 13' is a range, not one number"
    """
    wanted = _whole_number(target, decimal_mark)
    if wanted is None:
        return _folded(predicted) == _folded(target)
    number = read_quantity(predicted, decimal_mark=decimal_mark)
    if isinstance(number, Failure):
        return number
    if number.is_range:
        return Failure(FailureKind.UNPARSABLE, f"{str(predicted)!r} is a range, not one number")
    converted = number.in_unit_of(wanted)
    return converted is not None and relative_error(converted.low, wanted.low) <= tolerance + _ROUNDING


def _whole_number(target: Any, decimal_mark: DecimalMark | None) -> Quantity | None:
    """The target as a quantity, if it is one as a whole and not a text that mentions one."""
    found = read_quantity(target, decimal_mark=decimal_mark)
    if isinstance(found, Failure) or found.is_range:
        return None
    letters = sum(character.isalpha() for character in str(target))
    named = bool(found.unit or found.currency) or not isinstance(target, str)
    return found if named or letters <= _LETTERS_OF_A_NUMBER or str(target).isalpha() else None


def _python_number(text: str) -> float | None:
    try:
        return float(text.rstrip("%")) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return None


def _folded(value: Any) -> str:
    return " ".join(unicodedata.normalize("NFKC", str(value)).casefold().split())
