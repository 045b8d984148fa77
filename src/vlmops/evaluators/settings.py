"""Telling an evaluator with one set of parameters from the same with another."""

from __future__ import annotations

import hashlib
from dataclasses import is_dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vlmops.evaluators.evaluator import Evaluator

# The repr of an object without one of its own holds its address, which says nothing of its parameters.
_ADDRESS = " at 0x"


def settings_of(evaluator: Evaluator) -> str:
    """A short hash of an evaluator's parameters; empty where they cannot be told from its ``repr``.

    Example:
        >>> from vlmops.evaluators import CharacterErrorRate
        >>> settings_of(CharacterErrorRate()) == settings_of(CharacterErrorRate(key="text"))
        False
    """
    text = repr(evaluator)
    if not is_dataclass(evaluator) or _ADDRESS in text:
        return ""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
