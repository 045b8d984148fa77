"""How many requests or tokens may go out in a minute."""

from __future__ import annotations

_BURST_SECONDS = 1.0


class TokenBucket:
    """A bucket that fills evenly; what is taken out must be in it.

    It holds what a second of the limit allows, and that much less flows in, so that no minute, whenever it
    begins, sees more than the limit. An amount larger than the bucket waits for a full one and leaves a debt,
    so that the average holds.

    Args:
        per_minute: What may go out in a minute.
        now: Seconds of any clock that does not jump.

    Example:
        >>> bucket = TokenBucket(120, now=0.0)
        >>> bucket.take(2)
        >>> round(bucket.wait(1, now=0.0), 3), bucket.wait(1, now=0.51)
        (0.504, 0.0)
    """

    def __init__(self, per_minute: float, now: float) -> None:
        self._capacity = max(1.0, per_minute / 60 * _BURST_SECONDS)
        self._rate = (per_minute - (self._capacity - 1)) / 60
        self._level = self._capacity
        self._filled = now

    def wait(self, amount: float, now: float) -> float:
        """Seconds until so much may be taken."""
        self._level = min(self._capacity, self._level + (now - self._filled) * self._rate)
        self._filled = now
        short = min(amount, self._capacity) - self._level
        return max(0.0, short / self._rate)

    def take(self, amount: float) -> None:
        """Take it, whether or not it is there; a negative amount gives back what was taken too much."""
        self._level = min(self._capacity, self._level - amount)
