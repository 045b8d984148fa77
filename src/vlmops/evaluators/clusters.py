"""Which cases are not independent of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmops.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from vlmops.evaluators.case import Case


def picture_clusters(cases: Sequence[Case]) -> list[Hashable]:
    """One key per case, equal where cases were given the same pictures.

    Several questions about one picture rise and fall together, so a bootstrap draws them together. All
    pictures of a case count: cases that share a reference picture and differ in another are independent.
    Cases without a readable picture are told apart by id, so that repetitions of one sample stay together.

    Example:
        >>> from vlmops.evaluators import Case
        >>> keys = picture_clusters([Case(output="a", id="1"), Case(output="b", id="1"), Case(output="c")])
        >>> keys[0] == keys[1], len(set(keys))
        (True, 2)
    """
    return [_key(case, index) for index, case in enumerate(cases)]


def _key(case: Case, index: int) -> Hashable:
    try:
        pictures = frozenset(image.sha256 for image in case.images)
    except ImageError:
        pictures = frozenset()
    return pictures or case.id or index
