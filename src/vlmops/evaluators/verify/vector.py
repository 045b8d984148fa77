"""A vector: one input with the value a reference implementation gave for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_REQUIRED = {"id": str, "metric": str, "input": object, "expected": object}


class VectorsError(UsageError):
    """A vectors file cannot be read; the message names the file, the entry and what is wrong."""


@dataclass(frozen=True, slots=True)
class Vector:
    """One reference value.

    Attributes:
        id: Unique name.
        metric: Which metric; the key of the adapter.
        input: Arguments as the reference took them; NaN and infinities are written as strings.
        expected: The reference's value, a mapping by implementation where they differ, or
            ``{"raises": "ErrorName"}`` where the reference raised.
        implementation: What the reference is.
        source: How the value was made.
        note: What to know about it.
        tolerance: Relative tolerance where it is not the usual one.
    """

    id: str
    metric: str
    input: Any
    expected: Any
    implementation: str = ""
    source: str = ""
    note: str = ""
    tolerance: float | None = None


def read_vectors(path: Path) -> list[Vector]:
    """The vectors of one JSON file: a list of objects with ``id``, ``metric``, ``input`` and ``expected``.

    Raises:
        VectorsError: The file cannot be read, is not such a list, or has an id twice.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise VectorsError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(entries, list):
        raise VectorsError(f"{path}: holds {type(entries).__name__}, not a list of vectors")
    vectors = [_vector(entry, f"{path}: entry {index}") for index, entry in enumerate(entries)]
    seen: set[str] = set()
    for vector in vectors:
        if vector.id in seen:
            raise VectorsError(f"{path}: the id {vector.id!r} is there twice")
        seen.add(vector.id)
    return vectors


def _vector(entry: Any, place: str) -> Vector:
    if not isinstance(entry, dict):
        raise VectorsError(f"{place}: is {type(entry).__name__}, not an object")
    for key, kind in _REQUIRED.items():
        if key not in entry:
            raise VectorsError(f"{place}: has no {key!r}")
        if not isinstance(entry[key], kind):
            raise VectorsError(f"{place}: {key!r} is {type(entry[key]).__name__}, not {kind.__name__}")
    tolerance = entry.get("tolerance")
    if tolerance is not None and (isinstance(tolerance, bool) or not isinstance(tolerance, int | float)):
        raise VectorsError(f"{place}: 'tolerance' is {type(tolerance).__name__}, not a number")
    return Vector(
        id=entry["id"],
        metric=entry["metric"],
        input=entry["input"],
        expected=entry["expected"],
        implementation=str(entry.get("implementation", "")),
        source=str(entry.get("source", "")),
        note=str(entry.get("note", "")),
        tolerance=tolerance,
    )
