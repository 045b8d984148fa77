"""Keeps a store that is slow or gone from holding up spans."""

from __future__ import annotations

import threading
import time
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TYPE_CHECKING, TypeVar

from vlmops.errors import MediaError, PlatformUnavailable
from vlmops.tracing.lifecycle import after_fork
from vlmops.tracing.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

PATIENCE_S = 10.0
_PAUSE_S = 30.0
_STRIKES = 3
_THREADS = 8


class StoreGate:
    """Calls a store with a limit of time, and leaves it alone for a while when it keeps failing.

    A call that takes too long goes on behind: should it succeed after all, the picture is there.

    Args:
        patience: Seconds a span waits for one picture.
        pause: Seconds without further attempts, after several in a row took too long or found no store.

    Example:
        >>> StoreGate().call(lambda: "reference")
        'reference'
    """

    def __init__(self, patience: float = PATIENCE_S, pause: float = _PAUSE_S) -> None:
        self._patience = patience
        self._pause = pause
        self._lock = threading.Lock()
        self._strikes = 0
        self._closed_until = 0.0
        self._workers = Workers(_THREADS, "vlmops-store")
        after_fork(self._after_fork)

    def call(self, work: Callable[[], T]) -> T:
        """What the work gives.

        Raises:
            MediaError: It refused, took too long, or was not tried; the text is short and fit to be shown.
        """
        if time.monotonic() < self._closed_until:
            raise MediaError("the store did not answer lately and is left alone for a while")
        try:
            result = self._workers.submit(work).result(self._patience)
        except FutureTimeout:
            self._strike()
            raise MediaError(f"the store took longer than {self._patience:g} s") from None
        except PlatformUnavailable as error:
            self._strike()
            raise MediaError(str(error)) from error
        self._strikes = 0
        return result

    def shutdown(self) -> None:
        """Let the threads end."""
        self._workers.shutdown()

    def _strike(self) -> None:
        with self._lock:
            self._strikes += 1
            if self._strikes >= _STRIKES:
                self._closed_until = time.monotonic() + self._pause
                # One failure more after the pause is enough to begin the next.
                self._strikes = _STRIKES - 1

    def _after_fork(self) -> None:
        self._lock = threading.Lock()
