"""The encoded bytes of a picture: read when asked for, and always those of the same picture."""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vlmops.errors import ImageError
from vlmops.images.facts import ImageFacts, read_facts
from vlmops.images.origin import BytesOrigin, Origin, PathOrigin, too_large
from vlmops.images.recent import RecentBytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vlmops.images.file_stamp import FileStamp
    from vlmops.images.limits import ImageLimits
    from vlmops.images.reference import ImageReference

_recent = RecentBytes()
_DAMAGED_FIX = "it was overwritten or is damaged: make a new Image of it, or restore the original"


class EncodedBytes:
    """Bytes from an origin, with the facts that were read from them first; safe between threads.

    Bytes that are in memory stay there, a file is read anew each time, and what is fetched is kept among the
    bytes used last in this process. Bytes read again must have the same hash.

    Attributes:
        origin: Where they come from.
        limits: What is refused.
        reference: What they must be; ``None`` where nothing names them.
        facts: All that is known without decoding; ``None`` until they are read.
    """

    __slots__ = ("_data", "_holders", "_lock", "_made", "_stamp", "facts", "limits", "origin", "reference")

    def __init__(
        self,
        origin: Origin,
        limits: ImageLimits,
        reference: ImageReference | None = None,
        facts: ImageFacts | None = None,
    ) -> None:
        self.origin = origin
        self.limits = limits
        self.reference = reference
        self.facts = facts
        self._stamp: FileStamp | None = None
        self._holders = 0
        self._data: bytes | None = None
        self._made: dict[object, object] = {}
        self._lock = threading.RLock()

    @property
    def source(self) -> str:
        """Where they come from, safe to print."""
        return str(self.origin.description)

    def load(self) -> tuple[bytes, ImageFacts]:
        """The bytes, checked to be those that the facts describe, and the facts.

        Raises:
            ImageError: They cannot be read, are not a picture, or changed since they were read first.
        """
        with self._lock:
            if self._data is not None and self.facts is not None:
                return self._data, self.facts
            data, stamp = self._fetch()
            if self.facts is None:
                facts = read_facts(data, self.source, self.limits)
                self._require_hash(facts.sha256, "its reference names")
                self.facts, self._stamp = facts, stamp
            elif not isinstance(self.origin, BytesOrigin) and (stamp is None or stamp != self._stamp):
                self._require_hash(hashlib.sha256(data).hexdigest(), "that was read before")
                self._stamp = stamp
            self._data = data if self._holders else None
            return data, self.facts

    def learn(self, facts: ImageFacts, data: bytes | None = None) -> None:
        """Take the facts, and the bytes if they are held, as another process has read them."""
        with self._lock:
            self.facts = self.facts or facts
            if self._holders and self.facts.sha256 == facts.sha256:
                self._data = data or self._data

    def keep(self, how: object, made: object) -> None:
        """Keep what was made of the bytes as long as they are held."""
        with self._lock:
            if self._holders:
                self._made[how] = made

    def made(self, how: object) -> object | None:
        """What was made of the bytes in that way, while they are held."""
        return self._made.get(how)

    def give(self, data: bytes) -> None:
        """Take bytes that the caller has read from the origin already, as if they had been fetched."""
        _recent.put(self, data)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within it, they are read at most once, and kept in memory."""
        with self._lock:
            self._holders += 1
        try:
            yield
        finally:
            with self._lock:
                self._holders -= 1
                if not self._holders:
                    self._data = None
                    self._made.clear()

    def release(self) -> None:
        """Let go of bytes kept in memory, if they can be had again."""
        _recent.drop(self)

    def _fetch(self) -> tuple[bytes, FileStamp | None]:
        """The bytes, and a stamp where one is sure to tell whether they have changed."""
        stamp: FileStamp | None = None
        if isinstance(self.origin, PathOrigin):
            data, taken = self.origin.read_stamped()
            stamp = taken if taken.settled else None
        elif isinstance(self.origin, BytesOrigin):
            data = self.origin.read()
        else:
            data = _recent.get(self) or self._fetch_remote()
        if len(data) > self.limits.max_bytes:
            raise too_large(self.source, len(data), self.limits)
        return data, stamp

    def _fetch_remote(self) -> bytes:
        try:
            data = bytes(self.origin.read())
        except ImageError:
            raise
        except Exception as error:
            raise ImageError(
                self.source, f"cannot be read: {type(error).__name__}: {error}", "see the cause"
            ) from error
        _recent.put(self, data)
        return data

    def _require_hash(self, sha256: str, who: str) -> None:
        expected = self.facts or self.reference
        if expected is not None and expected.sha256 != sha256:
            problem = (
                f"is not the picture {who}: sha256 {sha256[:12]}... instead of {expected.sha256[:12]}..."
            )
            raise ImageError(self.source, problem, _DAMAGED_FIX)
