"""The stamp of a file: while it stays the same, what was found out about the file holds."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

_CLOCK_GRAIN_NS = 50_000_000


class FileStamp(NamedTuple):
    """Changes when the file does; the time of its inode's change shows what a copied time of change hides.

    Attributes:
        number: Of the file's inode.
        length: In bytes.
        changed_ns: When its content was changed, in nanoseconds since 1970.
        inode_changed_ns: When anything about it was changed.
    """

    number: int
    length: int
    changed_ns: int
    inode_changed_ns: int

    @classmethod
    def of(cls, path: str | Path) -> FileStamp | None:
        """The stamp of the file at a path; ``None`` where there is nothing to look at.

        Example:
            >>> from pathlib import Path
            >>> FileStamp.of(Path("no such file")) is None
            True
        """
        try:
            found = os.stat(path)  # noqa: PTH116 - asked of every picture, and Path.stat takes longer
        except (OSError, ValueError):
            return None
        return cls.taken(found)

    @classmethod
    def taken(cls, found: os.stat_result) -> FileStamp:
        """The stamp of a file that has been looked at already."""
        return cls(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)

    @property
    def settled(self) -> bool:
        """Whether another change to the file would be sure to change its times."""
        return time.time_ns() - max(self.changed_ns, self.inode_changed_ns) > _CLOCK_GRAIN_NS
