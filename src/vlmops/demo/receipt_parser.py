"""Fields out of a receipt's text, by rules a person can check."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_AMOUNT = re.compile(
    r"(?:[$€£]\s?)?(?P<sign>-?)(?<![\d.,])(?P<whole>\d{1,3}(?:[,.]\d{3})+|\d+)[.,](?P<cents>\d{2})"
    r"\s?(?:€|EUR|USD|GBP)?$"
)
_TOTAL = re.compile(
    r"^(?:(?:grand\s*)?total|amount\s*due|balance\s*due|summe|gesamt(?:betrag)?|montant\s*total|zu\s*zahlen)",
    re.I,
)
_NOT_AN_ITEM = re.compile(
    r"^(?:sub\s*-?total|zwischensumme|(?:sales\s*)?tax|vat|mwst|inkl|incl|tip|service|shipping|discount|rounding"
    r"|card|cash|change|visa|bar\b|karte|invoice|description|date|tel|till)",
    re.I,
)
_TIMES = re.compile(r"^(?P<quantity>\d{1,3})\s*[x×]\s*(?P<name>\S.*)$", re.I)
_TABLE = re.compile(r"^(?P<name>\D.*?)\s+(?P<quantity>\d{1,4})\s+(?:[$€£]\s?)?\d[\d,.]*[.,]\d{2}$")
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan", "feb", "mar mär", "apr", "may mai", "jun", "jul", "aug", "sep", "oct okt", "nov", "dec dez"),
        1,
    )
    for name in names.split()
}
_ISO_DATE = re.compile(r"(?<!\d)(?P<year>20\d\d)[-/.](?P<month>\d\d)[-/.](?P<day>\d\d)(?![\d-])")
_SHORT_DATE = re.compile(r"(?<!\d)(?P<a>\d{1,2})(?P<mark>[./-])(?P<b>\d{1,2})(?P=mark)(?P<year>20\d\d)")
_NAMED_DATE = re.compile(r"(?<!\d)(?P<day>\d{1,2})\.?\s*(?P<month>[A-Za-zä]{3,9})\.?,?\s*(?P<year>20\d\d)")


def parse_receipt(text: str) -> dict[str, Any] | None:
    r"""Merchant, date, total and items of a receipt or invoice; ``None`` where there is no total.

    The rules, each applied line by line:

    * An *amount* is a number with two decimals (point or comma) at the end of a line, with or without a
      currency. The *total* is the amount of the last line that begins with a word for it (total, amount
      due, Summe, ...).
    * The *merchant* is the first line.
    * The *date* is the first of YYYY-MM-DD, ``14 Mar 2025`` or DD/MM/YYYY; MM/DD/YYYY where only that can be
      a date. A date that could be either is read with the day first.
    * The *items* are the lines with an amount above the total, except for those that begin with a word for
      something else (subtotal, tax, tip, card, ...). ``3 x name amount`` and ``name 3 each amount`` give a
      quantity, otherwise it is 1.

    Missing spaces do not hinder it where a number, a sign or ``x`` parts two things; the spaces inside of a
    name are not restored. What a rule does not find is ``None``.

    Example:
        >>> fields = parse_receipt("Corner Shop\n2025-03-14\n2 x Tea 5.00\nScone 3.20\nTOTAL $8.20")
        >>> fields["merchant"], fields["date"], fields["total"]
        ('Corner Shop', '2025-03-14', 8.2)
        >>> fields["items"][0]
        {'name': 'Tea', 'quantity': 2, 'price': 5.0}
        >>> parse_receipt("NO PARKING") is None
        True
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    totals = [(n, amount) for n, line in enumerate(lines) if _TOTAL.match(line) and (amount := _amount(line))]
    if not totals:
        return None
    place, (_, total) = totals[-1]
    return {
        "merchant": lines[0] if place > 0 else None,
        "date": _date(lines),
        "total": total,
        "items": _items(lines[1 : totals[0][0]]),
    }


def _amount(line: str) -> tuple[str, float] | None:
    """What stands before the amount at the end of a line, and the amount."""
    match = _AMOUNT.search(line)
    if match is None:
        return None
    number = float(re.sub(r"[,.]", "", match["whole"]) + "." + match["cents"])
    return line[: match.start()].strip(), -number if match["sign"] else number


def _items(lines: Sequence[str]) -> list[dict[str, Any]]:
    items = []
    for line in lines:
        found = _amount(line)
        if found is None or _NOT_AN_ITEM.match(line) or not re.search(r"[^\W\d]", found[0]):
            continue
        name, price = found
        counted = _TIMES.match(name) or _TABLE.match(name)
        quantity = int(counted["quantity"]) if counted else 1
        items.append({"name": counted["name"] if counted else name, "quantity": quantity, "price": price})
    return items


def _date(lines: Sequence[str]) -> str | None:
    for line in lines:
        for found in (_iso_date(line), _named_date(line), _short_date(line)):
            if found is not None:
                return found
    return None


def _iso_date(line: str) -> str | None:
    match = _ISO_DATE.search(line)
    return _valid(match["year"], match["month"], match["day"]) if match else None


def _named_date(line: str) -> str | None:
    for match in _NAMED_DATE.finditer(line):
        month = _MONTHS.get(match["month"][:3].lower())
        if month is not None and (found := _valid(match["year"], month, match["day"])):
            return found
    return None


def _short_date(line: str) -> str | None:
    match = _SHORT_DATE.search(line)
    if match is None:
        return None
    return _valid(match["year"], match["b"], match["a"]) or _valid(match["year"], match["a"], match["b"])


def _valid(year: str | int, month: str | int, day: str | int) -> str | None:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None
