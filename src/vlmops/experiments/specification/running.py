"""Carrying a specification out: every variant on every platform, each call to a model once."""

from __future__ import annotations

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
from vlmops.experiments.specification.prompts import found_prompt
from vlmops.experiments.specification.result import SpecificationResult
from vlmops.experiments.specification.sections import EvaluatorSpec, SliceSpec
from vlmops.experiments.specification.variants import PlannedVariant, planned
from vlmops.experiments.task import ModelTask
from vlmops.platforms.port import KeepsPrompts

if TYPE_CHECKING:
    from vlmops.evaluators import Evaluator, SliceBy
    from vlmops.experiments.comparison import Comparison
    from vlmops.experiments.estimate_drift import Drift
    from vlmops.experiments.specification.sections import ModelLimitsSpec
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
            pushed, lost = await self._pushed()
            dataset = self._specification.dataset.name if pushed is None else pushed.dataset
            await self._require_baseline(dataset)
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
                        lost[name] = str(error)
                        if len(lost) == len(results):
                            raise
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
            result = await experiment.run_async(platform, told)
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

    async def _pushed(self) -> tuple[PushReport | None, dict[str, str]]:
        """What became of the dataset's source, and which platforms broke down over it, and why.

        There is no report where the platforms have the dataset already.
        """
        from vlmops.datasets import Columns, ImageDataset
        from vlmops.platforms.push import push_async

        given = self._specification.dataset
        if given.source is None:
            return None, {}
        columns = Columns(given.images, given.expected, given.inputs, given.id)
        place = given.source if ":" in given.source else self._specification.folder / given.source
        dataset = ImageDataset.load(place, name=given.name, columns=columns)
        report = await push_async(dataset, self._platforms)
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
                f"{len(problems)} samples of {place} cannot be pushed, the first: "
                f"{first.source or first.id}: {first.message}; 'vlmops push' lists all"
            )
        return report, lost

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
