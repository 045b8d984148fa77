"""What is wrong with a specification, in words that name the key, its line and the fix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel

from vlmops.experiments.specification.places import line_of
from vlmops.models.options import hint

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_UNION_TAGS = ("is-instance[", "function-", "tuple[", "dict[", "nullable[")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a specification came from; no part of what it says, so that all sources are equal.

    Attributes:
        file: The file; empty for values given in Python.
        text: Its content.
    """

    file: str = field(default="", compare=False)
    text: str = field(default="", compare=False)

    def place_of(self, path: Sequence[str | int]) -> str:
        """File, line and key, as far as they are known.

        Example:
            >>> Source("vlmops.toml", "repetitions = 0").place_of(["repetitions"])
            'vlmops.toml:1: repetitions'
        """
        line = line_of(self.text, path) if self.text else None
        file = self.file if line is None else f"{self.file}:{line}"
        return ": ".join(part for part in (file, _spelled(path)) if part)


def described(error: ValidationError, kind: type[BaseModel], file: str = "", text: str = "") -> str:
    """Every problem on a line of its own.

    Args:
        error: What validation found.
        kind: What was validated.
        file: Where it came from, if it did from a file.
        text: The file's content.
    """
    told: dict[str, None] = {}
    problems = [(_path(problem), problem) for problem in error.errors()]
    for at, (path, problem) in enumerate(problems):
        others = [other for number, (other, _) in enumerate(problems) if number != at]
        # Of a value that may be a table or an object, what is wrong with the table says more; and a list with
        # an item that is wrong is not too short.
        if problem["type"] in ("is_instance_of", "too_short") and any(
            other[: len(path)] == path for other in others
        ):
            continue
        place = Source(file, text).place_of(path)
        told[": ".join(part for part in (place, _words(problem, path, kind)) if part)] = None
    return "\n".join(told)


def _path(problem: ErrorDetails) -> list[str | int]:
    """Keys alone: for a value that may be one of several kinds, pydantic names each kind that it is not."""
    location = problem["loc"]
    # An unknown key may look like the name of a kind, and stands last.
    unknown = len(location) - 1 if problem["type"] == "extra_forbidden" else None
    return [part for at, part in enumerate(location) if at == unknown or not _is_kind(part)]


def _is_kind(part: int | str) -> bool:
    if isinstance(part, int):
        return False
    return part.startswith(_UNION_TAGS) or part[:1].isupper() or part == "str"


def _spelled(path: Sequence[str | int]) -> str:
    """A key as people write it: ``variants[0].model``."""
    shown = ""
    for part in path:
        shown += f"[{part}]" if isinstance(part, int) else f".{part}" if shown else part
    return shown


def _words(problem: ErrorDetails, path: Sequence[str | int], kind: type[BaseModel]) -> str:
    if problem["type"] == "extra_forbidden":
        return f"unknown key; {hint(str(path[-1]), _keys(kind, list(path[:-1])))}"
    if problem["type"] == "missing":
        return "is missing"
    words = problem["msg"].removeprefix("Value error, ")
    words = words[:1].lower() + words[1:]
    given = problem["input"]
    plain = isinstance(given, str | int | float | bool)
    return f"{words}, not {given!r}" if plain and problem["type"] != "value_error" else words


def _keys(kind: Any, path: list[str | int]) -> list[str]:
    """Keys of the table at that path."""
    section = _section(kind, path)
    if section is None:
        return []
    return [field.alias or name for name, field in section.model_fields.items()]


def _section(annotation: Any, path: Sequence[str | int]) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not path:
            return annotation
        for name, field in annotation.model_fields.items():
            if path[0] in (name, field.alias):
                return _section(field.annotation, path[1:])
        return None
    arguments = [part for part in get_args(annotation) if part is not Ellipsis]
    origin = get_origin(annotation)
    into_item = isinstance(origin, type) and issubclass(origin, tuple | list | Mapping)
    inner = path[1:] if into_item and path else path
    found = (_section(part, inner) for part in arguments)
    return next((section for section in found if section is not None), None)
