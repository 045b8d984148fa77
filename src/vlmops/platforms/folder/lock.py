"""One process at a time."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vlmops.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def exclusively(folder: Path, what: str) -> Iterator[None]:
    """Hold a folder alone; a process that dies lets go of it.

    Raises:
        PlatformError: Another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # SQLite locks files on every system, without leaving a lock behind when the process is killed.
    connection = sqlite3.connect(folder / ".lock", timeout=0.0, isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        connection.close()
        raise PlatformError(f"another process works on {what} in {folder}: wait for it to end") from error
    try:
        yield
    finally:
        connection.close()
