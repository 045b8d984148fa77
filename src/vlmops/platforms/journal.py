"""The push journal: what a platform has acknowledged, so that pushing again costs nothing for it.

The journal is a cache, never the truth: it is believed only while the platform names the dataset's state by
the very token under which the entries were written. Anything else (edited in the browser, deleted, restored
from a backup, pushed from another machine) makes the entries void, and samples are sent again, which is safe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmops.cache_folder import cache_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS dataset (key TEXT PRIMARY KEY, token TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS acknowledged (
    key TEXT NOT NULL, sample_id TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (key, sample_id)
) WITHOUT ROWID;
"""


class PushJournal:
    """Entries of one dataset on one platform.

    Args:
        file: SQLite file; shared by all datasets and by processes that push at the same time.
        key: Names platform and dataset.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> file = Path(tempfile.mkdtemp()) / "journal.sqlite"
        >>> with PushJournal(file, "phoenix http://localhost:6006 receipts") as journal:
        ...     journal.open("v1")
        ...     journal.acknowledge([("r1", "d1")], "v2")
        ...     journal.open("v2")
        ...     print(journal.held([("r1", "d1"), ("r2", "d2")]), journal.held([("r1", "other")]))
        ...     journal.open("v3")
        ...     print(journal.held([("r1", "d1")]))
        {'r1'} set()
        set()
    """

    def __init__(self, file: Path, key: str) -> None:
        self._key = key
        self._connection = cache_database(file, _SCHEMA)

    def __enter__(self) -> PushJournal:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def open(self, token: str | None) -> None:
        """Keep the entries made in the state ``token``; those of any other state are dropped."""
        with self._connection as connection:
            row = connection.execute("SELECT token FROM dataset WHERE key = ?", (self._key,)).fetchone()
            if token is None or row is None or row[0] != token:
                connection.execute("DELETE FROM acknowledged WHERE key = ?", (self._key,))
                connection.execute("DELETE FROM dataset WHERE key = ?", (self._key,))

    def held(self, samples: Sequence[tuple[str, str]]) -> set[str]:
        """The ids of those samples that the platform holds with exactly this content.

        Args:
            samples: Id and digest of each; at most a few hundred.
        """
        places = ",".join("?" * len(samples))
        asked = f"SELECT sample_id, digest FROM acknowledged WHERE key = ? AND sample_id IN ({places})"  # noqa: S608
        rows = self._connection.execute(asked, (self._key, *(sample_id for sample_id, _ in samples)))
        return {sample_id for sample_id, _ in set(samples).intersection(rows)}

    def acknowledge(self, samples: Iterable[tuple[str, str]], token: str | None) -> None:
        """Record ids and digests that the platform confirmed, and the state it is in now.

        Without a token nothing recorded so far can be relied on: all of it is dropped.
        """
        if token is None:
            self.open(None)
            return
        with self._connection as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO acknowledged VALUES (?, ?, ?)",
                ((self._key, sample_id, digest) for sample_id, digest in samples),
            )
            connection.execute("INSERT OR REPLACE INTO dataset VALUES (?, ?)", (self._key, token))

    def retain(self, keep: Callable[[str], bool]) -> None:
        """Drop the entries of samples that a mirroring push has removed."""
        ids = self._connection.execute("SELECT sample_id FROM acknowledged WHERE key = ?", (self._key,))
        gone = [(self._key, sample_id) for (sample_id,) in ids if not keep(sample_id)]
        with self._connection as connection:
            connection.executemany("DELETE FROM acknowledged WHERE key = ? AND sample_id = ?", gone)
