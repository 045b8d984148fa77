"""Carrying a specification out: every variant on every platform, each call to a model once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from vlmops.engine import Budget, Engine, Limits, ResponseCache, Retry
from vlmops.errors import EvaluatorError, PlatformError, RunStopped, UsageError
from vlmops.evaluators import Slice, asked_through, models_of
from vlmops.experiments.estimate_drift import record_drift
from vlmops.experiments.experiment import Experiment, ExperimentResult
from vlmops.experiments.selector import ExperimentSelector
from vlmops.experiments.slots import require_filled, slots_of, unfilled
from vlmops.experiments.specification.prompts import found_prompt, title_of
from vlmops.experiments.specification.result import SpecificationResult
from vlmops.experiments.specification.sections import EvaluatorSpec, SliceSpec
from vlmops.experiments.specification.variants import PlannedVariant, planned
from vlmops.experiments.task import ModelTask
from vlmops.platforms.port import KeepsPrompts

if TYPE_CHECKING:
    from pathlib import Path

    from vlmops.datasets import ImageDataset
    from vlmops.evaluators import Evaluator, SliceBy
    from vlmops.experiments.comparison import Comparison
    from vlmops.experiments.estimate_drift import Drift
    from vlmops.experiments.specification.sections import ModelLimitsSpec, PromptSpec
    from vlmops.experiments.specification.specification import Specification
    from vlmops.gate.result import GateResult
    from vlmops.models import Model
    from vlmops.platforms.outcome import PushReport
    from vlmops.platforms.port import Platform, Prompts
    from vlmops.platforms.prompts import PromptVersion

VariantProgress = Callable[[str, int, int], None]
"""Told of which variant how many samples are done, of how many."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """A variant with its model and its prompt."""

    variant: PlannedVariant
    model: Model
    prompt: str | PromptVersion | None


class SpecificationRun:
    """One run of a specification; see :meth:`Specification.run_async`."""

    def __init__(
        self,
        specification: Specification,
        platforms: Platform | Sequence[Platform] | None,
        variants: Sequence[str],
        prompts: Prompts | None,
        progress: VariantProgress | None,
    ) -> None:
        self._specification = specification
        self._platforms = _connected(specification, platforms)
        self._variants = _chosen(planned(specification), variants)
        self._prompts = prompts or _prompts_of(self._platforms)
        self._progress = progress
        self._evaluators: list[Evaluator] = [
            _made(each, specification, position) if isinstance(each, EvaluatorSpec) else each
            for position, each in enumerate(specification.evaluators)
        ]
        self._slices: list[SliceBy] = [
            each.made() if isinstance(each, SliceSpec) else each for each in specification.slices
        ]

    async def carried_out(self) -> SpecificationResult:
        """Run all of it."""
        async with AsyncExitStack() as stack:
            engine = await stack.enter_async_context(self._engine(stack))
            ready = [self._ready(engine, variant, stack) for variant in self._variants]
            self._evaluators = asked_through(self._evaluators, engine.model)
            for platform in self._platforms:
                await stack.enter_async_context(platform)
            made = [await self._with_prompt(each) for each in ready]
            source = self._source()
            pushed, lost = await self._pushed(source)
            dataset = self._specification.dataset.name if pushed is None else pushed.dataset
            await self._require_baseline(dataset)
            await self._require_inputs(made, source, dataset, lost)
            results: dict[str, list[ExperimentResult]] = {name: [] for name in self._names()}
            drifts: dict[str, Sequence[Drift]] = {}
            stopped = ""
            for each in made:
                experiment = self._experiment(each, dataset)
                for name, platform in zip(results, self._platforms, strict=True):
                    if name in lost:
                        continue
                    try:
                        result, reason = await self._run(experiment, platform, each.variant.name)
                    except PlatformError as error:
                        self._lose(name, error, lost)
                        continue
                    stopped = stopped or reason
                    if result is not None:
                        results[name].append(result)
                        drifts.setdefault(each.variant.name, record_drift(result.record, experiment.metadata))
                if stopped:
                    break
            first = next(found for name, found in results.items() if name not in lost)
            return SpecificationResult(
                results,
                engine.tally,
                await self._compared(first),
                None if stopped else await self._gated(first, dataset, lost),
                {name: found for name, found in drifts.items() if found},
                stopped,
                pushed,
                lost,
            )

    async def _run(
        self, experiment: Experiment, platform: Platform, name: str
    ) -> tuple[ExperimentResult | None, str]:
        progress = self._progress
        told = None if progress is None else lambda done, total: progress(name, done, total)
        try:
            result = await experiment.carried_out(platform, told)
        except RunStopped as stopped:
            return None, str(stopped)
        return result, result.record.stopped

    async def _compared(self, results: Sequence[ExperimentResult]) -> Comparison | None:
        from vlmops.experiments.comparison import compare_async

        if len(results) < 2:
            return None
        return await compare_async([each.record for each in results], self._evaluators, slices=self._slices)

    async def _require_baseline(self, dataset: str) -> None:
        """Look for the gate's baseline before anything is paid for."""
        rules = self._specification.gate
        if rules is None or not rules.compares:
            return
        if rules.baseline is not None:
            try:
                await ExperimentSelector.parse(rules.baseline).find(self._platforms[0], dataset)
            except (PlatformError, UsageError) as error:
                raise type(error)(f"gate.baseline: {error}; {_FIRST_RUN}") from error
        elif len(self._variants) < 2:
            raise UsageError(
                "gate: max_drop and max_increase compare with a baseline: name one "
                '(baseline = "branch:main"), or run a second variant'
            )

    async def _gated(
        self, results: Sequence[ExperimentResult], dataset: str, lost: Collection[str]
    ) -> GateResult | None:
        """What the gate says; nothing where its baseline is on a platform that broke down."""
        from vlmops.gate.decision import gate_async

        rules = self._specification.gate
        if rules is None or (rules.baseline is not None and self._names()[0] in lost):
            return None
        candidate, baseline = results[-1].record, results[0].record if len(results) > 1 else None
        if rules.baseline is not None:
            platform, own = self._platforms[0], [each.record.id for each in results]
            found = await ExperimentSelector.parse(rules.baseline).find(platform, dataset, exclude=own)
            baseline = await platform.experiments.read(found)
        named = [each for each in self._slices if isinstance(each, Slice)]
        return await gate_async(candidate, rules, baseline, self._evaluators, named)

    def _engine(self, stack: AsyncExitStack) -> Engine:
        given = self._specification
        cache = stack.enter_context(nullcontext() if given.cache == "off" else ResponseCache.default())
        budget = Budget(usd=given.budget.usd, tokens=given.budget.tokens) if given.budget else None
        names = {each.model_name for each in self._variants}
        names |= {model.name for model in models_of(self._evaluators)}
        own = given.model_limits
        limits = {name: _limits(given.limits, own.get(name)) for name in names}
        retry = Retry(tries=given.limits.tries, timeout=given.limits.timeout, deadline=given.limits.deadline)
        return Engine(cache=cache, limits=limits, retry=retry, budget=budget, fresh=given.cache == "fresh")

    def _ready(self, engine: Engine, variant: PlannedVariant, stack: AsyncExitStack) -> _Ready:
        model = variant.made_model()
        if isinstance(variant.model, str) and (close := getattr(model, "close", None)) is not None:
            stack.callback(close)
        return _Ready(variant, engine.model(model), None)

    async def _with_prompt(self, ready: _Ready) -> _Ready:
        prompt = ready.variant.prompt
        if prompt is None:
            return ready
        found = await found_prompt(prompt, self._specification.folder, self._prompts)
        return _Ready(ready.variant, ready.model, found)

    @property
    def _place(self) -> str | Path | None:
        """Where the dataset lies beside the specification; nowhere where the platforms have it already."""
        source = self._specification.dataset.source
        return source if source is None or ":" in source else self._specification.folder / source

    def _source(self) -> ImageDataset | None:
        from vlmops.datasets import Columns, ImageDataset

        given = self._specification.dataset
        columns = Columns(given.images, given.expected, given.inputs, given.id)
        place = self._place
        return None if place is None else ImageDataset.load(place, name=given.name, columns=columns)

    async def _pushed(self, source: ImageDataset | None) -> tuple[PushReport | None, dict[str, str]]:
        """What became of the dataset's source, and which platforms broke down over it, and why."""
        from vlmops.platforms.push import push_async

        if source is None:
            return None, {}
        report = await push_async(source, self._platforms)
        # What befalls a platform as a whole is a failure of no sample.
        lost = {
            name: failure.message
            for name, target in zip(self._names(), report.targets, strict=True)
            for failure in target.failures
            if not failure.id
        }
        problems = [*report.failures, *(f for target in report.targets for f in target.failures if f.id)]
        if problems:
            first = problems[0]
            raise UsageError(
                f"{len(problems)} samples of {self._place} cannot be pushed, the first: "
                f"{first.source or first.id}: {first.message}; 'vlmops push' lists all"
            )
        return report, lost

    async def _require_inputs(
        self, ready: Sequence[_Ready], source: ImageDataset | None, dataset: str, lost: dict[str, str]
    ) -> None:
        """Tell of prompts that no sample can fill before anything is asked.

        What the source has, the platforms have by now. They may have more, so that what it lacks is looked
        for there.
        """
        prompts = self._told_prompts(ready)
        if not prompts or (source is not None and not await asyncio.to_thread(unfilled, prompts, source)):
            return
        for name, platform in zip(self._names(), self._platforms, strict=True):
            if name in lost:
                continue
            try:
                there = await platform.datasets.read(dataset, self._specification.dataset.version)
            except PlatformError as error:
                self._lose(name, error, lost)
            else:
                await asyncio.to_thread(require_filled, prompts, there)

    def _told_prompts(self, ready: Sequence[_Ready]) -> list[tuple[str, str | PromptVersion]]:
        """Prompts with slots, each once, after where it stands, what asks with it, and what it is called."""
        asking: dict[tuple[str, PromptSpec], list[str]] = {}
        prompts: dict[tuple[str, PromptSpec], str | PromptVersion] = {}
        for each in ready:
            spec = each.variant.prompt
            if spec is not None and each.prompt is not None and slots_of(each.prompt):
                place = (each.variant.prompt_place, spec)
                asking.setdefault(place, []).append(repr(each.variant.name))
                prompts[place] = each.prompt
        folder = self._specification.folder
        return [
            (f"{place}: variant {', '.join(asking[place, spec])}: {title_of(spec, folder, prompt)}", prompt)
            for (place, spec), prompt in prompts.items()
        ]

    def _lose(self, name: str, error: PlatformError, lost: dict[str, str]) -> None:
        """Go on without a platform that broke down, unless it is the last.

        Raises:
            PlatformError: It is.
        """
        lost[name] = str(error)
        if len(lost) == len(self._platforms):
            raise error

    def _experiment(self, ready: _Ready, dataset: str) -> Experiment:
        given, variant = self._specification, ready.variant
        return Experiment(
            dataset=dataset,
            name=variant.name,
            task=ModelTask(
                ready.model, ready.prompt, variant.schema, variant.parameters, variant.post_process
            ),
            evaluators=self._evaluators,
            version=given.dataset.version,
            key=f"{given.key}:{variant.name}" if given.key else "",
            description=given.description,
            metadata={**given.metadata, **variant.recorded(ready.prompt)},
            repetitions=given.repetitions,
            concurrency=given.limits.concurrency,
            # The engine keeps time: waiting for a turn under a limit must not count.
            timeout=inf,
            slices=self._slices,
            tags=given.tags,
        )

    def _names(self) -> list[str]:
        counts = Counter(platform.name for platform in self._platforms)
        return [
            f"{platform.name} {platform.location}" if counts[platform.name] > 1 else platform.name
            for platform in self._platforms
        ]


