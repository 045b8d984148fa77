"""Evaluators by name: ours (tables), the user's (decorator) and third parties' (entry points)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from vlmops.entry_points import entry_points
from vlmops.errors import EvaluatorError
from vlmops.evaluators.builtin import builtin_evaluators, load_class

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from importlib.metadata import EntryPoint

ENTRY_POINT_GROUP = "vlmops.evaluators"

EvaluatorType = TypeVar("EvaluatorType", bound=type[Any])

_registered: dict[str, type[Any]] = {}


@dataclass(frozen=True, slots=True)
class EvaluatorEntry:
    """One known evaluator; its module is imported when something asks for the class.

    Attributes:
        name: The name it is asked for by.
        origin: ``module:Class`` it comes from.
        provider: ``"vlmops"``, ``"this process"`` (decorated) or the distribution that declares it.
        load: Gives the class; raises what importing it raises.
    """

    name: str
    origin: str
    provider: str
    load: Callable[[], type[Any]] = field(repr=False, compare=False)

    @property
    def error(self) -> str:
        """Why it cannot be loaded; empty if it can."""
        try:
            self.load()
        except Exception as error:  # noqa: BLE001 - a broken third-party package must not hide the others
            return f"unavailable: {type(error).__name__}: {error}"
        return ""

    @property
    def summary(self) -> str:
        """First line of the class's docstring as plain text, or why the class cannot be loaded."""
        return self.error or (self.load().__doc__ or "").strip().partition("\n")[0].replace("``", "")


def register(name: str) -> Callable[[EvaluatorType], EvaluatorType]:
    """Class decorator: make an evaluator known by name in this process.

    Installed packages use the entry-point group ``vlmops.evaluators`` instead. Decorating a class again
    under its own name (a notebook cell run twice) replaces it.

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
        holder = _origin(_registered[name]) if name in _registered else builtin_evaluators().get(name)
        if holder is not None and holder != _origin(cls):
            raise EvaluatorError(f"evaluator name {name!r} is taken by {holder}; choose another")
        _registered[name] = cls
        return cls

    return decorate


def entries() -> Iterator[EvaluatorEntry]:
    """All known evaluators, by name.

    An entry point that cannot be imported, or whose name is taken, is listed with its ``error``.

    Example:
        >>> [entry.origin for entry in entries() if entry.name == "cer"]
        ['vlmops.evaluators.documents.error_rate:CharacterErrorRate']
    """
    known = _known()
    yield from (entry for name in sorted(known) for entry in known[name])


def create(name: str, /, **parameters: Any) -> Any:
    """Make the evaluator of that name with the given parameters.

    Raises:
        EvaluatorError: The name or a parameter is unknown; the message says what may have been meant.

    Example:
        >>> create("cer", case_sensitive=False).name
        'cer'
    """
    known = _known()
    if name not in known:
        raise EvaluatorError(f"no evaluator is named {name!r}; {_meant(name, known)}")
    cls = known[name][0].load()
    try:
        return cls(**parameters)
    except TypeError as error:
        accepted = ", ".join(f.name for f in fields(cls)) if is_dataclass(cls) else "see its documentation"
        raise EvaluatorError(f"evaluator {name!r}: {error}; it takes: {accepted}") from error


def _known() -> dict[str, list[EvaluatorEntry]]:
    """Entries by name; the first of a name is the one that answers to it, the others report the clash."""
    known = {
        name: [EvaluatorEntry(name, origin, "vlmops", partial(load_class, origin))]
        for name, origin in builtin_evaluators().items()
    }
    for name, cls in _registered.items():
        if name not in known:
            known[name] = [EvaluatorEntry(name, _origin(cls), "this process", partial(_itself, cls))]
    for point in entry_points(ENTRY_POINT_GROUP):
        holders = known.setdefault(point.name, [])
        holders.append(_from_entry_point(point, holders[0] if holders else None))
    return known


def _meant(name: str, known: Iterable[str]) -> str:
    """What may have been meant by a name that is not known, and where all names are found."""
    near = get_close_matches(name, known, n=3)
    asked = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    return f"{asked}'vlmops evaluators' lists all that there are"


def _from_entry_point(point: EntryPoint, holder: EvaluatorEntry | None) -> EvaluatorEntry:
    provider = point.dist.name if point.dist is not None else point.module
    load = partial(load_class, point.value) if holder is None else partial(_refuse, point, holder)
    return EvaluatorEntry(point.name, point.value, provider, load)


def _refuse(point: EntryPoint, holder: EvaluatorEntry) -> type[Any]:
    raise EvaluatorError(f"the name {point.name!r} is taken by {holder.origin} ({holder.provider})")


def _origin(cls: type[Any]) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _itself(cls: type[Any]) -> type[Any]:
    return cls
