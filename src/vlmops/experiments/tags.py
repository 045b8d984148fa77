"""Tags of experiments: words by which a run is found again, such as ``release-1``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

TAGS = "tags"
"""Where the metadata of an experiment lists its tags."""

_LONGEST = 200
# Platforms that keep metadata as texts cut longer ones.


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Each tag once, in the order given.

    Raises:
        UsageError: One is empty, holds what is no visible character, or together they are too long to be kept
            everywhere.

    Example:
        >>> checked_tags(["nightly", " release-1", "nightly"])
        ('nightly', 'release-1')
    """
    found = tuple(dict.fromkeys(tag.strip() for tag in tags))
    for tag in found:
        if not tag or not tag.isprintable():
            raise UsageError(f"tag {tag!r}: give a word, such as 'release-1'")
    if len(json.dumps(found, ensure_ascii=False)) > _LONGEST:
        raise UsageError(f"the tags are longer than the {_LONGEST} characters that all platforms keep")
    return found
