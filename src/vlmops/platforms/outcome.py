"""What became of a write: counts, and every failure by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class ItemFailure:
    """One thing that was not written.

    Attributes:
        id: The sample's or target's id; empty when it is not known.
        source: Where it came from (file and line), when it came from a file.
        message: What happened, and the fix.
        field: The field or column at fault, if one is.
    """

    id: str
    message: str
    source: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What became of one batch of samples; the four add up to the batch.

    Attributes:
        created: New on the platform.
        updated: Changed there.
        unchanged: Was there already, equal.
        failures: Not written.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failures: Sequence[ItemFailure] = ()

    def __add__(self, other: BatchOutcome) -> BatchOutcome:
        return BatchOutcome(
            self.created + other.created,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            (*self.failures, *other.failures),
        )


@dataclass(frozen=True, slots=True)
class ScoreReport:
    """What became of a write of scores.

    Attributes:
        written: Accepted and confirmed by the platform.
        failures: Not accepted, each with the reason.
    """

    written: int
    failures: Sequence[ItemFailure] = ()


@dataclass(frozen=True, slots=True)
class TargetReport:
    """What a push did on one platform.

    Attributes:
        platform: Its name.
        location: Its address.
        url: The dataset's page.
        version: The dataset's version after the push.
        created: Samples new there.
        updated: Samples changed there.
        unchanged: Samples that were there, equal.
        deleted: Samples removed by a mirroring push.
        failures: Samples that were not written there.
    """

    platform: str
    location: str
    url: str = ""
    version: str = ""
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    failures: Sequence[ItemFailure] = ()


@dataclass(frozen=True, slots=True)
class PushReport:
    """What a push did.

    Attributes:
        dataset: The dataset's name.
        revision: Hash of the content of the samples that could be used.
        samples: How many could be used.
        failures: Samples that could not be used at all, with the reason: they reached no platform.
        targets: What happened on each platform.
        seconds: How long it took.
    """

    dataset: str
    revision: str
    samples: int
    failures: Sequence[ItemFailure]
    targets: Sequence[TargetReport]
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether every sample reached every platform."""
        return not self.failures and not any(target.failures for target in self.targets)


@dataclass(frozen=True, slots=True)
class PullReport:
    """What a pull wrote.

    Attributes:
        dataset: The dataset's name.
        manifest: Path of the manifest written.
        samples: How many samples it holds.
        revision: Hash of their content.
        failures: Samples that could not be read back.
    """

    dataset: str
    manifest: str
    samples: int
    revision: str
    failures: Sequence[ItemFailure] = field(default_factory=tuple)
