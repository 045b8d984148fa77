"""From a payload found in a span to a picture that may leave the process."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from vlmops.errors import ImageError
from vlmops.images import Image
from vlmops.images.limits import ImageLimits
from vlmops.tracing.held import MAX_PAYLOAD_BYTES, PAYLOADS, REFUSED
from vlmops.tracing.lifecycle import after_fork
from vlmops.tracing.picture import KeptPicture, PictureFacts, not_kept
from vlmops.tracing.policy import PicturePolicy, Treated

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from vlmops.tracing.held import HeldPayloads
    from vlmops.tracing.picture import FoundPicture
    from vlmops.tracing.policy import Level

RECENT_BYTES = 64 * 1024 * 1024
_RECENT = 1_000
_SCHEMES = ("http://", "https://")


class PictureReader:
    """Decodes payloads, applies the policy, and remembers the most recent results.

    The same picture, in another span or for another platform, is decoded and treated once.

    Args:
        policy: What may be kept of a picture; by default all of it but its metadata.
        environment: Name of the environment, by which a policy may decide.
        payloads: Where deferred pictures are held.
        recent_bytes: Bytes of pictures remembered, at most.
    """

    def __init__(
        self,
        policy: PicturePolicy | None = None,
        *,
        environment: str = "",
        payloads: HeldPayloads = PAYLOADS,
        recent_bytes: int = RECENT_BYTES,
    ) -> None:
        self._policy = policy or PicturePolicy()
        self._environment = environment
        self._payloads = payloads
        self._recent = _Recent(recent_bytes)
        limits = ImageLimits.from_environment()
        self._limits = ImageLimits(
            limits.max_pixels, min(limits.max_bytes, MAX_PAYLOAD_BYTES), limits.timeout
        )

    def read(self, found: FoundPicture, trace_id: str) -> Treated:
        """The picture of a payload; never raises for what is wrong with it.

        Args:
            found: Where it was found.
            trace_id: 32 hexadecimal digits; a policy may keep pictures of some traces only.
        """
        if found.is_url:
            return Treated(None, _recorded(str(found.payload)))
        payload: Any = found.payload
        if found.is_held:
            payload = self._payloads.get(str(payload))
            if payload is None:
                return Treated(None, not_kept(_why_gone(str(found.payload))))
        level = self._policy.level_for(trace_id, self._environment)
        digest = _digest(payload)
        if digest is None:
            return self._treated(payload, found, level)
        key = (digest, level, found.role)
        return self._recent.get(key, lambda: self._treated(payload, found, level))

    def _treated(self, payload: Any, found: FoundPicture, level: Level) -> Treated:
        try:
            return self._policy.treat(self._image(payload), found, level)
        except ImageError as error:
            return Treated(None, not_kept(error.problem))

    def _image(self, payload: Any) -> Image:
        if isinstance(payload, str):
            uri = payload if payload[:5].lower() == "data:" else f"data:;base64,{payload}"
            return Image.from_data_uri(uri, limits=self._limits)
        if isinstance(payload, bytes | bytearray):
            return Image.from_bytes(payload, "<picture in a span>", limits=self._limits)
        return Image.of(payload)


class _Recent:
    """Results by key, those used last, up to a number of bytes; each is worked out once at a time."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._begin()
        after_fork(self._begin)

    def get(self, key: Hashable, work: Callable[[], Treated]) -> Treated:
        with self._lock:
            future = self._results.get(key)
            if future is not None:
                self._results.move_to_end(key)
            else:
                mine = self._results[key] = Future()
        if future is not None:
            return future.result()
        try:
            result = work()
        except BaseException as error:
            with self._lock:
                self._results.pop(key, None)
            mine.set_exception(error)
            raise
        mine.set_result(result)
        self._remember(key, result)
        return result

    def _remember(self, key: Hashable, result: Treated) -> None:
        with self._lock:
            if key not in self._results:
                return
            self._sizes[key] = result.image.byte_length if result.image is not None else 0
            self._total += self._sizes[key]
            while self._sizes and (self._total > self._max_bytes or len(self._sizes) > _RECENT):
                oldest = next(each for each in self._results if each in self._sizes)
                self._total -= self._sizes.pop(oldest)
                del self._results[oldest]

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._results: OrderedDict[Hashable, Future[Treated]] = OrderedDict()
        self._sizes: dict[Hashable, int] = {}
        self._total = 0


def _recorded(url: str) -> KeptPicture:
    """An address is recorded and never asked: it may lead anywhere within the application's network."""
    drawable = url.lower().startswith(_SCHEMES)
    return KeptPicture(url, drawable=drawable, facts=PictureFacts(kept="url"))


def _why_gone(placeholder: str) -> str:
    if placeholder == REFUSED:
        return "too large, or too many pictures were waiting"
    return "it was no longer in memory when its span was exported"


def _digest(payload: Any) -> bytes | None:
    if isinstance(payload, str):
        return hashlib.sha256(payload.encode("utf-8", "surrogatepass")).digest()
    if isinstance(payload, bytes | bytearray):
        return hashlib.sha256(payload).digest()
    return None
