"""What a kind of model takes when it is made: the names and types of its options."""

from __future__ import annotations

import collections.abc
import difflib
import inspect
import sys
import types
import typing
from dataclasses import dataclass, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from vlmops.errors import PrerequisiteError, UsageError
from vlmops.models.cards.card import StructuredOutput
from vlmops.models.registry import factory_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pydantic import TypeAdapter

    from vlmops.models.registry import ModelFactory

_SECRET = ("key", "token", "secret", "password", "authorization", "headers")
_BY_KEYWORD = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True, slots=True)
class OptionProblem:
    """What is wrong with one option.

    Attributes:
        option: Its name.
        message: What is wrong, and what would be right.
    """

    option: str
    message: str


def option_names(model: str) -> list[str] | None:
    """The options that the model of that name takes; ``None`` where that cannot be known.

    Example:
        >>> option_names("triton:detector")[:3]
        ['batched', 'image_input', 'output']
        >>> option_names("nosuch") is None
        True
    """
    adapters = _adapters(model.partition(":")[0], ":" in model)
    return None if adapters is None else sorted(adapters)


def checked_options(model: str, options: Mapping[str, Any]) -> tuple[dict[str, Any], list[OptionProblem]]:
    """The options as the model takes them, and what is wrong with them.

    Values are converted where nothing is lost: a list becomes a tuple, the text of a number a number.

    Args:
        model: Name of a model.
        options: See :func:`vlmops.models.create`.

    Example:
        >>> checked_options("openai:gpt-4o", {"formats": ["image/png"], "timeout": "30"})
        ({'formats': ('image/png',), 'timeout': 30.0}, [])
        >>> _, (problem,) = checked_options("openai:gpt-4o", {"detial": "low"})
        >>> problem.message
        "unknown option of openai; did you mean 'detail'?"
    """
    from pydantic import ValidationError

    adapters = _adapters(model.partition(":")[0], ":" in model)
    if adapters is None:
        return dict(options), []
    values: dict[str, Any] = {}
    problems: list[OptionProblem] = []
    for name, value in options.items():
        if name not in adapters:
            kind = model.partition(":")[0]
            words = f"unknown option of {kind}; {hint(name, sorted(adapters))}"
            problems.append(OptionProblem(name, words))
            continue
        try:
            values[name] = adapters[name].validate_python(value)
        except ValidationError as error:
            shown = None if is_secret(name) else value
            problems.append(OptionProblem(name, _said(error.errors()[0]["msg"], shown)))
    return values, problems


def is_secret(option: str) -> bool:
    """Whether the value of an option is nobody's business.

    Example:
        >>> is_secret("api_key"), is_secret("detail")
        (True, False)
    """
    return any(word in option.lower() for word in _SECRET)


def hint(name: str, known: Sequence[str]) -> str:
    """What may have been meant by a name that is not known.

    Example:
        >>> hint("modle", ["model", "prompt"]), hint("x", ["model", "prompt"])
        ("did you mean 'model'?", 'known are: model, prompt')
    """
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(known) or 'none'}"


def _said(message: str, value: Any) -> str:
    words = message[:1].lower() + message[1:]
    return f"{words}, not {value!r}" if isinstance(value, str | int | float | bool) else words


def _adapters(kind: str, named: bool) -> Mapping[str, TypeAdapter[Any]] | None:
    """A reader for each option; ``named`` says that the model's name takes the first parameter."""
    try:
        return _adapters_of(*factory_of(kind), named)
    except (UsageError, PrerequisiteError):
        return None


@cache
def _adapters_of(
    factory: ModelFactory, passes_on: ModelFactory | None, named: bool
) -> Mapping[str, TypeAdapter[Any]] | None:
    """Kept by what makes the models: another may be registered under the same name (notebooks)."""
    from pydantic import ConfigDict, TypeAdapter

    parameters = _parameters(factory)
    if named:
        parameters = parameters[1:]
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters):
        if passes_on is None:
            return None
        own = {each.name for each in _parameters(factory)}
        parameters += [each for each in _parameters(passes_on)[1:] if each.name not in own]
    module = sys.modules[getattr(passes_on or factory, "__module__", __name__)]
    loose = ConfigDict(arbitrary_types_allowed=True)
    return {
        each.name: TypeAdapter(_evaluated(each.annotation, vars(module)), config=loose)
        for each in parameters
        if each.kind in _BY_KEYWORD
    }


def _parameters(factory: Callable[..., Any]) -> list[inspect.Parameter]:
    return list(inspect.signature(factory).parameters.values())


def _evaluated(annotation: Any, names: Mapping[str, Any]) -> Any:
    """The type behind an annotation; any at all where its names are known to type checkers alone."""
    if annotation is inspect.Parameter.empty:
        return Any
    if not isinstance(annotation, str):
        return _plain(annotation)
    known = {**vars(collections.abc), **vars(typing), "StructuredOutput": StructuredOutput, **names}
    try:
        return _plain(eval(annotation, known))  # noqa: S307 - source code of what is going to be called
    except NameError:
        return Any


def _plain(annotation: Any) -> Any:
    """Objects of our own are taken as they are, never made of tables."""
    from pydantic import InstanceOf

    if isinstance(annotation, types.UnionType):
        return typing.Union[tuple(map(_plain, typing.get_args(annotation)))]  # noqa: UP007 - made at run time
    instance_of: Any = InstanceOf
    return instance_of[annotation] if is_dataclass(annotation) else annotation
