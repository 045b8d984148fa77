"""A platform in memory that records what it is asked, and can break down or be changed by others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from vlmops.datasets import ImageField, Sample
from vlmops.errors import PlatformUnavailable
from vlmops.images import Image
from vlmops.platforms.outcome import BatchOutcome
from vlmops.platforms.records import DatasetHeader
from vlmops.testing import MemoryPlatform
from vlmops.testing.memory import MemoryDatasets, MemoryDatasetWriter


@dataclass
class RecordingPlatform(MemoryPlatform):
    """Remembers what was written; breaks down at the given point.

    Attributes:
        unreachable: Whether it cannot be reached at all.
        breaks_after: Number of batches after which it no longer answers.
        keeps: Whether it keeps what it is given, or only counts.
        forgets_state: Whether it names no state, as some platforms do.
        sent: Ids of each batch.
        put: Hashes of the pictures it was offered.
    """

    unreachable: bool = False
    breaks_after: int | None = None
    keeps: bool = True
    forgets_state: bool = False
    sent: list[list[str]] = field(default_factory=list)
    put: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.datasets = RecordingDatasets(self)

    @property
    def sent_ids(self) -> list[str]:
        return [sample_id for batch in self.sent for sample_id in batch]

    def forget_calls(self) -> None:
        self.sent.clear()
        self.put.clear()


class RecordingDatasets(MemoryDatasets):
    platform: RecordingPlatform

    @asynccontextmanager
    async def writer(self, header: DatasetHeader) -> AsyncIterator[MemoryDatasetWriter]:
        if self.platform.unreachable:
            raise PlatformUnavailable(f"{self.platform.location} does not answer")
        yield RecordingWriter(self.platform, header)


class RecordingWriter(MemoryDatasetWriter):
    _platform: RecordingPlatform

    @property
    def state_token(self) -> str | None:
        return None if self._platform.forgets_state else super().state_token

    async def put_image(self, sample_id: str, field: ImageField, image: Image) -> None:
        self._platform.put.append(image.sha256)
        if self._platform.keeps:
            await super().put_image(sample_id, field, image)

    async def write(self, samples: Sequence[Sample]) -> BatchOutcome:
        if (
            self._platform.breaks_after is not None
            and len(self._platform.sent) >= self._platform.breaks_after
        ):
            raise PlatformUnavailable(f"{self._platform.location} does not answer")
        outcome = await super().write(samples) if self._platform.keeps else BatchOutcome(created=len(samples))
        self._platform.sent.append([str(sample.id) for sample in samples])
        return outcome


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VLMOPS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def make_platform() -> Callable[..., RecordingPlatform]:
    return RecordingPlatform


@pytest.fixture
def platform() -> RecordingPlatform:
    return RecordingPlatform()
