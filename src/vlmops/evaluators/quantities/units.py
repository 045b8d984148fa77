"""Units of measure and currencies, as far as answers about pictures name them."""

from __future__ import annotations

_DOLLARS = frozenset({"USD", "AUD", "CAD", "HKD", "MXN", "NZD", "SGD", "TWD"})
_KRONER = frozenset({"CZK", "DKK", "ISK", "NOK", "SEK"})
_CODES = [
    "AED",
    "ARS",
    "AUD",
    "BGN",
    "BRL",
    "CAD",
    "CHF",
    "CLP",
    "CNY",
    "COP",
    "CZK",
    "DKK",
    "EGP",
    "EUR",
    "GBP",
    "HKD",
    "HUF",
    "IDR",
    "ILS",
    "INR",
    "ISK",
    "JPY",
    "KRW",
    "MAD",
    "MXN",
    "MYR",
    "NOK",
    "NZD",
    "PHP",
    "PKR",
    "PLN",
    "RON",
    "RUB",
    "SAR",
    "SEK",
    "SGD",
    "THB",
    "TRY",
    "TWD",
    "UAH",
    "USD",
    "VND",
    "ZAR",
]

CURRENCIES: dict[str, frozenset[str]] = {
    **{code.lower(): frozenset({code}) for code in _CODES},
    "$": _DOLLARS,
    "us$": frozenset({"USD"}),
    "a$": frozenset({"AUD"}),
    "c$": frozenset({"CAD"}),
    "hk$": frozenset({"HKD"}),
    "nt$": frozenset({"TWD"}),
    "r$": frozenset({"BRL"}),
    "s$": frozenset({"SGD"}),
    "dollar": _DOLLARS,
    "dollars": _DOLLARS,
    "€": frozenset({"EUR"}),
    "euro": frozenset({"EUR"}),
    "euros": frozenset({"EUR"}),
    "£": frozenset({"GBP", "EGP"}),
    "¥": frozenset({"JPY", "CNY"}),
    "yen": frozenset({"JPY"}),
    "yuan": frozenset({"CNY"}),
    "rmb": frozenset({"CNY"}),
    "₹": frozenset({"INR"}),
    "rs": frozenset({"INR", "PKR"}),
    "rupees": frozenset({"INR", "PKR"}),
    "₩": frozenset({"KRW"}),
    "₺": frozenset({"TRY"}),
    "₽": frozenset({"RUB"}),
    "₴": frozenset({"UAH"}),
    "₫": frozenset({"VND"}),
    "฿": frozenset({"THB"}),
    "₪": frozenset({"ILS"}),
    "zł": frozenset({"PLN"}),
    "kr": _KRONER,
    "kč": frozenset({"CZK"}),
    "fr": frozenset({"CHF"}),
}
"""ISO 4217 codes that a sign, code or word may stand for, by its lower-case form."""

_SCALED: dict[str, dict[str, float]] = {
    "length": {
        "mm": 1e-3,
        "cm": 1e-2,
        "dm": 0.1,
        "m": 1.0,
        "km": 1e3,
        "inch": 0.0254,
        "ft": 0.3048,
        "mi": 1609.344,
    },
    "mass": {"mg": 1e-6, "g": 1e-3, "kg": 1.0, "t": 1e3, "oz": 0.028349523125, "lb": 0.45359237},
    "volume": {"ml": 1e-3, "cl": 1e-2, "dl": 0.1, "l": 1.0, "m3": 1e3},
    "area": {"mm2": 1e-6, "cm2": 1e-4, "m2": 1.0, "ha": 1e4, "km2": 1e6},
    "time": {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0},
    "percent": {"%": 1.0},
    "permille": {"‰": 1.0},
    "temperature, Celsius": {"°c": 1.0},
    "temperature, Fahrenheit": {"°f": 1.0},
}
_WORDS = {
    "millimeter": "mm",
    "centimeter": "cm",
    "meter": "m",
    "kilometer": "km",
    "millimetre": "mm",
    "centimetre": "cm",
    "metre": "m",
    "kilometre": "km",
    "inche": "inch",
    "foot": "ft",
    "feet": "ft",
    "mile": "mi",
    "milligram": "mg",
    "gram": "g",
    "kilogram": "kg",
    "kilo": "kg",
    "tonne": "t",
    "ton": "t",
    "ounce": "oz",
    "pound": "lb",
    "milliliter": "ml",
    "liter": "l",
    "millilitre": "ml",
    "litre": "l",
    "millisecond": "ms",
    "second": "s",
    "sec": "s",
    "minute": "min",
    "hour": "h",
    "hr": "h",
    "percent": "%",
    "pct": "%",
    "hectare": "ha",
}

UNITS: dict[str, tuple[str, float]] = {
    name: (dimension, factor) for dimension, units in _SCALED.items() for name, factor in units.items()
}
"""Dimension of each unit, and its size in the dimension's base unit."""


def unit_named(word: str) -> str:
    """The unit that a word or sign stands for, or an empty string.

    Example:
        >>> unit_named("Metres"), unit_named("kg"), unit_named("birds")
        ('m', 'kg', '')
    """
    name = word.lower()
    for candidate in (name, name.removesuffix("s")):
        if candidate in UNITS:
            return candidate
        if candidate in _WORDS:
            return _WORDS[candidate]
    return ""
