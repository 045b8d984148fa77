"""Models by name: the built-in ones, the user's (decorator) and third parties' (entry points)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar, cast

from vlmops.entry_points import entry_points
from vlmops.errors import PrerequisiteError, UsageError
from vlmops.models.model import Model

ENTRY_POINT_GROUP = "vlmops.models"

ModelFactory = Callable[..., Model]
"""Makes a model; called with the part of the name after ``:``, if there is one, and the parameters."""

Factory = TypeVar("Factory", bound=ModelFactory)


@dataclass(frozen=True, slots=True)
class _BuiltIn:
    target: str
    packages: tuple[str, ...] = ()
    hint: str = "pip install 'vlmops[ocr]'"
    passes_on: str = ""


_OPENAI = "vlmops.models.openai:OpenAIModel"

_BUILT_IN = {
    "azure": _BuiltIn("vlmops.models.openai:azure", passes_on=_OPENAI),
    "callable": _BuiltIn("vlmops.models.callable_model:imported"),
    "litellm": _BuiltIn(
        "vlmops.models.litellm_model:LiteLLMModel", ("litellm",), "pip install 'vlmops[litellm]'", _OPENAI
    ),
    "openai": _BuiltIn(_OPENAI),
    "rapidocr": _BuiltIn("vlmops.models.rapidocr:rapidocr", ("rapidocr", "onnxruntime")),
    "rapidocr-onnxruntime": _BuiltIn(
        "vlmops.models.rapidocr:rapidocr_onnxruntime",
        ("rapidocr_onnxruntime", "onnxruntime"),
        "pip install 'vlmops[ocr]' under Python 3.11 or 3.12: upstream does not support later ones",
    ),
    "triton": _BuiltIn("vlmops.models.triton:TritonModel"),
}
_registered: dict[str, ModelFactory] = {}


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One known kind of model.

    Attributes:
        name: The name it is asked for by; a model of a provider is ``name:model``.
        origin: ``module:attribute`` it comes from.
        error: Why it cannot be used here and how to change that; empty if it can.
    """

    name: str
    origin: str
    error: str = ""


def register(name: str) -> Callable[[Factory], Factory]:
    """Decorator: make a model class or factory known by name in this process.

    Installed packages use the entry-point group ``vlmops.models`` instead.

    Raises:
        UsageError: The name holds a ``:`` or is taken by something else.

    Example:
        >>> from vlmops.models import ModelReply, create, register
        >>> @register("doc_constant")
        ... class Constant:
        ...     def __init__(self, answer: str = "") -> None:
        ...         self.name, self.text = "doc_constant", answer
        ...     async def answer(self, request):
        ...         return ModelReply(output=self.text, text=self.text)
        >>> create("doc_constant:yes").text
        'yes'
    """
    if ":" in name:
        raise UsageError(f"model name {name!r} holds ':', which separates a provider from its model")

    def decorate(factory: Factory) -> Factory:
        known = _registered.get(name)
        if name in _BUILT_IN or (known is not None and origin_of(known) != origin_of(factory)):
            owner = _BUILT_IN[name].target if name in _BUILT_IN else origin_of(cast("ModelFactory", known))
            raise UsageError(f"model name {name!r} is taken by {owner}; choose another")
        _registered[name] = factory
        return factory

    return decorate


def entries() -> Iterator[ModelEntry]:
    """All known kinds of models by name, each with the reason if it cannot be used; imports no backend.

    Example:
        >>> "openai" in [entry.name for entry in entries()]
        True
    """
    found = {
        name: ModelEntry(name, built_in.target, _missing(built_in)) for name, built_in in _BUILT_IN.items()
    }
    for name, factory in _registered.items():
        found.setdefault(name, ModelEntry(name, origin_of(factory)))
    for point in entry_points(ENTRY_POINT_GROUP):
        found.setdefault(point.name, ModelEntry(point.name, point.value))
    yield from (found[name] for name in sorted(found))


def create(name: str, /, **parameters: Any) -> Model:
    """Make the model of that name.

    Args:
        name: ``"rapidocr"``, ``"openai:gpt-4.1-mini"``: a known name, for providers with their model.
        parameters: Passed to the backend.

    Raises:
        UsageError: The name or a parameter is unknown; the message lists what there is.
        PrerequisiteError: A package is not installed; the message says how to install it.

    Example:
        >>> create("openai:gpt-4.1-mini").name
        'openai:gpt-4.1-mini'
    """
    kind, separator, argument = name.partition(":")
    if separator and not argument:
        raise UsageError(f"model {name!r} names no model after ':'; write e.g. 'openai:gpt-4.1-mini'")
    factory, _ = factory_of(kind)
    try:
        return factory(*([argument] if argument else []), **parameters)
    except TypeError as error:
        raise UsageError(f"model {name!r} cannot be made: {_unknown(name, parameters) or error}") from error


def _unknown(name: str, parameters: Mapping[str, Any]) -> str:
    from vlmops.models.options import checked_options

    _, problems = checked_options(name, parameters)
    return "; ".join(f"{each.option}: {each.message}" for each in problems)


def factory_of(kind: str) -> tuple[ModelFactory, ModelFactory | None]:
    """What makes models of a kind, and what it passes on to the options that it does not know itself.

    Raises:
        UsageError: There is no such kind.
        PrerequisiteError: A package is not installed.

    Example:
        >>> factory_of("azure")[1].__name__
        'OpenAIModel'
    """
    if kind in _BUILT_IN:
        built_in = _BUILT_IN[kind]
        if missing := _missing(built_in):
            raise PrerequisiteError(f"model {kind!r} is {missing}")
        return _imported(built_in.target), _imported(built_in.passes_on) if built_in.passes_on else None
    if kind in _registered:
        return _registered[kind], None
    point = next((each for each in entry_points(ENTRY_POINT_GROUP) if each.name == kind), None)
    if point is None:
        known = ", ".join(entry.name for entry in entries())
        raise UsageError(f"no model is named {kind!r}; there are: {known}")
    try:
        return cast("ModelFactory", point.load()), None
    except ImportError as error:
        raise PrerequisiteError(f"model {kind!r} ({point.value}) cannot be imported: {error}") from error


def _imported(target: str) -> ModelFactory:
    module, _, attribute = target.partition(":")
    return cast("ModelFactory", getattr(import_module(module), attribute))


def _missing(built_in: _BuiltIn) -> str:
    absent = [package for package in built_in.packages if find_spec(package) is None]
    return f"unavailable: {', '.join(absent)} not installed: {built_in.hint}" if absent else ""


def origin_of(factory: Callable[..., Any]) -> str:
    """``module:name`` of a class or function; of its class for another object that can be called.

    Example:
        >>> origin_of(create)
        'vlmops.models.registry:create'
    """
    name = getattr(factory, "__qualname__", type(factory).__qualname__)
    return f"{getattr(factory, '__module__', '?')}:{name}"