def _made(spec: EvaluatorSpec, specification: Specification, position: int) -> Evaluator:
    """The evaluator; what is wrong with it is told with its place in the file."""
    try:
        return spec.made(specification.folder)
    except (EvaluatorError, UsageError) as error:
        raise type(error)(f"{specification.place_of('evaluators', position)}: {error}") from error


def _connected(
    specification: Specification, platforms: Platform | Sequence[Platform] | None
) -> Sequence[Platform]:
    from vlmops.platforms import connect

    if platforms is None:
        return [
            connect(each.placed(specification.folder), **(each.model_extra or {}))
            for each in specification.platforms
        ]
    return platforms if isinstance(platforms, Sequence) else [platforms]


def _chosen(variants: Sequence[PlannedVariant], names: Sequence[str]) -> Sequence[PlannedVariant]:
    known = {variant.name: variant for variant in variants}
    for name in names:
        if name not in known:
            raise UsageError(f"no variant is named {name!r}; there are: {', '.join(map(repr, known))}")
    return [known[name] for name in names] or variants


def _prompts_of(platforms: Sequence[Platform]) -> Prompts | None:
    """Those of the first platform that keeps any."""
    return next((platform.prompts for platform in platforms if isinstance(platform, KeepsPrompts)), None)


def _limits(general: ModelLimitsSpec, own: ModelLimitsSpec | None) -> Limits:
    given = general.model_dump(include=set(type(general).model_fields) & _LIMITS, exclude_none=True)
    if own is not None:
        given |= own.model_dump(exclude_none=True)
    return Limits(**given)


_FIRST_RUN = "to make the first such run, leave the gate out of it (--no-gate; changed(gate=None) in Python)"
_LIMITS = {"concurrency", "requests_per_minute", "tokens_per_minute"}
