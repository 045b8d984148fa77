"""The sections of a specification, the same in ``vlmops.toml`` and in Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping  # noqa: TC003 - read at run time
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    ValidationInfo,
    field_validator,
    model_validator,
)

from vlmops.errors import UsageError
from vlmops.evaluators import Evaluator, Slice
from vlmops.experiments.specification.options import problems_error, problems_of
from vlmops.experiments.tags import checked_tags
from vlmops.models import Model  # noqa: TC001 - read at run time

Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Section(BaseModel):
    """Base of all: keys are fixed, and unknown ones are errors."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=True
    )


def _named(key: str) -> BeforeValidator:
    """Lets a text stand for a table that has nothing but this key."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


def _many(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


class DatasetSpec(Section):
    """What is run on.

    Attributes:
        name: Its name on the platform; that of the source's folder or file if there is one.
        version: Its version there; the newest otherwise.
        source: A folder or table that is pushed first, so that the platform has what it holds; relative
            paths start at the file.
        images: Columns of the table that hold pictures.
        expected: Columns that hold the expected value.
        inputs: Further columns for the model.
        id: The column that holds the id.
    """

    name: str = ""
    version: str | None = None
    source: str | None = None
    images: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    id: str = "id"

    @model_validator(mode="after")
    def _is_somewhere(self) -> DatasetSpec:
        if not self.name and self.source is None:
            raise ValueError("give name (on the platform) or source (a folder or table)")
        return self


class PromptSpec(Section):
    """A question: as text, in a file, or by the name it has on a platform; exactly one of the three.

    Attributes:
        text: The question itself.
        file: A text file; relative paths start at the specification's.
        name: A prompt of the platform.
        version: Its version there; the newest otherwise.
        label: Its label there (``"production"``), in the place of a version.
        tag: What variants that differ in their prompt are called by; the file's or prompt's name otherwise.
    """

    text: str | None = None
    file: str | None = None
    name: str | None = None
    version: str | int | None = None
    label: str | None = None
    tag: str = ""

    @model_validator(mode="after")
    def _is_one(self) -> PromptSpec:
        if sum(value is not None for value in (self.text, self.file, self.name)) != 1:
            raise ValueError("give one of text, file and name")
        if self.name is None and (self.version is not None or self.label is not None):
            raise ValueError("version and label belong to a prompt by name")
        return self


class ModelLimitsSpec(Section):
    """How fast a model may be asked; see :class:`~vlmops.engine.Limits`."""

    concurrency: Count | None = None
    requests_per_minute: Positive | None = None
    tokens_per_minute: Positive | None = None


Prompts = Annotated[tuple[Annotated[PromptSpec, _named("text")], ...], BeforeValidator(_many)]


class DefaultsSpec(Section):
    """What holds for every variant that does not say otherwise.

    Attributes:
        options: How models are made; each goes to the models that take it, a variant's own goes before it.
        parameters: What is passed on with each request, besides a variant's own.
        prompt: The question, or several.
        answer_schema: ``schema`` in the file.
    """

    options: Mapping[str, Any] = Field(default_factory=dict)
    parameters: Mapping[str, Any] = Field(default_factory=dict)
    prompt: Prompts = ()
    answer_schema: Any = Field(default=None, alias="schema")


class VariantSpec(Section):
    """One way to answer, or several: where model, prompt or parameters are lists, each with each.

    Attributes:
        name: How it is called in tables and on the platform; the model's name otherwise. What differs among
            several is added.
        model: Name of a model, or the model itself; or a list of them.
        options: How the model is made (``base_url``, ``detail``, ...): what :func:`vlmops.models.create`
            takes. ``"env:NAME"`` is read from the environment, which is the place for keys.
        limits: How fast the model may be asked, in the place of the general limits; those of a model hold
            for all variants that ask it.
        prompt: The question; or a list of them. Without one, the sample's own is asked.
        parameters: What is passed on with each request (``temperature``, ...); or a list of them.
        answer_schema: ``schema`` in the file: JSON Schema the answer must fit, or ``{file = "..."}``.
        post_process: Makes the output of the reply: ``"module:function"``, of a file ``module.py`` beside the
            specification or of an installed module, or the function itself.
    """

    name: str = ""
    model: Annotated[tuple[str | Model, ...], BeforeValidator(_many), Field(min_length=1)]
    options: Mapping[str, Any] = Field(default_factory=dict)
    limits: ModelLimitsSpec | None = None
    prompt: Prompts = ()
    parameters: Annotated[tuple[Mapping[str, Any], ...], BeforeValidator(_many)] = ()
    answer_schema: Any = Field(default=None, alias="schema")
    post_process: str | Callable[..., Any] | None = None

    @field_validator("options")
    @classmethod
    def _are_taken(cls, options: Mapping[str, Any], info: ValidationInfo) -> Mapping[str, Any]:
        for model in info.data.get("model", ()):
            if options and not isinstance(model, str):
                raise ValueError("options are for a model by name: this one is made already")
            if problems := problems_of(model, options):
                raise problems_error(problems, options)
        return options


class EvaluatorSpec(Section):
    """An evaluator by name, with its parameters beside it.

    Attributes:
        use: The evaluator's name; ``vlmops evaluators`` lists them.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    use: str

    def made(self, folder: Path) -> Evaluator:
        """The evaluator.

        Args:
            folder: Where relative paths of its files start.

        Raises:
            EvaluatorError: Its name or a parameter is unknown.
        """
        from vlmops.evaluators import create
        from vlmops.evaluators.evaluator_file import rooted

        evaluator: Evaluator = create(self.use, **rooted(self.use, self.model_extra or {}, folder))
        return evaluator


