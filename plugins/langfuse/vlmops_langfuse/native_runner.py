"""Langfuse's own experiment runner, driven so that it loses nothing.

The runner works in a thread and a loop of its own; answers are computed on the caller's loop, where the
caller's connections live, within the trace that the runner has begun.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from vlmops.concurrency import map_each
from vlmops.errors import (
    ImageError,
    MediaError,
    PlatformError,
    PrerequisiteError,
    RunStopped,
    UsageError,
    VlmopsError,
)
from vlmops.evaluators import Failure, FailureKind
from vlmops.images import images_in, map_images
from vlmops.models import recorded_calls
from vlmops.platforms.answering import answered, case_of
from vlmops.platforms.records import ExperimentPlan, ScoreTarget
from vlmops_langfuse.asked import AskedPictures, prompt_link
from vlmops_langfuse.cells import as_cell
from vlmops_langfuse.items import shown_metadata, words
from vlmops_langfuse.media_upload import MediaTarget, acceptable
from vlmops_langfuse.references import parse_reference, reference_to, references_in
from vlmops_langfuse.runs import (
    Answer,
    AnsweredItem,
    ShownAnswer,
    not_asked,
    run_metadata,
    run_name,
    shown,
)
from vlmops_langfuse.usage import usage_details

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from langfuse import Langfuse, LangfuseGeneration

    from vlmops.datasets import Sample
    from vlmops.models import ModelCall
    from vlmops_langfuse.media import LangfuseMedia
    from vlmops_langfuse.settings import LangfuseSettings

_TIMEOUT = 60
_ATTEMPTS = 4
_MOST_METADATA = 64
"""Keys that are copied to a span, which holds 128 attributes and loses the others."""


@dataclass(frozen=True, slots=True)
class RunnerItem:
    """A dataset item as the runner reads it, with reference strings, which the trace page draws.

    Attributes:
        id: The item's id.
        dataset_id: Its dataset's id.
        input: As stored.
        expected_output: As stored.
        metadata: As stored, without machine data, which would be copied to every span; of many, the first.
    """

    id: str
    dataset_id: str
    input: Any
    expected_output: Any
    metadata: Mapping[str, Any]


class NativeRunner:
    """Runs experiments with the SDK; shares the SDK's client of these keys with the rest of the process."""

    def __init__(self, settings: LangfuseSettings, media: LangfuseMedia) -> None:
        self._settings = settings
        self._media = media
        self._made: Langfuse | None = None
        self._lock = threading.Lock()

    @property
    def client(self) -> Langfuse:
        """The SDK's client."""
        with self._lock:
            if self._made is None:
                from langfuse import Langfuse

                self._made = Langfuse(
                    public_key=self._settings.public_key,
                    secret_key=self._settings.secret_key,
                    base_url=self._settings.url,
                    timeout=_TIMEOUT,
                    sample_rate=1.0,
                )
            return self._made

    async def answer(
        self,
        plan: ExperimentPlan,
        repetition: int,
        version: str,
        items: Mapping[str, tuple[Mapping[str, Any], Sample]],
        advance: Callable[[], None],
    ) -> tuple[list[AnsweredItem], str]:
        """Answer these items (by id: the item and its sample) in the repetition's run.

        Returns:
            The answers, and why the task ended the run early, if it did: the other items then say so.

        Raises:
            PlatformError: The SDK could not read the dataset, or did not run every item.
            PrerequisiteError: The task lacks something, and would for every item.
            UsageError: The task cannot be carried out as asked.
        """
        if not items:
            return [], ""
        loop = asyncio.get_running_loop()
        taken: dict[str, AnsweredItem] = {}
        stopped: list[VlmopsError] = []

        async def task(*, item: RunnerItem, **_: Any) -> Any:
            if stopped:
                return self._ended(stopped[0])
            trace, span = self.client.get_current_trace_id(), self.client.get_current_observation_id()
            target = ScoreTarget("span", span or "", trace or "")
            work = self._answer_one(plan, repetition, item, items[item.id][1], target)
            future = asyncio.run_coroutine_threadsafe(work, loop)
            try:
                taken[item.id], said = await asyncio.wrap_future(future)
            except (RunStopped, PrerequisiteError, UsageError) as stop:
                stopped.append(stop)
                return self._ended(stop)
            self.client.update_current_span(
                input=as_cell(item.input, words(items[item.id][1].inputs)),
                metadata=said.metadata,
                level=said.level,
                status_message=said.problem,
            )
            loop.call_soon_threadsafe(advance)
            return said.output

        wanted = [_runner_item(item) for item, _ in items.values()]
        await asyncio.to_thread(self._run, plan, repetition, version, wanted, task)
        if stopped and isinstance(stopped[0], RunStopped):
            return list(taken.values()), str(stopped[0])
        if stopped:
            raise stopped[0]
        if lost := [sample.id for key, (_, sample) in items.items() if key not in taken]:
            raise PlatformError(
                f"Langfuse's runner left out {len(lost)} of {len(wanted)} samples (first: {lost[0]!r}); "
                "its log says why; run it again to continue"
            )
        return list(taken.values()), ""

    def _ended(self, stop: VlmopsError) -> None:
        """Say of an item that the run has ended before it was answered.

        Raises:
            VlmopsError: It was not ended, but cannot be carried out.
        """
        if not isinstance(stop, RunStopped):
            raise stop
        said = not_asked(str(stop))
        self.client.update_current_span(metadata=said.metadata, level=said.level, status_message=said.problem)

    async def flush(self) -> None:
        """Send what the SDK still holds."""
        if self._made is not None:
            await asyncio.to_thread(self._made.flush)

    def _run(
        self,
        plan: ExperimentPlan,
        repetition: int,
        version: str,
        items: Sequence[RunnerItem],
        task: Callable[..., Any],
    ) -> None:
        dataset = self._dataset(plan.dataset, version)
        dataset.items = list(items)
        dataset.run_experiment(
            name=plan.name,
            run_name=run_name(plan, repetition),
            description=plan.description or None,
            task=task,
            max_concurrency=plan.concurrency,
            metadata=run_metadata(plan, version, repetition),
        )

    def _dataset(self, name: str, version: str) -> Any:
        """The SDK's dataset, which pins the version of the run's items."""
        moment = datetime.fromisoformat(version).astimezone(UTC)
        problem: Exception | None = None
        for _ in range(_ATTEMPTS):
            try:
                return self.client.get_dataset(name, version=moment, fetch_items_page_size=100)
            except Exception as error:  # noqa: BLE001 - the SDK has no common base for what it raises here
                problem = error
        raise PlatformError(f"Langfuse's SDK cannot read dataset {name!r}: {problem}") from problem

    async def _answer_one(
        self, plan: ExperimentPlan, repetition: int, item: RunnerItem, sample: Sample, target: ScoreTarget
    ) -> tuple[AnsweredItem, ShownAnswer]:
        started = datetime.now(UTC)
        with self.client.start_as_current_observation(
            name=plan.name, as_type="generation", input=item.input
        ) as generation:
            try:
                with recorded_calls() as calls:
                    answer = await answered(plan, sample, repetition)
            except RunStopped as stop:
                # What passes through the observation marks it as an error.
                generation.update(status_message=not_asked(str(stop)).problem)
                ended = stop
            else:
                answer = await self._with_stored_images(answer, target)
                prediction = None if isinstance(answer, Failure) else map_images(answer.output, reference_to)
                said = shown(answer, prediction)
                described = _described(answer, said)
                if len(calls) == 1:
                    described = {**await self._asked(calls[0], item, generation), **described}
                generation.update(**described)
                return AnsweredItem(case_of(sample, answer), target, started, repetition), said
        raise ended

    async def _asked(
        self, call: ModelCall, item: RunnerItem, generation: LangfuseGeneration
    ) -> dict[str, Any]:
        """What the generation says of the one call that it was: what was asked, of whom, with which prompt.

        The item's input stays at the root, where Langfuse compares runs by it. Of several calls no single one
        is what the answer came from: there, the generation shows the item's input, too.
        """
        from opentelemetry.trace import get_current_span

        get_current_span().set_attributes(prompt_link(call))
        target = MediaTarget("input", trace_id=generation.trace_id, observation_id=generation.id)
        stored = {found.id: text for text in references_in(item.input) if (found := parse_reference(text))}
        return {
            "input": await AskedPictures(self._media, target, stored).messages(call),
            "model": call.model,
            "model_parameters": dict(call.request.parameters) or None,
        }

    async def _with_stored_images(self, answer: Answer, target: ScoreTarget) -> Answer:
        """Store the pictures of an answer; one that cannot be stored makes the answer a failure."""
        if isinstance(answer, Failure):
            return answer
        place = MediaTarget("output", trace_id=target.trace_id, observation_id=target.id)
        try:
            output = await asyncio.to_thread(map_images, answer.output, acceptable)
            await map_each(images_in(output), lambda image: self._media.store(image, place))
        except (ImageError, MediaError) as error:
            return Failure(FailureKind.TASK_ERROR, f"a picture of the answer cannot be kept: {error}")
        return replace(answer, output=output)


def _runner_item(item: Mapping[str, Any]) -> RunnerItem:
    return RunnerItem(
        item["id"],
        item["datasetId"],
        # The runner skips items without input.
        item.get("input") if item.get("input") is not None else {},
        item.get("expectedOutput"),
        dict(islice(shown_metadata(item).items(), _MOST_METADATA)),
    )


def _described(answer: Answer, said: ShownAnswer) -> dict[str, Any]:
    """What the generation says of the answer."""
    if isinstance(answer, Failure):
        # Langfuse counts an experiment's errors by its spans: the item's own is the one error.
        described: dict[str, Any] = {"level": "WARNING", "status_message": said.problem}
    else:
        described = {"output": said.output, **({"model": answer.model} if answer.model else {})}
    if answer.usage is not None:
        described["usage_details"] = usage_details(answer.usage)
        if answer.usage.cost is not None:
            described["cost_details"] = {"total": answer.usage.cost}
    return described
