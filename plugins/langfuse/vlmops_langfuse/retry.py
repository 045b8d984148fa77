"""When a request is sent again: what may pass, how long to wait, and a brake that all requests share."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vlmops_langfuse.pool import HttpAnswer, NoAnswer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers after which the same request may succeed."""

_RATE_LIMITED = 429


@dataclass
class RetryPolicy:
    """Sends requests until they get an answer that stands; every request must be safe to repeat.

    After a 429 all requests wait as long as the server asks, so that many at once do not each have to be
    told; being told to wait is no failed attempt.

    Attributes:
        attempts: How often a request is sent before a failure stands.
        first_wait: Seconds before the second attempt; doubled for each further one, with jitter.
        longest_wait: Seconds between attempts at most, unless the server asks for more.
        patience: Seconds a request may spend waiting for a rate limit.
    """

    attempts: int = 6
    first_wait: float = 0.1
    longest_wait: float = 8.0
    patience: float = 300.0
    _resume_at: float = field(default=0.0, init=False, repr=False)

    async def answer(self, send: Callable[[], Awaitable[HttpAnswer]]) -> HttpAnswer:
        """The first answer that stands, or the last one.

        Raises:
            NoAnswer: No attempt got an answer.
        """
        started = time.monotonic()
        attempt = limited = 0
        while True:
            await self._wait_for_brake()
            try:
                response = await send()
            except NoAnswer:
                attempt += 1
                if attempt >= self.attempts:
                    raise
                await asyncio.sleep(self._backoff(attempt))
                continue
            if response.status not in RETRIED:
                return response
            if response.status == _RATE_LIMITED:
                limited += 1
                wait = max(retry_after(response), self._backoff(limited))
                if time.monotonic() - started + wait > self.patience:
                    return response
                self._resume_at = max(self._resume_at, time.monotonic() + wait)
                continue
            attempt += 1
            if attempt >= self.attempts:
                return response
            await asyncio.sleep(max(retry_after(response), self._backoff(attempt)))

    async def _wait_for_brake(self) -> None:
        # Meanwhile another request may have been told to wait longer.
        while (wait := self._resume_at - time.monotonic()) > 0:  # noqa: ASYNC110 - it is about time, not state
            await asyncio.sleep(wait)

    def _backoff(self, attempt: int) -> float:
        longest = min(self.longest_wait, self.first_wait * 2.0 ** min(attempt - 1, 16))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret


def retry_after(response: HttpAnswer) -> float:
    """Seconds the answer asks to wait: ``Retry-After`` as a number or a date; 0 when it does not say.

    Example:
        >>> retry_after(HttpAnswer(429, "", headers={"retry-after": "7"}))
        7.0
        >>> retry_after(HttpAnswer(429, "", headers={"retry-after": "soon"}))
        0.0
    """
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    said = response.headers.get("retry-after", "").strip()
    if said.isdecimal():
        return float(said)
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
