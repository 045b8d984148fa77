"""The variants that a specification stands for, each with one model, one prompt and one set of parameters."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError
from vlmops.experiments.specification.options import filled_in, taken_by
from vlmops.models.named_function import named_function
from vlmops.models.options import is_secret
from vlmops.platforms.prompts import PromptVersion

if TYPE_CHECKING:
    from vlmops.experiments.specification.sections import DefaultsSpec, PromptSpec, VariantSpec
    from vlmops.experiments.specification.specification import Specification
    from vlmops.models import Model


@dataclass(frozen=True, slots=True)
class PlannedVariant:
    """One way to answer.

    Attributes:
        name: How it is called.
        model: Name of the model, or the model.
        options: How the model is made.
        prompt: The question; ``None`` for the sample's own.
        parameters: What is passed on with each request.
        schema: What the answer must fit.
        post_process: Makes the output of the reply.
        folder: Where the specification lies, and with it the files of functions that are models.
        prompt_place: Where its prompt stands in the specification, for messages.
    """

    name: str
    model: str | Model
    options: Mapping[str, Any] = field(default_factory=dict)
    prompt: PromptSpec | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    schema: Any = None
    post_process: Callable[..., Any] | None = None
    folder: Path = field(default_factory=Path)
    prompt_place: str = ""

    @property
    def model_name(self) -> str:
        """The model's name."""
        return self.model if isinstance(self.model, str) else self.model.name

    def made_model(self) -> Model:
        """The model.

        Raises:
            UsageError: Its name or an option is unknown, or a variable of the environment is not set.
            PrerequisiteError: A package is not installed.
        """
        from vlmops.models import create

        if not isinstance(self.model, str):
            return self.model
        try:
            return create(self.model, **filled_in(self.model, {**self._placed(), **self.options}))
        except UsageError as error:
            raise UsageError(f"variant {self.name!r}: {error}") from error

    def _placed(self) -> Mapping[str, Any]:
        """A function that is a model may be of a file beside the specification."""
        return {"folder": str(self.folder)} if str(self.model).startswith("callable:") else {}

    def recorded(self, prompt: str | PromptVersion | None) -> dict[str, Any]:
        """What is recorded of it with its experiment, without secrets."""
        options = {key: value for key, value in self.options.items() if not is_secret(key)}
        content = {
            **(_recorded_version(prompt, self.prompt) if isinstance(prompt, PromptVersion) else {}),
            "parameters": dict(self.parameters),
            "options": options,
            "schema": self.schema if isinstance(self.schema, Mapping) else None,
        }
        kept = {key: value for key, value in content.items() if value}
        text = prompt.text if isinstance(prompt, PromptVersion) else prompt
        return {"model": self.model_name, "prompt": text, **kept}


def _recorded_version(version: PromptVersion, asked_for: PromptSpec | None) -> dict[str, Any]:
    return {
        "prompt_name": version.prompt.name,
        "prompt_version": version.version,
        "prompt_label": asked_for.label if asked_for else None,
    }


def planned(specification: Specification) -> list[PlannedVariant]:
    """Every variant, in order, each with a name of its own.

    Raises:
        UsageError: Two have the same name, or a schema or function cannot be had.
    """
    defaults, folder, prefix = specification.defaults, specification.folder, specification.name
    found: dict[str, PlannedVariant] = {}
    for position, spec in enumerate(specification.variants):
        keys = ("variants", position, "prompt") if spec.prompt else ("defaults", "prompt")
        prompt_place = specification.place_of(*keys)
        for variant in _multiplied(spec, defaults, folder, prompt_place):
            if variant.name in found:
                place = specification.place_of("variants", position)
                raise UsageError(f"{place}: several are named {variant.name!r}: give each a name of its own")
            found[variant.name] = variant
    return (
        [replace(each, name=f"{prefix} {each.name}") for each in found.values()]
        if prefix
        else list(found.values())
    )


def _multiplied(
    spec: VariantSpec, defaults: DefaultsSpec, folder: Path, prompt_place: str
) -> list[PlannedVariant]:
    asked_for = defaults.answer_schema if spec.answer_schema is None else spec.answer_schema
    schema, process = _schema(asked_for, folder), _function(spec.post_process, folder)
    prompts: Sequence[PromptSpec | None] = spec.prompt or defaults.prompt or (None,)
    settings: Sequence[Mapping[str, Any]] = spec.parameters or ({},)
    found = []
    for model, (number, prompt), parameters in product(spec.model, enumerate(prompts, 1), settings):
        model_name = model if isinstance(model, str) else model.name
        parts = [spec.name or model_name]
        if spec.name and len(spec.model) > 1:
            parts.append(model_name)
        if len(prompts) > 1 and prompt is not None:
            parts.append(_label(prompt, number))
        if len(settings) > 1:
            parts.append(" ".join(f"{key}={value}" for key, value in parameters.items()) or "defaults")
        general = taken_by(model, defaults.options) if isinstance(model, str) else {}
        options, passed_on = {**general, **spec.options}, {**defaults.parameters, **parameters}
        name = " ".join(parts)
        found.append(
            PlannedVariant(name, model, options, prompt, passed_on, schema, process, folder, prompt_place)
        )
    return found


def _label(prompt: PromptSpec, number: int) -> str:
    if prompt.tag:
        return prompt.tag
    if prompt.file is not None:
        return Path(prompt.file).stem
    if prompt.name is not None:
        which = prompt.label or prompt.version
        return f"{prompt.name}@{which}" if which else prompt.name
    return f"prompt {number}"


def _schema(schema: Any, folder: Path) -> Any:
    if not isinstance(schema, Mapping) or set(schema) != {"file"}:
        return schema
    path = folder / str(schema["file"])
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"schema {path}: cannot be read: {error}") from error


def _function(named: str | Callable[..., Any] | None, folder: Path) -> Callable[..., Any] | None:
    if named is None or callable(named):
        return named
    try:
        return named_function(named, folder)
    except UsageError as error:
        raise UsageError(f"post_process: {error}") from error
