"""Which answers have come in lately: who looked for one before need not always look again."""

from __future__ import annotations


class LandedKeys:
    """The last keys whose answers were kept; belongs to one event loop, but for :attr:`count`.

    Args:
        length: How many are remembered.

    Attributes:
        count: How many there have been: a mark to compare with later, readable from any thread.

    Example:
        >>> landed = LandedKeys()
        >>> mark = landed.count
        >>> landed.add(b"one")
        >>> landed.since(mark, b"one"), landed.since(mark, b"two"), landed.since(landed.count, b"one")
        (True, False, False)
    """

    def __init__(self, length: int = 4096) -> None:
        self.count = 0
        self._length = length
        self._numbers: dict[bytes, int] = {}

    def add(self, key: bytes) -> None:
        """Note that the answer is kept."""
        self.count += 1
        self._numbers.pop(key, None)
        self._numbers[key] = self.count
        if len(self._numbers) > self._length:
            del self._numbers[next(iter(self._numbers))]

    def since(self, mark: int, key: bytes) -> bool:
        """Whether the answer has been kept since that mark, or may have been, where that is forgotten."""
        return self.count - mark > self._length or self._numbers.get(key, 0) > mark
