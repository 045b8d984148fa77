"""The cache of replies: what was asked and paid for once is not asked again."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

from vlmops.cache_folder import cache_database, cache_folder
from vlmops.engine.stored_reply import from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from vlmops.models.model import ModelReply

    Row = tuple[bytes, str, float, float | None, str]

CACHE_NAME = "replies.sqlite"

_ROWS = 1000
"""Replies that are written in one statement at most."""
_COLUMNS = 5
_LENGTH = 1 << 18
"""Characters of replies in one statement, or one reply: it copies them all while every thread waits."""

_log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS reply (
    key BLOB PRIMARY KEY, model TEXT NOT NULL, created REAL NOT NULL, cost REAL, reply TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS reply_by_model ON reply (model, created);
"""


@dataclass(frozen=True, slots=True)
class CachedModel:
    """What the cache holds of one model.

    Attributes:
        model: The model's name.
        replies: How many.
        bytes: Length of their text.
        cost: US dollars they had cost, as far as known.
        oldest: When the first was kept.
        newest: When the last was kept.
    """

    model: str
    replies: int
    bytes: int
    cost: float
    oldest: datetime
    newest: datetime


class ResponseCache:
    """Replies by the key of their request; safe between threads and processes.

    A reply is on disk when :meth:`put` returns: a process that is killed the moment after has lost nothing.
    Failures are never kept, nor replies whose output is not JSON.

    Args:
        file: SQLite file, made if absent; ``None`` keeps replies aside, as long as this object lives.

    Example:
        >>> from vlmops.models import ModelReply
        >>> with ResponseCache(None) as cache:
        ...     cache.put(b"k", "parrot", ModelReply("hello", "hello"))
        ...     print(cache.get(b"k").cached, cache.get(b"other"))
        True None
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        # Readers do not wait for the writer, which may wait for another process.
        self._reading, self._writing = threading.Lock(), threading.Lock()
        if file is None:
            # An unnamed database: what does not fit into memory lies in a temporary file.
            self._reader = self._writer = sqlite3.connect("", check_same_thread=False)
            self._reader.executescript(_SCHEMA)
            self._reading = self._writing
        else:
            self._writer = cache_database(file, _SCHEMA)
            self._reader = cache_database(file, "")
        # Every statement is a transaction of its own.
        self._writer.isolation_level = None
        # Earlier versions of SQLite take 999 values in one.
        values = self._writer.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
        self._rows = min(_ROWS, values // _COLUMNS)

    @classmethod
    def default(cls) -> ResponseCache:
        """The one in the user's cache folder.

        Raises:
            PrerequisiteError: The folder cannot be written.
        """
        return cls(cache_folder() / CACHE_NAME)

    @property
    def location(self) -> str:
        """Path of its file; empty for one in memory."""
        return "" if self._file is None else str(self._file)

    def __enter__(self) -> ResponseCache:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._reading:
            self._reader.close()
        self._writer.close()

    def get(self, key: bytes, since: float = 0.0) -> ModelReply | None:
        """The reply kept under that key, if there is one.

        Args:
            key: Of the request.
            since: Seconds since 1970; what was kept earlier does not count.
        """
        try:
            with self._reading:
                row = self._reader.execute(
                    "SELECT reply FROM reply WHERE key = ? AND created >= ?", (key, since)
                ).fetchone()
            return None if row is None else from_text(row[0])
        except (sqlite3.Error, ValueError) as error:
            _log.warning("a kept reply cannot be read and is asked for again: %s", error)
            return None

    def put(self, key: bytes, model: str, reply: ModelReply) -> None:
        """Keep a reply; the newest of a key counts."""
        self.put_all([(key, model, reply)])

    def put_all(self, replies: Sequence[tuple[bytes, str, ModelReply]]) -> None:
        """Keep replies, each given with its key and its model's name."""
        now = time.time()
        rows = [
            (key, model, now, None if reply.usage is None else reply.usage.cost, text)
            for key, model, reply in replies
            if (text := to_text(reply)) is not None
        ]
        try:
            for together in _parted(rows, self._rows):
                with self._writing:
                    self._write(together)
        except sqlite3.Error as error:
            models = ", ".join(sorted({model for _, model, *_ in rows}))
            _log.warning("replies of %s cannot be kept and would be asked for again: %s", models, error)

    def _write(self, rows: Sequence[Row]) -> None:
        """In one statement: between two of them, a thread has to wait for the interpreter again."""
        places = ", ".join(["(?, ?, ?, ?, ?)"] * len(rows))
        statement = f"INSERT OR REPLACE INTO reply VALUES {places}"  # noqa: S608 - nothing of anybody's
        self._writer.execute(statement, [*chain.from_iterable(rows)])

    def models(self) -> Sequence[CachedModel]:
        """What there is of each model, the most replies first."""
        with self._reading:
            rows = self._reader.execute(
                "SELECT model, count(*), sum(length(reply)), coalesce(sum(cost), 0),"
                " min(created), max(created) FROM reply GROUP BY model ORDER BY 2 DESC, 1"
            ).fetchall()
        return [
            CachedModel(model, count, size, cost, _moment(oldest), _moment(newest))
            for model, count, size, cost, oldest, newest in rows
        ]

    def clear(self, model: str | None = None, before: datetime | None = None) -> int:
        """Remove replies and give their space back; gives how many.

        Args:
            model: Of this model alone.
            before: Kept before then alone.
        """
        limit = float("inf") if before is None else before.timestamp()
        with self._writing:
            removed = self._writer.execute(
                "DELETE FROM reply WHERE created < ? AND (? IS NULL OR model = ?)", (limit, model, model)
            ).rowcount
            if removed:
                self._writer.execute("VACUUM")
        return removed


def _parted(rows: Sequence[Row], longest: int) -> Iterator[Sequence[Row]]:
    """The rows in their order, so many at a time as are written in one statement."""
    begin, length = 0, 0
    for end, (*_, text) in enumerate(rows):
        length += len(text)
        if end > begin and (end - begin == longest or length > _LENGTH):
            yield rows[begin:end]
            begin, length = end, len(text)
    if rows:
        yield rows[begin:]


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
