"""Server time in whole milliseconds, as the recorded server shows it."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Wall-clock time that a test can move forward instead of sleeping."""

    def __init__(self) -> None:
        self._offset_ms = 0

    def now(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1_000_000 + self._offset_ms

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        self._offset_ms += round(seconds * 1000)


def iso(milliseconds: int) -> str:
    """ISO 8601 in UTC with milliseconds, the form of every time in an answer.

    >>> iso(1795340191390)
    '2026-11-22T09:36:31.390Z'
    """
    moment = datetime.fromtimestamp(milliseconds // 1000, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def is_time(text: object, *, needs_zone: bool = True) -> bool:
    """Whether `parse_time` would read it.

    >>> is_time("2026-11-22T09:36:44Z"), is_time("2026-11-22T09:36:44"), is_time("soon")
    (True, False, False)
    """
    try:
        parse_time(str(text), needs_zone=needs_zone)
    except ValueError:
        return False
    return True


def parse_time(text: str, *, needs_zone: bool = True) -> int:
    """Milliseconds of an ISO 8601 text; finer digits are cut off.

    Raises ValueError when the text is no time, or has no zone although `needs_zone`.

    >>> parse_time("2026-11-22T09:36:44.467955Z") - parse_time("2026-11-22T09:36:44.467Z")
    0
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        if needs_zone:
            raise ValueError(f"{text!r} has no zone")
        moment = moment.replace(tzinfo=UTC)
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * 1000 + moment.microsecond // 1000
