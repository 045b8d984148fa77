"""One Phoenix for all worker processes of a test run: its start costs more than many of the tests on it."""

from __future__ import annotations

import fcntl
import json
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from phoenix_process import Phoenix, PhoenixAddress, PhoenixProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class SharedPhoenix:
    """The first worker that needs it starts it; that worker also ends it, when no other needs it any more.

    Tests of other files use it at the same time: they take names of their own for what they write.

    Args:
        folder: The same for all workers, and for no other server.
        settings: Those of :class:`PhoenixProcess`.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._door = folder / "door.lock"
        self._address = folder / "address.json"
        self._users = (folder / "users.lock").open("w")
        self._own: PhoenixProcess | None = None
        try:
            with self._alone():
                self.server = self._found() or self._started(folder, settings)
                fcntl.flock(self._users, fcntl.LOCK_SH)
        except BaseException:
            self._users.close()
            raise

    def close(self) -> None:
        """Need it no more; the worker that has started it waits until this holds for all, and ends it."""
        with self._users:
            fcntl.flock(self._users, fcntl.LOCK_UN)
            if self._own is not None:
                with self._alone():
                    fcntl.flock(self._users, fcntl.LOCK_EX)
                    self._address.unlink()
                    self._own.stop()

    def _found(self) -> Phoenix | None:
        if not self._address.exists():
            return None
        return Phoenix(PhoenixAddress(**json.loads(self._address.read_text())))

    def _started(self, folder: Path, settings: dict[str, Any]) -> Phoenix:
        self._own = PhoenixProcess(folder, **settings)
        self._address.write_text(json.dumps(asdict(self._own.address)))
        return self._own

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._door.open("w") as door:
            fcntl.flock(door, fcntl.LOCK_EX)
            yield
