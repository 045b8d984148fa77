"""Text as metrics see it: from JSON values, optionally folded."""

from __future__ import annotations

import json
import unicodedata
from typing import Any, Literal

Normalization = Literal["NFC", "NFD", "NFKC", "NFKD"]
"""A Unicode normalisation form (Unicode Standard Annex 15)."""

_HALF_WIDTH = {**{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}, 0x3000: 0x20}


def as_text(value: Any) -> str:
    """A JSON scalar as text: strings as they are, numbers and booleans as JSON spells them.

    Raises:
        TypeError: The value is an object, a list or anything else that has no one spelling.

    Example:
        >>> as_text("12"), as_text(12), as_text(True)
        ('12', '12', 'true')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise TypeError(f"text is needed, not {type(value).__name__}; choose a part of it with `key`")


def fold(text: str, *, case_sensitive: bool = True, normalization: Normalization | None = None) -> str:
    """Text with the differences taken out that should not count.

    Example:
        >>> fold("ﬁn", normalization="NFKC")
        'fin'
        >>> fold("Total", case_sensitive=False)
        'total'
    """
    if normalization is not None:
        text = unicodedata.normalize(normalization, text)
    return text if case_sensitive else text.casefold()


def to_half_width(text: str) -> str:
    """Full-width ASCII and the ideographic space as plain ASCII; narrower than NFKC.

    Example:
        >>> to_half_width("１２．５０")
        '12.50'
    """
    return text.translate(_HALF_WIDTH)


def shown(value: Any, limit: int = 80) -> str:
    r"""A value as messages quote it: on one line, and cut off after so many characters.

    Example:
        >>> shown("two lines\nof text"), shown([1, 2]), shown("abcdefgh", 5)
        ("'two lines of text'", '[1, 2]', "'abcd…'")
    """
    flat = " ".join(str(value).split())
    cut = shortened(flat, limit)
    return repr(cut) if isinstance(value, str) else cut


def shortened(text: str, limit: int) -> str:
    """The text, or its beginning and an ellipsis where it is longer than ``limit`` characters.

    Example:
        >>> shortened("total", 5), shortened("subtotal", 5)
        ('total', 'subt…')
    """
    return text if len(text) <= limit else text[: limit - 1] + "…"
