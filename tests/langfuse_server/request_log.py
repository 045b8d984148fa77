"""What was asked of the server, in order of arrival."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

UNKNOWN_ROUTE = "unknown route"


@dataclass
class LoggedRequest:
    """One request. `route` is method and path template; `body` the parsed JSON, else None.

    `status` is None while the request runs, and stays so when the connection was refused.
    """

    method: str
    path: str
    route: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any
    size: int
    status: int | None = None


@dataclass
class RequestLog:
    """Requests, how many of each route ran at once, and exceptions that the server did not expect."""

    entries: list[LoggedRequest] = field(default_factory=list)
    crashes: list[Exception] = field(default_factory=list)
    _running: Counter[str] = field(default_factory=Counter)
    peaks: Counter[str] = field(default_factory=Counter)

    def begin(self, entry: LoggedRequest) -> None:
        """A request starts."""
        self.entries.append(entry)
        self._running[entry.route] += 1
        self.peaks[entry.route] = max(self.peaks[entry.route], self._running[entry.route])

    def end(self, entry: LoggedRequest) -> None:
        """A request is answered, or its connection closed."""
        self._running[entry.route] -= 1

    def clear(self) -> None:
        """Forget what was logged."""
        self.entries.clear()
        self.peaks.clear()
