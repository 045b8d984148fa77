"""The kinds of JSON values, for walks through trees of them, which are many and long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

LEAVES: Final[frozenset[type]] = frozenset({str, int, float, bool, type(None)})
"""The very types of values without parts; one of a class derived from them is none of these.

Example:
    >>> type("text") in LEAVES, type([]) in LEAVES
    (True, False)
"""

OBJECTS: Final[tuple[type[dict[Any, Any]], type[Mapping[Any, Any]]]] = (dict, Mapping)
"""What ``isinstance`` takes for an object; to ask for :class:`Mapping` alone takes longer of a dict."""
