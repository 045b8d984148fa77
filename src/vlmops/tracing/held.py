"""Payloads of pictures that wait in memory for the exporter, with a short placeholder in their place.

The application's thread pays for a reference and a few bytes of text; reading, hashing and storing happen
where the span is exported. A payload lives as long as somebody has its placeholder: a span, a queue, a
request under way. A span that is never exported therefore takes its payloads with it.
"""

from __future__ import annotations

import itertools
import re
import secrets
import threading
import weakref
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

from vlmops.tracing.lifecycle import after_fork
from vlmops.tracing.picture import HELD_PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

MAX_PAYLOADS = 10_000
MAX_BYTES = 256 * 1024 * 1024
MAX_PAYLOAD_BYTES = 96 * 1024 * 1024
"""Base64 of the largest picture that is kept."""

REFUSED = f"{HELD_PREFIX}refused"
"""The placeholder of a payload that there was no room for."""

PLACEHOLDER = re.compile(re.escape(HELD_PREFIX) + "[A-Za-z0-9_-]+")

_MAX_PINS = 2_000


class Held(str):
    """A placeholder as text, which keeps its payload alive.

    Attributes:
        payload: What it stands for: a data URI, encoded bytes, a Pillow image or an array.
        size: About how many bytes the payload takes.
    """

    __slots__ = ("__weakref__", "payload", "size")

    payload: Any
    size: int

    def __deepcopy__(self, memo: dict[int, Any]) -> Held:
        return self

    def __copy__(self) -> Held:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # In another process, a placeholder is only text: payloads stay where they are.
        return str, (str.__str__(self),)


class _Entry(weakref.ref[Held]):
    """A weak reference that knows what to take off the books."""

    __slots__ = ("identity", "size", "token")

    token: str
    identity: int
    size: int


class HeldPayloads:
    """The payloads of this process, bounded in number and bytes; safe between threads and across forks.

    What there is no room for is refused and counted, and its placeholder is :data:`REFUSED`. The same object
    is held once, however often it is sent.

    Args:
        max_count: Payloads at most.
        max_bytes: Bytes of all payloads together, at most.
        max_payload_bytes: Bytes of one payload, at most.

    Example:
        >>> held = HeldPayloads()
        >>> placeholder = held.hold("data:image/png;base64,iVBORw0KGgo...")
        >>> placeholder.startswith("vlmops-held:"), held.get(placeholder)
        (True, 'data:image/png;base64,iVBORw0KGgo...')
        >>> copy = str(placeholder.encode(), "ascii")
        >>> del placeholder
        >>> held.get(copy) is None
        True
    """

    def __init__(
        self,
        max_count: int = MAX_PAYLOADS,
        max_bytes: int = MAX_BYTES,
        max_payload_bytes: int = MAX_PAYLOAD_BYTES,
    ) -> None:
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._max_payload_bytes = max_payload_bytes
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._by_identity: dict[int, _Entry] = {}
        self._pins: OrderedDict[str, list[Held]] = OrderedDict()
        # Filled by the garbage collector, which may run anywhere, also while the lock is taken.
        self._gone: deque[_Entry] = deque()
        self._numbers = itertools.count(1)
        self._nonce = secrets.token_hex(4)
        self._bytes = 0
        self.refused = 0
        after_fork(self._after_fork)

    def hold(self, payload: Any) -> str:
        """A placeholder for a payload: :class:`Held`, or :data:`REFUSED` when there is no room.

        What can change later (a Pillow image, an array) must be a copy.
        """
        size = _size(payload)
        with self._lock:
            self._settle()
            present = self._by_identity.get(id(payload))
            held = present() if present is not None else None
            if held is not None:
                return held
            if (
                size > self._max_payload_bytes
                or len(self._entries) >= self._max_count
                or self._bytes + size > self._max_bytes
            ):
                self.refused += 1
                return REFUSED
            return self._enter(payload, size)

    def get(self, placeholder: str) -> Any | None:
        """The payload of a placeholder, given as :class:`Held` or as text; ``None`` when it is gone."""
        held = self.held(placeholder)
        return None if held is None else held.payload

    def held(self, placeholder: str) -> Held | None:
        """The living placeholder of that text."""
        if isinstance(placeholder, Held):
            return placeholder
        entry = self._entries.get(placeholder)
        return entry() if entry is not None else None

    def within(self, span: ReadableSpan) -> list[Held]:
        """Those with placeholders in longer text of a span: nothing in it keeps their payloads alive."""
        return [
            held
            for value in (span.attributes or {}).values()
            if isinstance(value, str) and not isinstance(value, Held) and HELD_PREFIX in value
            for token in PLACEHOLDER.findall(value)
            if (held := self.held(token)) is not None
        ]

    def pin(self, span_id: str, placeholders: Sequence[str]) -> None:
        """Keep payloads alive on behalf of a span that holds their placeholders as part of longer text.

        Without :meth:`unpin`, those pinned longest ago are let go.
        """
        found = [held for held in placeholders if isinstance(held, Held)]
        if not found:
            return
        with self._lock:
            self._pins.setdefault(span_id, []).extend(found)
            self._pins.move_to_end(span_id)
            let_go = [self._pins.popitem(last=False) for _ in range(len(self._pins) - _MAX_PINS)]
        # Payloads are freed outside of the lock.
        del let_go

    def unpin(self, span_id: str) -> None:
        """Undo :meth:`pin`."""
        with self._lock:
            let_go = self._pins.pop(span_id, None)
        del let_go

    @property
    def count(self) -> int:
        """Payloads held now."""
        with self._lock:
            self._settle()
            return len(self._entries)

    @property
    def byte_length(self) -> int:
        """Bytes held now."""
        with self._lock:
            self._settle()
            return self._bytes

    def _enter(self, payload: Any, size: int) -> Held:
        held = Held(f"{HELD_PREFIX}{self._nonce}-{next(self._numbers)}")
        held.payload, held.size = payload, size
        entry = _Entry(held, self._gone.append)
        entry.token, entry.identity, entry.size = str.__str__(held), id(payload), size
        self._entries[entry.token] = entry
        self._by_identity[entry.identity] = entry
        self._bytes += size
        return held

    def _settle(self) -> None:
        """Take those off the books that nobody holds any more."""
        while self._gone:
            entry = self._gone.popleft()
            if self._entries.pop(entry.token, None) is not None:
                self._bytes -= entry.size
            if self._by_identity.get(entry.identity) is entry:
                del self._by_identity[entry.identity]

    def _after_fork(self) -> None:
        # The lock may have been taken by a thread that does not exist here.
        self._lock = threading.Lock()
        self._pins.clear()


PAYLOADS = HeldPayloads()
"""Those of this process: what is deferred in one place is found in every other."""


def _size(payload: Any) -> int:
    if isinstance(payload, str | bytes | bytearray):
        return len(payload)
    if isinstance(nbytes := getattr(payload, "nbytes", None), int):
        return nbytes
    width, height = getattr(payload, "size", (0, 0))
    return int(width * height * max(1, len(getattr(payload, "mode", ""))))
