"""What became of spans and pictures, in numbers that an application can look at."""

from __future__ import annotations

import threading
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class TracingCounts:
    """Numbers since the start of the process, for one platform.

    Attributes:
        spans_exported: Spans the platform took.
        spans_dropped: Spans for which there was no room in the queue.
        spans_failed: Spans the platform did not take, after retries.
        pictures_kept: Pictures written as a reference; one that stands in two spans counts twice.
        pictures_not_kept: Pictures written as a note that says why.
        payloads_refused: Pictures for which there was no room in memory; they are among those not kept.
        spans_waiting: Spans in the queue now.
        bytes_waiting: Bytes of those spans and of their pictures now, about.

    Example:
        >>> TracingCounts(spans_exported=3).lost
        0
    """

    spans_exported: int = 0
    spans_dropped: int = 0
    spans_failed: int = 0
    pictures_kept: int = 0
    pictures_not_kept: int = 0
    payloads_refused: int = 0
    spans_waiting: int = 0
    bytes_waiting: int = 0

    @property
    def lost(self) -> int:
        """Spans that never reached the platform."""
        return self.spans_dropped + self.spans_failed


class Counter:
    """Adds up :class:`TracingCounts`; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = dict.fromkeys((field.name for field in fields(TracingCounts)), 0)

    def add(self, name: str, number: int = 1) -> None:
        """Add to one of the numbers."""
        with self._lock:
            self._numbers[name] += number

    def taken(self, **now: int) -> TracingCounts:
        """The numbers, with those that are looked up rather than counted."""
        with self._lock:
            return TracingCounts(**{**self._numbers, **now})

    def renew(self) -> None:
        """Begin at zero, in a forked child."""
        self.__init__()  # type: ignore[misc]
