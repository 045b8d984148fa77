"""Options of models in a specification: checked when it is read, filled in when it is run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import ValidationError

    from vlmops.models.options import OptionProblem

_ENVIRONMENT = "env:"


def problems_of(model: str, options: Mapping[str, Any]) -> list[OptionProblem]:
    """What is wrong with them; what is read from the environment is not looked at.

    Example:
        >>> [problem.option for problem in problems_of("openai:m", {"api_key": "env:KEY", "stream": 7})]
        ['stream']
    """
    from vlmops.models.options import checked_options

    _, found = checked_options(model, options)
    return [each for each in found if not _from_environment(options[each.option]) or _unknown(each, model)]


def default_problems(models: Sequence[str], options: Mapping[str, Any]) -> list[OptionProblem]:
    """What is wrong with options that go to each of these models that takes them.

    Example:
        >>> default_problems(["rapidocr", "openai:m"], {"detail": "low"})
        []
        >>> default_problems(["rapidocr"], {"detail": "low"})[0].message
        'none of the models takes it; known are: parser, workers'
    """
    from vlmops.models.options import OptionProblem, hint, option_names

    names = {model: option_names(model) for model in models}
    known = sorted({name for taken in names.values() for name in taken or ()})
    found = {
        name: OptionProblem(name, f"none of the models takes it; {hint(name, known)}")
        for name in options
        if all(taken is not None and name not in taken for taken in names.values())
    }
    for model in models:
        found |= {each.option: each for each in problems_of(model, taken_by(model, options))}
    return list(found.values())


def problems_error(
    problems: Sequence[OptionProblem], options: Mapping[str, Any], table: tuple[str, ...] = ()
) -> ValidationError:
    """The error that names each option within its table among the keys of a specification."""
    from pydantic import ValidationError
    from pydantic_core import InitErrorDetails, PydanticCustomError

    details = [
        InitErrorDetails(
            type=PydanticCustomError("option", "{words}", {"words": problem.message}),
            loc=(*table, problem.option),
            input=options,
        )
        for problem in problems
    ]
    return ValidationError.from_exception_data("options", details)


def taken_by(model: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Those that the model takes; all of them where that cannot be known.

    Example:
        >>> taken_by("rapidocr", {"detail": "low", "workers": 1})
        {'workers': 1}
    """
    from vlmops.models.options import option_names

    names = option_names(model)
    return {key: value for key, value in options.items() if names is None or key in names}


def filled_in(model: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as the model is made with them.

    Raises:
        UsageError: A variable of the environment is not set, or does not fit.
    """
    from vlmops.models.options import checked_options

    values, problems = checked_options(model, {key: _value(key, value) for key, value in options.items()})
    if problems:
        raise UsageError("; ".join(f"option {each.option}: {each.message}" for each in problems))
    return values


def _value(key: str, value: Any) -> Any:
    if not _from_environment(value):
        return value
    name = value.removeprefix(_ENVIRONMENT)
    if name not in os.environ:
        raise UsageError(f"option {key} is to be read from the environment variable {name}, which is not set")
    return os.environ[name]


def _from_environment(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(_ENVIRONMENT)


def _unknown(problem: OptionProblem, model: str) -> bool:
    from vlmops.models.options import option_names

    return problem.option not in (option_names(model) or ())
