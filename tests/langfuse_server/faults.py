"""Faults that a test asks for: by route, rate, count or content."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["answer", "late_answer", "slow", "refuse", "disconnect"]


@dataclass(frozen=True)
class Fault:
    """One fault, and when it strikes.

    Build it with a class method, then narrow it with `on`. Kinds: `answer` replaces the answer and the
    request has no effect; `late_answer` replaces it after the request took effect; `slow` delays it; `refuse`
    closes the connection before the request has any effect; `disconnect` closes it in the middle of the
    answer, after the request took effect.
    """

    kind: Kind
    status: int = 500
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()
    delay_ms: int = 0
    route: str = "*"
    item: str | None = None
    rate: float = 1.0
    times: int | None = None
    after: int = 0

    @classmethod
    def rate_limit(cls, *, retry_after: int = 0, limit: int = 100) -> Self:
        """429 as Langfuse Cloud answers it; `retry_after` in whole seconds."""
        reset = "2026-11-22T10:00:00.000Z"
        details = {"retryAfterSeconds": retry_after, "limit": limit, "remaining": 0, "resetAt": reset}
        body = {"message": "Rate limit exceeded", "code": "rate_limited", "details": details}
        headers = {
            "Retry-After": str(retry_after),
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": "Sun Nov 22 2026 10:00:00 GMT+0000 (Coordinated Universal Time)",
        }
        return cls("answer", 429, body, tuple(headers.items()))

    @classmethod
    def error(cls, status: int = 500, *, applied: bool = False) -> Self:
        """A 5xx; `applied` says whether the request took effect all the same."""
        body = {"message": "Internal Server Error", "error": "InternalServerError"}
        return cls("late_answer" if applied else "answer", status, body)

    @classmethod
    def slow(cls, delay_ms: int) -> Self:
        """An answer that comes late."""
        return cls("slow", delay_ms=delay_ms)

    @classmethod
    def refuse(cls) -> Self:
        """A connection closed without an answer; the request had no effect."""
        return cls("refuse")

    @classmethod
    def disconnect(cls) -> Self:
        """A connection closed in the middle of the answer; the request took effect."""
        return cls("disconnect")

    def on(
        self,
        route: str = "*",
        *,
        item: str | None = None,
        rate: float = 1.0,
        times: int | None = None,
        after: int = 0,
    ) -> Self:
        """Where and when the fault strikes.

        Args:
            route: glob over route names, such as `POST /api/public/dataset-items` or `PUT bucket`.
            item: only requests that name this text in path, query or body.
            rate: probability for each matching request, 0 to 1, from the server's seeded generator.
            times: strike at most this often.
            after: let this many matching requests pass first.
        """
        return replace(self, route=route, item=item, rate=rate, times=times, after=after)

    def concerns(self, route: str, request: bytes) -> bool:
        """Whether a request matches route and item."""
        return fnmatchcase(route, self.route) and (self.item is None or self.item.encode() in request)


class FaultPlan:
    """The faults of a server and how often each one met a matching request and struck."""

    def __init__(self, faults: Iterable[Fault], seed: int) -> None:
        self._random = random.Random(seed)
        self._faults = [(fault, {"met": 0, "struck": 0}) for fault in faults]

    def add(self, fault: Fault) -> None:
        """Add a fault to a running server."""
        self._faults.append((fault, {"met": 0, "struck": 0}))

    def clear(self) -> None:
        """Drop all faults."""
        self._faults.clear()

    def strikes(self, route: str, request: bytes) -> list[Fault]:
        """The faults that strike a request: any number of `slow` ones and at most one other."""
        struck: list[Fault] = []
        for fault, counts in self._faults:
            if not fault.concerns(route, request) or any(other.kind != "slow" for other in struck):
                continue
            counts["met"] += 1
            spent = fault.times is not None and counts["struck"] >= fault.times
            if spent or counts["met"] <= fault.after or self._random.random() >= fault.rate:
                continue
            counts["struck"] += 1
            struck.append(fault)
        return struck
