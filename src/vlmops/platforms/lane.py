"""One platform's side of a push: what goes out, what came of it, and whether the platform still answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmops.concurrency import map_each
from vlmops.errors import ImageError, MediaError, PlatformError, PlatformUnavailable
from vlmops.platforms.outcome import BatchOutcome, ItemFailure, TargetReport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vlmops.datasets import Sample
    from vlmops.platforms.journal import PushJournal
    from vlmops.platforms.port import DatasetWriter, Platform


class Lane:
    """Batches samples to one platform; after the platform broke down, only counts what it misses.

    Attributes:
        broken: Why the platform can no longer be used; empty while it can.
    """

    def __init__(
        self,
        platform: Platform,
        writer: DatasetWriter | None,
        journal: PushJournal | None,
        broken: str = "",
    ) -> None:
        self.broken = broken
        self._platform = platform
        self._writer = writer
        self._journal = journal
        self._waiting: list[tuple[Sample, str]] = []
        self._outcome = BatchOutcome()
        self._untried = 0

    @classmethod
    def dead(cls, platform: Platform, reason: str) -> Lane:
        """A lane to a platform that did not answer from the start."""
        return cls(platform, None, None, broken=reason)

    @property
    def name(self) -> str:
        """Platform and address: tells lanes apart."""
        return f"{self._platform.name} {self._platform.location}"

    def has_images(self, sample: Sample) -> bool:
        """Whether nothing is to be done for the sample's pictures, as far as can be told without waiting."""
        if self.broken or self._writer is None:
            return True
        try:
            return all(self._writer.has_image(sample.id, *place) for place in sample.image_fields())
        except (MediaError, ImageError, PlatformError):
            # Storing them says what the matter is.
            return False

    async def store_images(self, sample: Sample) -> str:
        """Store the sample's pictures, together; gives why one could not be stored, or nothing."""
        if self.broken or self._writer is None:
            return ""
        writer, places = self._writer, list(sample.image_fields())
        try:
            await map_each(places, lambda place: writer.put_image(sample.id, *place))
        except PlatformUnavailable as error:
            self.broken = str(error)
        except (MediaError, ImageError, PlatformError) as error:
            return str(error)
        return ""

    async def take(self, samples: Sequence[tuple[Sample, str, str | None]]) -> None:
        """Send samples with the next batches, unless the platform holds them already.

        Args:
            samples: Each with its digest, and why a picture of it could not be stored, if so.
        """
        if self.broken or self._journal is None or self._writer is None:
            self._untried += len(samples)
            return
        failures = [ItemFailure(s.id, why, source=s.source) for s, _, why in samples if why]
        usable = [(sample, digest) for sample, digest, why in samples if not why]
        held = self._journal.held([(sample.id, digest) for sample, digest in usable])
        self._waiting += [each for each in usable if each[0].id not in held]
        self._outcome += BatchOutcome(unchanged=len(held), failures=failures)
        while len(self._waiting) >= self._writer.batch_size:
            await self._flush(self._writer.batch_size)

    async def flush(self) -> None:
        """Send what waits."""
        await self._flush(len(self._waiting))

    async def _flush(self, count: int) -> None:
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        if batch and not self.broken:
            await self._send(batch)
        else:
            self._untried += len(batch)

    async def finish(self, revision: str | None, keep: Callable[[str], bool] | None) -> TargetReport:
        """Record the revision on the platform and say what came of the push.

        With no revision, the platform is left as it is.
        """
        failures = list(self._outcome.failures)
        url = version = ""
        deleted = 0
        if (
            not self.broken
            and revision is not None
            and self._writer is not None
            and self._journal is not None
        ):
            try:
                state = await self._writer.finish(revision, keep)
                url, version, deleted = state.url, state.version, state.deleted
                if keep is not None:
                    self._journal.retain(keep)
                self._journal.acknowledge((), self._writer.state_token)
            except PlatformError as error:
                self.broken = str(error)
        if self.broken:
            failures.append(ItemFailure("", f"{self.broken} ({self._untried} samples were not tried)"))
        outcome = self._outcome
        return TargetReport(
            self._platform.name,
            self._platform.location,
            url,
            version,
            outcome.created,
            outcome.updated,
            outcome.unchanged,
            deleted,
            failures,
        )

    async def _send(self, batch: Sequence[tuple[Sample, str]]) -> None:
        """Send a batch; one that is refused is halved until the samples at fault stand alone."""
        if self._writer is None or self._journal is None:
            return
        try:
            outcome = await self._writer.write([sample for sample, _ in batch])
        except PlatformUnavailable as error:
            self.broken = str(error)
            self._untried += len(batch)
        except PlatformError as error:
            if len(batch) == 1:
                sample = batch[0][0]
                failure = ItemFailure(sample.id, str(error), source=sample.source)
                self._outcome += BatchOutcome(failures=[failure])
                return
            middle = len(batch) // 2
            await self._send(batch[:middle])
            await self._send(batch[middle:])
        else:
            self._outcome += outcome
            refused = {failure.id for failure in outcome.failures}
            written = [(s.id, content) for s, content in batch if s.id not in refused]
            self._journal.acknowledge(written, self._writer.state_token)
