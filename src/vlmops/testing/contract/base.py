"""What every part of the contract stands on: the platform under test, and what only its suite can do."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from vlmops.datasets import ImageDataset, Sample
from vlmops.experiments import Experiment, ExperimentResult
from vlmops.models import ModelReply
from vlmops.platforms import (
    Platform,
    push,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vlmops.evaluators import (
        Evaluator,
    )
    from vlmops.images import Image
    from vlmops.platforms.records import Execution, Task
from vlmops.testing.contract.reading import samples


class Contract:
    """The platform under test, and how to provoke and look up what the port does not."""

    @pytest.fixture
    def platform(self) -> Platform:
        """The platform under test."""
        raise NotImplementedError("give the platform under test")

    @pytest.fixture
    def name(self, platform: Platform) -> Iterator[str]:
        """A dataset name nobody else uses."""
        unique = f"contract-{uuid.uuid4().hex[:10]}"
        yield unique
        self.clean_up(platform, unique)

    def clean_up(self, platform: Platform, name: str) -> None:
        """Remove what a test left under this name; nothing by default."""

    def refuse(self, platform: Platform, sample_id: str) -> bool:
        """Make the platform refuse this sample from now on; ``False`` if it cannot be made to."""
        return False

    def record_execution(self, platform: Platform, name: str, image: Image, answer: str) -> bool:
        """Record one execution with this picture in project ``name``; ``False`` if it cannot be done here."""
        return False

    def score_values(self, platform: Platform, execution: Execution) -> dict[str, object] | None:
        """Values of the scores the platform holds for an execution, by name; ``None`` if not known."""
        return None

    def unknown_experiment(self) -> str:
        """An id of the right form that no experiment has."""
        return "RXhwZXJpbWVudDo5OTk5OTk="

    def unknown_target(self, execution: Execution) -> str:
        """An id of the right form that the platform does not know."""
        return "0" * len(execution.target.id)

    def ran(
        self,
        platform: Platform,
        name: str,
        *,
        task: Task | None = None,
        evaluators: Sequence[Evaluator] = (),
        key: str = "",
        repetitions: int = 1,
        pushed: bool = False,
        metadata: Mapping[str, Any] | None = None,
        tags: Sequence[str] = (),
    ) -> ExperimentResult:
        """An experiment on four samples of a dataset that is pushed first."""
        if not pushed:
            assert push(ImageDataset.from_samples(name, samples(4)), platform).ok
        return Experiment(
            dataset=name,
            name=f"experiment-{name}",
            task=task or _read_back,
            evaluators=evaluators,
            key=key,
            repetitions=repetitions,
            metadata=metadata or {"model": "m"},
            tags=tags,
        ).run(platform)


async def _read_back(sample: Sample) -> ModelReply:
    return ModelReply({"text": sample.id}, sample.id, model="m", latency=0.01)
