"""Slices: named parts of a set of cases, by a metadata key or by any predicate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.evaluators.selection import MISSING, select

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vlmops.evaluators.case import Case


@dataclass(frozen=True, slots=True)
class Slice:
    """A named part of the cases.

    Attributes:
        name: How it is called in results.
        holds: Whether a case belongs to it.

    Example:
        >>> from vlmops.evaluators import Case
        >>> short = Slice("short", lambda case: len(case.output) < 5)
        >>> short.holds(Case(output="yes"))
        True
    """

    name: str
    holds: Callable[[Case], bool]


SliceBy = str | Slice
"""A dotted metadata key, which makes a slice of each of its values, or one named slice."""


def slices_of(cases: Sequence[Case], by: Sequence[SliceBy]) -> dict[str, list[int]]:
    """Positions of the cases of each slice, by the slice's name; slices may overlap.

    A key makes one slice a value, named ``key=value``; a list makes the case part of each of its values, and
    a case without the key is in none of them. Empty slices are left out.

    Example:
        >>> from vlmops.evaluators import Case
        >>> cases = [Case("a", metadata={"light": "dim"}), Case("b", metadata={"light": "bright"}), Case("c")]
        >>> slices_of(cases, ["light"])
        {'light=dim': [0], 'light=bright': [1]}
        >>> slices_of(cases, [Slice("vowels", lambda case: case.output in "aeiou")])
        {'vowels': [0]}
    """
    found: dict[str, list[int]] = {}
    for chosen in by:
        for position, case in enumerate(cases):
            for name in _names(chosen, case):
                found.setdefault(name, []).append(position)
    return found


def _names(chosen: SliceBy, case: Case) -> list[str]:
    if isinstance(chosen, Slice):
        return [chosen.name] if chosen.holds(case) else []
    value = select(case.metadata, chosen)
    if value is MISSING or value is None:
        return []
    values = value if isinstance(value, list | tuple) else [value]
    return list(dict.fromkeys(f"{chosen}={_shown(each)}" for each in values))


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