class SliceSpec(Section):
    """A part of the samples: those whose metadata has one of these values.

    Attributes:
        name: How it is called.
        key: Dotted key of the metadata.
        values: Any of them; a value that is a list fits if it holds one of them.
    """

    name: str
    key: str
    values: tuple[str | int | float | bool, ...]

    def made(self) -> Slice:
        """The slice."""
        from vlmops.evaluators.selection import select

        def holds(case: Any) -> bool:
            value = select(case.metadata, self.key)
            return any(one in self.values for one in (value if isinstance(value, list | tuple) else [value]))

        return Slice(self.name, holds)


class BudgetSpec(Section):
    """What the run may spend.

    Attributes:
        usd: US dollars.
        tokens: Tokens in and out.
    """

    usd: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    tokens: Annotated[int, Field(ge=0)] | None = None


class LimitsSpec(ModelLimitsSpec):
    """How fast models may be asked, and how long.

    Attributes:
        timeout: Seconds one try may take; the model's own otherwise.
        deadline: Seconds one answer may take, with all of its tries.
        tries: Tries in all.
        models: Limits of single models, by name.
    """

    concurrency: Count = 8
    timeout: Positive | None = None
    deadline: Positive = 600.0
    tries: Count = 6
    models: Mapping[str, ModelLimitsSpec] = Field(default_factory=dict)


class PlatformSpec(Section):
    """Where results go.

    Attributes:
        name: ``"phoenix"``, ``"langfuse"``, ``"folder:results"``, ...; other keys are the adapter's own
            (``url``, ...). A relative folder starts at the specification's file.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str

    def placed(self, folder: Path) -> str:
        """The name with a relative folder below the given one: what ``connect`` and ``--on`` take.

        Example:
            >>> PlatformSpec(name="folder:results").placed(Path("bench"))
            'folder:bench/results'
        """
        kind, separator, place = self.name.partition(":")
        if kind != "folder" or not separator:
            return self.name
        return f"folder:{folder / Path(place).expanduser()}"


def _checked_tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return checked_tags(tags)
    except UsageError as error:
        raise ValueError(str(error)) from error


Tags = Annotated[tuple[str, ...], BeforeValidator(_many), AfterValidator(_checked_tags)]
CacheUse = Literal["use", "fresh", "off"]
"""Whether answers kept from earlier runs are used, asked for anew and kept, or neither used nor kept."""

Dataset = Annotated[DatasetSpec, _named("name")]
Evaluators = tuple[Annotated[EvaluatorSpec, _named("use")] | Evaluator, ...]
Slices = tuple[str | SliceSpec | InstanceOf[Slice], ...]
Platforms = tuple[Annotated[PlatformSpec, _named("name")], ...]
BudgetSection = Annotated[
    BudgetSpec, BeforeValidator(lambda value: {"usd": value} if isinstance(value, int | float) else value)
]
