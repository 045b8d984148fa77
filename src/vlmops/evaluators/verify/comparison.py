"""Whether our value is the reference's: numbers within a tolerance, trees part by part."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

RELATIVE_TOLERANCE = 1e-9
ABSOLUTE_TOLERANCE = 1e-12
_SPECIAL_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@dataclass(frozen=True, slots=True)
class Raised:
    """Stands for a value where our code raised, or deliberately gives none; the message says why."""

    message: str


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where a value differs from the reference's.

    Attributes:
        path: Keys and indices that lead there; empty for the whole value.
        expected: The reference's.
        got: Ours.
    """

    path: tuple[str | int, ...]
    expected: Any
    got: Any

    def __str__(self) -> str:
        place = ".".join(map(str, self.path))
        return f"{f'at {place}: ' if place else ''}expected {self.expected!r}, got {self.got!r}"


def outcome(function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Any:
    """What the call gives, or :class:`Raised` if it raises.

    Example:
        >>> outcome(int, "7"), outcome(int, "x").message.split(":")[0]
        (7, 'ValueError')
    """
    try:
        return function(*arguments, **options)
    except Exception as error:  # noqa: BLE001 - that something raised is itself the outcome to compare
        return Raised(f"{type(error).__name__}: {error}")


def revive(value: Any) -> Any:
    """The tree with the strings ``"NaN"``, ``"Infinity"`` and ``"-Infinity"`` turned into floats.

    Example:
        >>> revive({"cost": "Infinity", "note": "ok"})
        {'cost': inf, 'note': 'ok'}
    """
    if isinstance(value, str):
        return _SPECIAL_NUMBERS.get(value, value)
    if isinstance(value, Mapping):
        return {key: revive(part) for key, part in value.items()}
    if isinstance(value, list):
        return [revive(part) for part in value]
    return value


def compare(got: Any, expected: Any, *, tolerance: float | None = None) -> Mismatch | None:
    """The first difference, or ``None`` when the values agree.

    Numbers agree within ``tolerance`` (relative, 1e-9 by default) or 1e-12 (absolute); NaN agrees with NaN,
    booleans with 0 and 1, tuples with lists; keys of ``got`` that ``expected`` lacks do not count. Where
    the reference raised (``{"raises": ...}``), ours agrees if it raised too or gives ``None`` or NaN.

    Example:
        >>> compare({"f1": 0.5, "n": 3}, {"f1": 0.5}) is None
        True
        >>> str(compare([1.0, 2.0], [1.0, 2.5]))
        'at 1: expected 2.5, got 2.0'
    """
    return _compare(got, expected, RELATIVE_TOLERANCE if tolerance is None else tolerance, ())


def _compare(got: Any, expected: Any, tolerance: float, path: tuple[str | int, ...]) -> Mismatch | None:
    got = _plain(got)
    if isinstance(expected, Mapping) and set(expected) == {"raises"}:
        undefined = got is None or isinstance(got, Raised) or (isinstance(got, float) and math.isnan(got))
        agree = undefined or (isinstance(got, Mapping) and got == expected)
        return None if agree else Mismatch(path, expected, got)
    if isinstance(expected, Mapping) and isinstance(got, Mapping):
        return _compare_mappings(got, expected, tolerance, path)
    if _is_sequence(expected) and _is_sequence(got) and len(expected) == len(got):
        pairs = zip(got, expected, strict=True)
        parts = (_compare(g, e, tolerance, (*path, index)) for index, (g, e) in enumerate(pairs))
        return next((part for part in parts if part is not None), None)
    return None if _leaves_agree(got, expected, tolerance) else Mismatch(path, expected, got)


def _compare_mappings(
    got: Mapping[Any, Any], expected: Mapping[Any, Any], tolerance: float, path: tuple[str | int, ...]
) -> Mismatch | None:
    by_name = {str(key): part for key, part in got.items()}
    for key, wanted in expected.items():
        if key not in by_name:
            return Mismatch((*path, key), wanted, "nothing")
        found = _compare(by_name[key], wanted, tolerance, (*path, key))
        if found is not None:
            return found
    return None


def _leaves_agree(got: Any, expected: Any, tolerance: float) -> bool:
    number = _SPECIAL_NUMBERS.get(expected, expected) if isinstance(expected, str) else expected
    if isinstance(number, int | float) and isinstance(got, int | float):
        if math.isnan(number) or math.isnan(got):
            return math.isnan(number) and math.isnan(got)
        return math.isclose(got, number, rel_tol=tolerance, abs_tol=ABSOLUTE_TOLERANCE)
    return type(got) is type(expected) and bool(got == expected)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _plain(value: Any) -> Any:
    """Arrays and their scalars as Python values."""
    return value.tolist() if hasattr(value, "tolist") else value
