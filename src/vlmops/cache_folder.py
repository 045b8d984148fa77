"""Where vlmops keeps what it can always make anew."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from vlmops.errors import PrerequisiteError

CACHE_ENV = "VLMOPS_CACHE_DIR"

_BUSY_SECONDS = 30.0


def cache_folder() -> Path:
    """``VLMOPS_CACHE_DIR``, or ``vlmops`` in the user's cache folder; created if absent.

    Raises:
        PrerequisiteError: It cannot be created.
    """
    import platformdirs

    chosen = os.environ.get(CACHE_ENV)
    folder = Path(chosen) if chosen else platformdirs.user_cache_path("vlmops", appauthor=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(folder, error) from error
    return folder


def cache_database(file: Path, schema: str) -> sqlite3.Connection:
    """A SQLite file in the cache, usable from any thread; a damaged one is made anew.

    Raises:
        PrerequisiteError: The folder cannot be written.
    """
    try:
        return _database(file, schema)
    except sqlite3.OperationalError as error:
        raise _unusable(file, error) from error
    except sqlite3.DatabaseError:
        for part in file.parent.glob(f"{file.name}*"):
            part.unlink(missing_ok=True)
        return _database(file, schema)


def _database(file: Path, schema: str) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=_BUSY_SECONDS, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(schema)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _unusable(path: Path, error: Exception) -> PrerequisiteError:
    problem = getattr(error, "strerror", None) or error
    return PrerequisiteError(
        f"the cache {path} cannot be used ({problem}): set {CACHE_ENV} to a folder of yours"
    )
