"""Push: bring a dataset to one or several platforms, preparing and hashing every picture once.

The way of a sample: source -> prepare its pictures (in threads) -> digest -> store pictures (many at once)
-> batches to each platform, in the dataset's order. What a platform acknowledged in the same state is not
sent again. Everything may be killed at any moment and run again.

Most pushes find most samples as they were. Those go the same way a handful at a time, since what is done for
each of them alone would be the greater part of the work.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from vlmops.blocking import blocking
from vlmops.cache_folder import cache_folder
from vlmops.datasets import Entry, ImageDataset, Revision, Sample, digest
from vlmops.errors import ImageError, PlatformError, PlatformUnavailable, SampleError, UsageError
from vlmops.platforms.journal import PushJournal
from vlmops.platforms.lane import Lane
from vlmops.platforms.outcome import ItemFailure, PushReport
from vlmops.platforms.records import DatasetHeader

if TYPE_CHECKING:
    from vlmops.images import Image, Preparation
    from vlmops.platforms.port import Platform

_HANDFUL = 32
_WINDOW = 3 * _HANDFUL

Progress = Callable[[int], None]
"""Told how many samples have been dealt with so far."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A sample whose pictures are prepared, and stored where they could be.

    Attributes:
        sample: The sample, holding the prepared pictures.
        digest: Hash of its content.
        refused: For each lane that could not store a picture, why.
    """

    sample: Sample
    digest: str
    refused: dict[str, str] = field(default_factory=dict)


_Outcome = Ready | ItemFailure


def push(
    dataset: ImageDataset,
    platforms: Platform | Sequence[Platform],
    *,
    preparation: Preparation | None = None,
    mirror: bool = False,
    progress: Progress | None = None,
) -> PushReport:
    """Bring a dataset to platforms; blocking form of :func:`push_async`."""
    targets = _targets(platforms)
    return blocking(
        lambda: push_async(dataset, targets, preparation=preparation, mirror=mirror, progress=progress),
        *targets,
    )


async def push_async(
    dataset: ImageDataset,
    platforms: Platform | Sequence[Platform],
    *,
    preparation: Preparation | None = None,
    mirror: bool = False,
    progress: Progress | None = None,
) -> PushReport:
    """Create or update the dataset's samples on each platform.

    Nothing is ever deleted unless ``mirror`` is asked for. A sample that cannot be used is reported and costs
    no other sample; a platform that breaks down costs no other platform.

    Args:
        dataset: What to push.
        platforms: Where to.
        preparation: What is done to pictures before they leave; the default verifies them and strips
            their EXIF, GPS and other metadata.
        mirror: Also remove samples that the dataset no longer has. Refused when a row could not be read,
            since it is then not known which samples are gone.
        progress: Told how many samples have been dealt with.

    Returns:
        Counts and every failure, per platform.

    Raises:
        PlatformUnavailable: No platform could be reached, or all broke down on the way; run it again.
        UsageError: No platform was given.
    """
    targets = _targets(platforms)
    started = time.monotonic()
    header = DatasetHeader(dataset.name, dataset.description, dataset.metadata, dataset.provenance())
    async with AsyncExitStack() as stack:
        lanes = [await _lane(platform, header, stack) for platform in targets]
        _stop_without_targets(lanes)
        run = _PushRun(lanes, _Pictures(preparation, stack), mirror, progress)
        await run.take_all(dataset)
        return replace(await run.report(dataset.name), seconds=time.monotonic() - started)


def _targets(platforms: Platform | Sequence[Platform]) -> Sequence[Platform]:
    targets = platforms if isinstance(platforms, Sequence) else [platforms]
    if not targets:
        raise UsageError("push needs at least one platform")
    return targets


async def _lane(platform: Platform, header: DatasetHeader, stack: AsyncExitStack) -> Lane:
    key = f"{platform.name} {platform.location} {header.name}"
    journal = stack.enter_context(PushJournal(cache_folder() / "journal.sqlite", key))
    try:
        writer = await stack.enter_async_context(platform.datasets.writer(header))
    except PlatformError as error:
        return Lane.dead(platform, str(error))
    journal.open(writer.state_token)
    return Lane(platform, writer, journal)


def _stop_without_targets(lanes: Sequence[Lane]) -> None:
    if all(lane.broken for lane in lanes):
        raise PlatformUnavailable("; ".join(lane.broken for lane in lanes))


class _Pictures:
    """Prepares pictures, remembering the outcome for files that have not changed since."""

    def __init__(self, preparation: Preparation | None, stack: AsyncExitStack) -> None:
        from vlmops.images import Preparation
        from vlmops.images.index import ImageIndex

        self._preparation = preparation or Preparation()
        self._index = stack.enter_context(ImageIndex(cache_folder() / "images.sqlite"))

    def prepared(self, sample: Sample) -> Ready:
        """The sample with every picture prepared."""
        return _ready(sample, partial(self._index.prepared, preparation=self._preparation))

    def known(self, entries: Iterable[Entry]) -> list[Entry | Ready]:
        """The same of each sample for which no picture is to be read; the others, and errors, as they are."""
        given = [(each, each.images if isinstance(each, Sample) else ()) for each in entries]
        asked = [image for _, images in given for image in images]
        known = iter(self._index.known(asked, self._preparation))
        return [
            _known(entry, [next(known) for _ in images]) if isinstance(entry, Sample) else entry
            for entry, images in given
        ]


def _known(sample: Sample, prepared: Sequence[Image | None]) -> Sample | Ready:
    found = [image for image in prepared if image is not None]
    if len(found) < len(prepared):
        return sample
    in_order = iter(found)
    return _ready(sample, lambda _: next(in_order))


def _ready(sample: Sample, prepare: Callable[[Image], Image]) -> Ready:
    prepared = sample.with_images(prepare)
    return Ready(prepared, digest(prepared))


@dataclass
class _PushRun:
    lanes: Sequence[Lane]
    pictures: _Pictures
    mirror: bool
    progress: Progress | None
    failures: list[ItemFailure] = field(default_factory=list)
    revision: Revision = field(default_factory=Revision)
    ids: set[str] = field(default_factory=set)
    unreadable: int = 0

    async def take_all(self, dataset: ImageDataset) -> None:
        done = 0
        async for outcomes in self._prepared(dataset):
            for outcome in outcomes:
                if isinstance(outcome, ItemFailure):
                    self._note_failure(outcome)
            await self._hand_on([each for each in outcomes if isinstance(each, Ready)])
            for _ in outcomes:
                done += 1
                if self.progress is not None:
                    self.progress(done)
        for lane in self.lanes:
            await lane.flush()
        _stop_without_targets(self.lanes)

    async def report(self, name: str) -> PushReport:
        keep = None
        if self.mirror and not self.unreadable:
            keep = self.ids.__contains__
        # Where nothing could be used (a mistyped column), what the platform holds keeps its description.
        revision = None if self.failures and not self.revision.count else self.revision.value
        reports = [await lane.finish(revision, keep) for lane in self.lanes]
        failures = list(self.failures)
        if self.mirror and self.unreadable:
            failures.append(
                ItemFailure(
                    "",
                    f"nothing was removed: {self.unreadable} rows could not be read, so which samples are "
                    "gone is not known; mend them and push again",
                )
            )
        return PushReport(name, self.revision.value, self.revision.count, failures, reports, 0.0)

    def _note_failure(self, failure: ItemFailure) -> None:
        self.failures.append(failure)
        if failure.id:
            self.ids.add(failure.id)
        else:
            self.unreadable += 1

    async def _hand_on(self, handful: Sequence[Ready]) -> None:
        for ready in handful:
            self.revision.add(ready.digest)
            if self.mirror:
                self.ids.add(ready.sample.id)
        for lane in self.lanes:
            await lane.take([(each.sample, each.digest, each.refused.get(lane.name)) for each in handful])
        _stop_without_targets(self.lanes)

    async def _prepared(self, dataset: ImageDataset) -> AsyncIterator[Sequence[Ready | ItemFailure]]:
        """Prepare a window of samples at once, giving them in the dataset's order, a handful at a time."""
        window: deque[_Outcome | asyncio.Task[_Outcome]] = deque()
        try:
            async for handful in _handfuls(dataset, self.pictures.known):
                window.extend(map(self._begun, handful))
                while len(window) >= _WINDOW:
                    yield [await _ended(window.popleft()) for _ in range(_HANDFUL)]
            while window:
                yield [await _ended(window.popleft()) for _ in range(min(_HANDFUL, len(window)))]
        finally:
            under_way = [each for each in window if isinstance(each, asyncio.Task)]
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    def _begun(self, entry: Entry | Ready) -> _Outcome | asyncio.Task[_Outcome]:
        """A task only where there is something to wait for."""
        if isinstance(entry, SampleError):
            return _failure(entry)
        if isinstance(entry, Ready) and all(lane.has_images(entry.sample) for lane in self.lanes):
            return entry
        return asyncio.create_task(self._prepare(entry))

    async def _prepare(self, entry: Sample | Ready) -> Ready | ItemFailure:
        ready = await self._made_ready(entry) if isinstance(entry, Sample) else entry
        if isinstance(ready, ItemFailure):
            return ready
        refused: dict[str, str] = {}
        for lane in self.lanes:
            if problem := await lane.store_images(ready.sample):
                refused[lane.name] = problem
        return replace(ready, refused=refused)

    async def _made_ready(self, sample: Sample) -> Ready | ItemFailure:
        try:
            return await asyncio.to_thread(self.pictures.prepared, sample)
        except ImageError as error:
            return ItemFailure(sample.id, str(error), source=sample.source)
        except Exception as error:  # noqa: BLE001 - one picture that breaks a decoder costs one sample
            return ItemFailure(sample.id, f"{type(error).__name__}: {error}", source=sample.source)


async def _handfuls(
    dataset: ImageDataset, known: Callable[[Iterable[Entry]], list[Entry | Ready]]
) -> AsyncIterator[list[Entry | Ready]]:
    """Read the source in a thread, a few entries ahead, so that slow disks do not stall the uploads.

    Samples whose pictures are known are made ready there and then: a thread for each would cost more.
    """
    source = dataset.entries()
    while handful := await asyncio.to_thread(lambda: known(islice(source, _HANDFUL))):
        yield handful


async def _ended(outcome: _Outcome | asyncio.Task[_Outcome]) -> _Outcome:
    return await outcome if isinstance(outcome, asyncio.Task) else outcome


def _failure(error: SampleError) -> ItemFailure:
    message = error.problem + (f" ({error.fix})" if error.fix else "")
    return ItemFailure(error.sample_id, message, source=error.source, field=error.field)
