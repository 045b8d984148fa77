"""Where samples come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from vlmops.datasets.sample import Sample
from vlmops.errors import SampleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Entry = Sample | SampleError
"""What a source yields: a sample, or why one could not be had."""


class Source(Protocol):
    """Where samples come from; reading may be repeated and starts from the beginning each time."""

    def entries(self) -> Iterator[Entry]:
        """Samples in a stable order, with an error in the place of each that cannot be used."""
        ...

    def provenance(self) -> Mapping[str, Any]:
        """Where the content comes from (path, version, ...), as JSON, without secrets."""
        ...


@dataclass(frozen=True)
class SampleSource:
    """A source made of samples at hand.

    Attributes:
        samples: Any iterable that can be walked more than once, or a function that gives a fresh iterator.
    """

    samples: Iterable[Entry] | Callable[[], Iterable[Entry]]

    def entries(self) -> Iterator[Entry]:
        """The samples."""
        yield from self.samples() if callable(self.samples) else self.samples

    def provenance(self) -> Mapping[str, Any]:
        """Nothing is known of where they come from."""
        return {}
