"""What tests of a contract push to a platform, and what they read from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from vlmops.datasets import Sample
from vlmops.evaluators import (
    Score,
)
from vlmops.platforms import (
    ExecutionQuery,
    KeepsPrompts,
    Platform,
    Prompt,
    PromptTurn,
    PromptVersion,
    ScoreReport,
)
from vlmops.testing.pictures import picture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vlmops.platforms.records import Execution, ExperimentHeader, ExperimentRecord, TargetedScore


def samples(count: int) -> list[Sample]:
    """Samples with a picture, nested values, a split and tags."""
    return [
        Sample(
            f"s{i}",
            {"image": picture(i), "question": f"Which number is <{i}>?", "options": [1, 2.5, None, True]},
            expected={"text": f"s{i}", "nested": {"deep": [{"a": i}], "empty": {}}},
            metadata={"kind": "even" if i % 2 == 0 else "odd", "umlaut": "Größe ✓"},
            split="test" if i % 2 == 0 else "train",
            tags=("small", f"n{i}"),
        )
        for i in range(count)
    ]


def ids_on(platform: Platform, name: str, version: str | None = None) -> set[str]:
    """Ids of the dataset's samples there."""
    from vlmops.blocking import blocking

    dataset = blocking(lambda: platform.datasets.read(name, version), platform)
    return {sample.id for sample in dataset}


def read_back(platform: Platform, experiment_id: str) -> ExperimentRecord:
    """The experiment as the platform has it now."""
    from vlmops.blocking import blocking

    return blocking(lambda: platform.experiments.read(experiment_id), platform)


def found_on(
    platform: Platform, dataset: str, name: str | None = None, metadata: Mapping[str, Any] | None = None
) -> list[ExperimentHeader]:
    """Experiments on the dataset, newest first."""
    from vlmops.blocking import blocking

    found = blocking(lambda: platform.experiments.find(dataset, name=name, metadata=metadata), platform)
    return list(found)


def scores_of(record: ExperimentRecord) -> dict[str, dict[str, object]]:
    """Values of the scores of each sample."""
    return {
        run.case.id: {result.name: result.value for result in run.results if isinstance(result, Score)}
        for run in record.runs
    }


def executions_on(platform: Platform, query: ExecutionQuery) -> list[Execution]:
    """What the platform has recorded."""
    from vlmops.blocking import blocking

    async def gathered() -> list[Execution]:
        return [execution async for execution in platform.executions.read(query)]

    return blocking(gathered, platform)


def written(platform: Platform, scores: Sequence[TargetedScore]) -> ScoreReport:
    """Report of writing these scores."""
    from vlmops.blocking import blocking

    return blocking(lambda: platform.scores.write(scores), platform)


def prompt_of(name: str, instructions: str) -> Prompt:
    """A prompt of two turns with metadata."""
    turns = (PromptTurn("system", instructions), PromptTurn("user", "{{question}}"))
    return Prompt(name, turns, {"schema": {"type": "object"}, "share": 0.5, "none": None})


def published(platform: Platform, prompt: Prompt, *labels: str) -> PromptVersion:
    """The version under which the platform keeps the prompt."""
    from vlmops.blocking import blocking

    if not isinstance(platform, KeepsPrompts):
        pytest.skip("this platform keeps no prompts")
    return blocking(lambda: platform.prompts.publish(prompt, labels), platform)


def fetched(
    platform: Platform, name: str, version: str | None = None, label: str | None = None
) -> PromptVersion:
    """The prompt as the platform has it."""
    from vlmops.blocking import blocking

    if not isinstance(platform, KeepsPrompts):
        pytest.skip("this platform keeps no prompts")
    return blocking(lambda: platform.prompts.fetch(name, version=version, label=label), platform)
