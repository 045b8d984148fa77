"""Bytes of pictures that are dear to fetch, kept for a while within a fixed budget."""

from __future__ import annotations

import threading
from collections import OrderedDict

BUDGET = 64 * 1024 * 1024
"""Bytes kept per process, over all remote pictures together."""


class RecentBytes:
    """The most recently used byte strings, up to a total length; safe between threads.

    Example:
        >>> recent = RecentBytes(budget=10)
        >>> recent.put("a", b"123456"); recent.put("b", b"123456")
        >>> recent.get("a"), recent.get("b")
        (None, b'123456')
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget
        self._held: OrderedDict[object, bytes] = OrderedDict()
        self._total = 0
        self._lock = threading.Lock()

    def get(self, key: object) -> bytes | None:
        """The bytes under a key, if they are still held."""
        with self._lock:
            data = self._held.get(key)
            if data is not None:
                self._held.move_to_end(key)
            return data

    def put(self, key: object, data: bytes) -> None:
        """Hold bytes; those used longest ago make room. More than the whole budget is not held at all."""
        with self._lock:
            self._total -= len(self._held.pop(key, b""))
            if len(data) > self._budget:
                return
            self._held[key] = data
            self._total += len(data)
            while self._total > self._budget:
                _, old = self._held.popitem(last=False)
                self._total -= len(old)

    def drop(self, key: object) -> None:
        """Let go of the bytes under a key; nothing happens where there are none."""
        with self._lock:
            self._total -= len(self._held.pop(key, b""))
