"""What a JSON value looks like after the server stored it and read it back."""

from __future__ import annotations

import json
import re
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SAFE_INTEGER = 2**53


def parse_json(data: bytes) -> Any:
    """A JSON document as the server's parser reads it: NaN and Infinity are no JSON (ValueError)."""

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is no JSON")

    return json.loads(data, parse_constant=refuse)


def stored(value: Any) -> Any:
    r"""The value read back: keys reordered, control characters gone, numbers as a double keeps them.

    >>> stored({"zeta": 1.0, "b": "a\x00b", "aa": 12345678901234567890})
    {'b': 'ab', 'aa': 12345678901234570000, 'zeta': 1}
    """
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return {_CONTROL.sub("", key): stored(value[key]) for key in keys}
    if isinstance(value, list):
        return [stored(element) for element in value]
    if isinstance(value, str):
        return _CONTROL.sub("", value)
    return number(value)


def number(value: Any) -> Any:
    """A number as a double shows it: whole ones without a fraction, big ones with 16 digits kept."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _SAFE_INTEGER:
        return int(value)
    if isinstance(value, int) and abs(value) > _SAFE_INTEGER:
        digits, exponent = f"{float(value):.15e}".split("e")
        return int(digits.replace(".", "")) * 10 ** (int(exponent) - 15)
    return value


def decoded(text: Any) -> Any:
    """Stored text shown as the JSON it spells, or as it is.

    >>> decoded("3"), decoded('"val"'), decoded("5.0.4")
    (3, 'val', '5.0.4')
    """
    if not isinstance(text, str):
        return text
    try:
        return parse_json(text.encode())
    except ValueError:
        return text
