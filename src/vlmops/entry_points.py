"""What installed packages offer vlmops: evaluators, models, platforms and sources by name."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def entry_points(group: str) -> tuple[EntryPoint, ...]:
    """The entry points of a group, sorted by name and then by what they point to.

    Looking goes through every installed package, which takes over 10 ms: all groups are read together, once
    for a ``sys.path``. What is installed while the process runs is found by the next one.

    Example:
        >>> [point.name for point in entry_points("vlmops.platforms")]
        ['langfuse', 'phoenix']
    """
    found = _installed(tuple(sys.path)).select(group=group)
    return tuple(sorted(found, key=lambda point: (point.name, point.value)))


@lru_cache(maxsize=4)
def _installed(_path: tuple[str, ...]) -> Any:  # what Python 3.11 gives has another type than that of 3.12
    from importlib.metadata import entry_points

    return entry_points()
