"""Evaluators by name: ours, the user's (decorator) and third parties' (entry points)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from vlmops.errors import EvaluatorError

ENTRY_POINT_GROUP = "vlmops.evaluators"

EvaluatorType = TypeVar("EvaluatorType", bound=type[Any])

_registered: dict[str, type[Any]] = {}


@dataclass(frozen=True, slots=True)
class EvaluatorEntry:
    """One registered evaluator.

    Attributes:
        name: The name it is asked for by.
        origin: ``module:Class`` it comes from.
        error: Why it cannot be loaded, empty if it can.
        load: Gives the class; raises what importing it raises.
    """

    name: str
    origin: str
    load: Callable[[], type[Any]]
    error: str = ""

    @property
    def summary(self) -> str:
        """First line of the class's docstring."""
        return (self.load().__doc__ or "").strip().splitlines()[0] if not self.error else self.error


def register(name: str) -> Callable[[EvaluatorType], EvaluatorType]:
    """Class decorator: make an evaluator known by name in this process.

    Installed packages use the entry-point group ``vlmops.evaluators`` instead.

    Raises:
        EvaluatorError: The name is taken by another class.

    Example:
        >>> from dataclasses import dataclass
        >>> from vlmops.evaluators import Case, Score, register, create
        >>> @register("doc_shouting")
        ... @dataclass(frozen=True)
        ... class Shouting:
        ...     '''Whether the answer is all capitals.'''
        ...     name: str = "shouting"
        ...     def evaluate(self, case: Case) -> Score:
        ...         return Score(self.name, case.output.isupper())
        >>> create("doc_shouting").evaluate(Case(output="STOP")).value
        True
    """

    def decorate(cls: EvaluatorType) -> EvaluatorType:
        known = _registered.get(name)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise EvaluatorError(
                f"evaluator name {name!r} is taken by {known.__module__}:{known.__qualname__}; choose another"
            )
        _registered[name] = cls
        return cls

    return decorate


def entries() -> Iterator[EvaluatorEntry]:
    """All known evaluators, by name; an entry point that cannot be imported is listed with its error."""
    found = {name: _from_class(name, cls) for name, cls in _registered.items()}
    for name, point in _entry_points().items():
        found.setdefault(name, _from_entry_point(name, point))
    yield from (found[name] for name in sorted(found))


def create(name: str, /, **parameters: Any) -> Any:
    """Make the evaluator of that name with the given parameters.

    Raises:
        EvaluatorError: The name or a parameter is unknown; the message lists what there is.

    Example:
        >>> create("cer", case_sensitive=False).name
        'cer'
    """
    cls = _registered.get(name)
    if cls is None:
        point = _entry_points().get(name)
        if point is None:
            known = ", ".join(sorted({*_registered, *_entry_points()}))
            raise EvaluatorError(f"no evaluator is named {name!r}; there are: {known}")
        cls = _load(point)
    try:
        return cls(**parameters)
    except TypeError as error:
        accepted = ", ".join(f.name for f in fields(cls)) if is_dataclass(cls) else "see its documentation"
        raise EvaluatorError(f"evaluator {name!r}: {error}; it takes: {accepted}") from error


@cache
def _entry_points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


def _load(point: EntryPoint) -> type[Any]:
    cls = getattr(import_module(point.module), point.attr)
    if not isinstance(cls, type):
        raise EvaluatorError(f"entry point {point.name!r} ({point.value}) is not a class")
    return cls


def _from_class(name: str, cls: type[Any]) -> EvaluatorEntry:
    return EvaluatorEntry(name, f"{cls.__module__}:{cls.__qualname__}", lambda: cls)


def _from_entry_point(name: str, point: EntryPoint) -> EvaluatorEntry:
    try:
        cls = _load(point)
    except Exception as error:  # noqa: BLE001 - a broken third-party package must not hide the others
        return EvaluatorEntry(
            name, point.value, lambda: _load(point), error=f"unavailable: {type(error).__name__}: {error}"
        )
    return EvaluatorEntry(name, point.value, lambda: cls)
