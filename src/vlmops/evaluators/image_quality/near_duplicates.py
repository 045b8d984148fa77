"""Near-duplicates among many pictures, by perceptual hash, without comparing each with each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.errors import ImageError, UsageError
from vlmops.evaluators.bases import NamedEvaluator
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.pictures.hashing import phash
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Direction, SetScore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vlmops.evaluators.case import Case
    from vlmops.images import Image

    Array = Any

DISTANCE = 8
"""Bits of 64 up to which two pictures are near-duplicates."""

_BITS = 64
_PARTS, _PART_BITS = 4, 16
_BLOCK_PAIRS = 2_000_000
_GROUPS_SHOWN = 100


def near_duplicate_groups(hashes: Sequence[str], distance: int = DISTANCE) -> list[list[int]]:
    """Groups of hashes that are linked by pairs at most ``distance`` bits apart, largest first.

    Exact: every such pair is found. A hash is cut into four parts; two hashes that differ in few bits
    agree nearly in one of them, so that only hashes with a like part are compared (multi-index hashing,
    Norouzi, Punjani and Fleet 2014). Equal hashes are joined first.

    Args:
        hashes: Hexadecimal, of 64 bits each.
        distance: Greatest Hamming distance, 0..16.

    Returns:
        Indices into ``hashes``, ascending within a group; hashes without a partner are left out.

    Raises:
        UsageError: A hash has not 64 bits, or the distance is out of range.

    Example:
        >>> near_duplicate_groups(["ff00ff00ff00ff00", "ff00ff00ff00ff01", "0123456789abcdef"])
        [[0, 1]]
    """
    import numpy as np

    if not 0 <= distance <= 16:
        raise UsageError(f"near-duplicates are looked for within 0..16 bits, not {distance}")
    values, members = np.unique(_words(hashes), return_inverse=True)
    parent = np.arange(len(values))
    for first, second in _candidates(values, distance):
        apart = parent[first] != parent[second]
        first, second = first[apart], second[apart]
        near = _bit_count(values[first] ^ values[second]) <= distance
        parent = _join(parent, first[near], second[near])
    roots = parent[members]
    order = np.argsort(roots, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(roots[order])) + 1)
    found = [group.tolist() for group in groups if len(group) > 1]
    return sorted(found, key=lambda group: (-len(group), group[0]))


def _words(hashes: Sequence[str]) -> Array:
    import numpy as np

    for text in hashes:
        if len(text) * 4 != _BITS:
            raise UsageError(f"near-duplicates need hashes of {_BITS} bits, not {text!r}")
    try:
        return np.array([int(text, 16) for text in hashes], dtype=np.uint64)
    except ValueError as error:
        raise UsageError(f"hashes are hexadecimal digits: {error}") from None


def _candidates(values: Array, distance: int) -> Iterator[tuple[Array, Array]]:
    """Indices of pairs that agree nearly in one part, in blocks that fit into memory.

    Of ``distance`` differing bits, either the first ``distance % parts + 1`` parts hold one with at most
    ``distance // parts`` of them, or another part holds one fewer.
    """
    import numpy as np

    least, spare = divmod(distance, _PARTS)
    for part in range(_PARTS):
        most = least if part <= spare else least - 1
        keys = (values >> np.uint64(part * _PART_BITS)).astype(np.int64) & (2**_PART_BITS - 1)
        order = np.argsort(keys, kind="stable")
        sorted_keys = keys[order]
        starts = np.searchsorted(sorted_keys, np.arange(2**_PART_BITS + 1))
        for flip in _flips(most):
            rows, first, count = _partners(sorted_keys, starts, flip)
            for left, right in _blocks(rows, first, count):
                yield order[left], order[right]


def _partners(sorted_keys: Array, starts: Array, flip: int) -> tuple[Array, Array, Array]:
    """Rows, and where the rows whose part differs by just these bits begin and how many they are.

    A pair is met from one side only: from the row that lacks the highest of the bits, or comes first.
    """
    import numpy as np

    if flip == 0:
        rows = np.arange(len(sorted_keys))
        first = rows + 1
        count = starts[sorted_keys + 1] - first
    else:
        rows = np.flatnonzero(sorted_keys & (1 << (flip.bit_length() - 1)) == 0)
        wanted = sorted_keys[rows] ^ flip
        first = starts[wanted]
        count = starts[wanted + 1] - first
    some = count > 0
    return rows[some], first[some], count[some]


def _blocks(rows: Array, first: Array, count: Array) -> Iterator[tuple[Array, Array]]:
    """Each row with each of its partners."""
    import numpy as np

    total = np.cumsum(count)
    start = 0
    while start < len(rows):
        before = total[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(total, before + _BLOCK_PAIRS, side="right")))
        counts = count[start:stop]
        left = np.repeat(rows[start:stop], counts)
        offset = np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts)
        yield left, np.repeat(first[start:stop], counts) + offset
        start = stop


def _flips(most: int) -> Iterator[int]:
    """All numbers of a part with at most so many bits set."""
    for size in range(most + 1):
        for chosen in combinations(range(_PART_BITS), size):
            yield sum(1 << bit for bit in chosen)


def _bit_count(values: Array) -> Array:
    import numpy as np

    if hasattr(np, "bitwise_count"):
        return np.bitwise_count(values)
    return np.unpackbits(values.view(np.uint8).reshape(-1, 8), axis=1).sum(axis=1)


def _join(parent: Array, first: Array, second: Array) -> Array:
    """The forest with the sets of all pairs united; every entry points to the least of its set."""
    import numpy as np

    while True:
        a, b = parent[first], parent[second]
        apart = a != b
        if not apart.any():
            return parent
        first, second = first[apart], second[apart]
        np.minimum.at(parent, np.maximum(a, b)[apart], np.minimum(a, b)[apart])
        while (parent[parent] != parent).any():
            parent = parent[parent]


@register("near_duplicates")
@dataclass(frozen=True, kw_only=True)
class NearDuplicates(NamedEvaluator):
    """Share of the pictures of a set that have a near-duplicate in it, over the inputs of all cases.

    Near-duplicates make intervals too narrow and leak between splits. The groups are in the metadata, as ids
    of cases. The same picture given to several cases is one picture.

    Attributes:
        distance: Bits of 64 up to which pictures are near-duplicates.

    Example:
        >>> from vlmops.evaluators import Case
        >>> from vlmops.images import Image
        >>> import numpy as np
        >>> ramp = np.tile(np.arange(64, dtype=np.uint8)[:, None] * 4, (64, 1, 3))
        >>> pictures = [Image.from_array(ramp), Image.from_array(ramp[::2, ::2])]
        >>> cases = [Case(output="", inputs=picture, id=str(n)) for n, picture in enumerate(pictures)]
        >>> NearDuplicates().evaluate_set(cases).metadata["groups"]
        [['0', '1']]
    """

    default_name: ClassVar[str] = "near_duplicates"
    direction: ClassVar[Direction] = "minimize"

    distance: int = DISTANCE

    def applies(self, case: Case) -> bool:
        """Whether there is a picture to look at."""
        return bool(case.images)

    def evaluate_set(self, cases: Sequence[Case]) -> SetScore | Failure:
        """Compare the pictures of all cases."""
        pictures: dict[str, tuple[str, str]] = {}
        broken = 0
        for place, case in enumerate(cases):
            for image in case.images:
                hashed = _hashed(image)
                if hashed is None:
                    broken += 1
                else:
                    pictures.setdefault(hashed[0], (case.id or str(place), hashed[1]))
        if not pictures:
            return self.failure(FailureKind.BAD_IMAGE, "no case has a readable picture")
        owners = [owner for owner, _ in pictures.values()]
        groups = near_duplicate_groups([digest for _, digest in pictures.values()], self.distance)
        alike = sum(map(len, groups))
        return SetScore(
            self.name,
            alike / len(pictures),
            n=len(pictures),
            failures=broken,
            explanation=f"{alike} of {len(pictures)} pictures are in {len(groups)} groups of near-duplicates",
            direction=self.direction,
            metadata={
                "distance": self.distance,
                "groups": [[owners[index] for index in group] for group in groups[:_GROUPS_SHOWN]],
                "group_count": len(groups),
            },
        )


def _hashed(image: Image) -> tuple[str, str] | None:
    """The picture's identity and its hash; ``None`` where it cannot be read."""
    try:
        return image.sha256, phash(image.to_pil())
    except ImageError:
        return None
