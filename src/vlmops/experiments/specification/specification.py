"""The specification of a benchmark: dataset, variants, evaluators, limits, gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, PrivateAttr, ValidationError, model_validator

from vlmops.errors import UsageError
from vlmops.experiments.specification import sections
from vlmops.experiments.specification.options import default_problems, problems_error
from vlmops.experiments.specification.problems import Source, described
from vlmops.gate.rules import GateRules  # noqa: TC001 - read at run time

if TYPE_CHECKING:
    from vlmops.experiments.specification.result import SpecificationResult
    from vlmops.experiments.specification.running import VariantProgress
    from vlmops.platforms.port import Platform, Prompts

FILE_NAME = "vlmops.toml"
"""Where ``vlmops run`` looks for a specification."""


class Specification(sections.Section):
    """What is run, on what, and what must come of it; the same as the file ``vlmops.toml``.

    Attributes:
        dataset: What is run on; a text is its name on the platform.
        variants: What is compared.
        evaluators: What scores the answers.
        defaults: What holds for every variant that does not say otherwise.
        name: Put before the names of variants.
        description: For people.
        metadata: JSON recorded with each experiment.
        tags: Words by which each experiment can be found later: ``baseline = "tag:release-1"``.
        repetitions: Answers to each sample.
        key: Same key, same experiments: those begun under it are continued. Made of all that matters to the
            answers if empty.
        slices: Metadata keys, or named parts, to give the figures for separately as well.
        gate: What the last variant must keep; its rules of regression compare with the gate's own baseline
            (``"branch:main"``) on the first platform or, without one, with the first variant.
        budget: What all of it may spend; a number is US dollars.
        limits: How fast models may be asked.
        cache: What becomes of answers that are kept from earlier runs.
        platforms: Where the results go.

    Raises:
        UsageError: From :meth:`load`: the file is missing, is no TOML, or a key is unknown or wrong.

    Example:
        >>> specification = Specification(
        ...     dataset="receipts",
        ...     variants=[{"model": ["rapidocr", "openai:gpt-4.1-mini"], "prompt": "Read all text."}],
        ...     evaluators=[{"use": "cer", "key": "text"}],
        ... )
        >>> len(specification.variants[0].model), specification.limits.concurrency
        (2, 8)
    """

    dataset: sections.Dataset
    variants: tuple[sections.VariantSpec, ...] = Field(min_length=1)
    evaluators: sections.Evaluators = ()
    defaults: sections.DefaultsSpec = Field(default_factory=sections.DefaultsSpec)
    name: str = ""
    description: str = ""
    metadata: Mapping[str, Any] = Field(default_factory=dict)
    tags: sections.Tags = ()
    repetitions: sections.Count = 1
    key: str = ""
    slices: sections.Slices = ()
    gate: GateRules | None = None
    budget: sections.BudgetSection | None = None
    limits: sections.LimitsSpec = Field(default_factory=sections.LimitsSpec)
    cache: sections.CacheUse = "use"
    platforms: sections.Platforms = Field(
        default=(sections.PlatformSpec(name="phoenix"),), min_length=1, alias="on"
    )
    _folder: Path = PrivateAttr(default_factory=Path)
    _source: Source = PrivateAttr(default_factory=Source)

    @model_validator(mode="before")
    @classmethod
    def _of_one_platform(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and isinstance(values.get("on"), str):
            return {**values, "on": [values["on"]]}
        return values

    @model_validator(mode="after")
    def _fits_together(self) -> Specification:
        models = [model for variant in self.variants for model in variant.model if isinstance(model, str)]
        if problems := default_problems(models, self.defaults.options):
            raise problems_error(problems, self.defaults.options, ("defaults", "options"))
        self.model_limits  # noqa: B018 - raises
        return self

    @classmethod
    def load(cls, file: str | Path = FILE_NAME) -> Specification:
        """Read a file; relative paths in it start at its folder.

        Raises:
            UsageError: It is missing, is no TOML, or a key is unknown or wrong; the message names file,
                line and key.
        """
        path = Path(file)
        text, content = _read(path)
        try:
            found = cls.model_validate(content)
        except ValidationError as error:
            raise UsageError(described(error, cls, str(path), text)) from error
        found._folder = path.parent
        found._source = Source(str(path), text)
        return found

    @classmethod
    def of(cls, **values: Any) -> Specification:
        """A specification of these values; what is wrong with them is told as of a file.

        Raises:
            UsageError: A key is unknown or a value wrong.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise UsageError(described(error, cls)) from error

    @property
    def model_limits(self) -> Mapping[str, sections.ModelLimitsSpec]:
        """The limits of single models, by name: those of ``limits.models`` and of variants."""
        found = dict(self.limits.models)
        for variant in self.variants:
            for model in variant.model:
                name = model if isinstance(model, str) else model.name
                if variant.limits is None or found.setdefault(name, variant.limits) == variant.limits:
                    continue
                raise ValueError(f"{name} is given limits twice, and they differ: limits are one model's")
        return found

    @property
    def folder(self) -> Path:
        """Where relative paths start: the file's folder, or the current one."""
        return self._folder

    def place_of(self, *path: str | int) -> str:
        """Where a key stands, for messages: file, line and key, as far as they are known.

        Example:
            >>> Specification.of(dataset="d", variants=[{"model": "rapidocr"}]).place_of("variants", 0)
            'variants[0]'
        """
        return self._source.place_of(path)

    def changed(self, **values: Any) -> Specification:
        """The same specification with other values.

        Raises:
            UsageError: A value is wrong.
        """
        keys = {name: field.alias or name for name, field in type(self).model_fields.items()}
        own = {key: getattr(self, name) for name, key in keys.items()}
        found = type(self).of(**{**own, **{keys.get(name, name): value for name, value in values.items()}})
        found._folder = self._folder
        # A file says nothing of values that were given in the place of its own.
        found._source = Source() if "evaluators" in values else self._source
        return found

    def run(
        self,
        platforms: Platform | Sequence[Platform] | None = None,
        *,
        variants: Sequence[str] = (),
        prompts: Prompts | None = None,
        progress: VariantProgress | None = None,
    ) -> SpecificationResult:
        """Run it; blocking form of :meth:`run_async`."""
        from vlmops.blocking import blocking

        return blocking(
            lambda: self.run_async(platforms, variants=variants, prompts=prompts, progress=progress)
        )

    async def run_async(
        self,
        platforms: Platform | Sequence[Platform] | None = None,
        *,
        variants: Sequence[str] = (),
        prompts: Prompts | None = None,
        progress: VariantProgress | None = None,
    ) -> SpecificationResult:
        """Run every variant on every platform, or continue what was interrupted.

        Each call to a model is made once: what it answered is kept before any platform is told of it.

        Args:
            platforms: Where the results go; those of the specification when ``None``.
            variants: Names of variants to run; all when empty.
            prompts: Where prompts by name come from; the platforms themselves when ``None``.
            progress: Told of each variant how many samples are done, of how many.

        Raises:
            UsageError: A name is unknown, a price that the budget needs is, or the gate's baseline.
            PrerequisiteError: A package, a key or a server is missing.
            PlatformError: The dataset is not there, or a platform broke down; run it again to continue.
        """
        from vlmops.experiments.specification.running import SpecificationRun

        run = SpecificationRun(self, platforms, variants, prompts, progress)
        return await run.carried_out()


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    import tomllib

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UsageError(
            f"{path}: there is no such file; write one, or name another with --spec FILE"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: is no TOML: {error}") from error
