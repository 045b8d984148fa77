"""Pictures of traces into Langfuse's media store, from ordinary threads.

The exporter of spans works until the interpreter ends, when event loops have no threads left to resolve names
or read files with; so these requests are plain blocking ones.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from vlmops.errors import MediaError, PlatformUnavailable
from vlmops_langfuse.media_upload import (
    STORED,
    MediaTarget,
    acceptable,
    confirmation,
    declaration,
    upload_headers,
    upload_seconds,
)
from vlmops_langfuse.pool import HttpAnswer, ssl_context
from vlmops_langfuse.references import media_id, reference_to
from vlmops_langfuse.retry import RETRIED, retry_after

if TYPE_CHECKING:
    from collections.abc import Callable

    from vlmops.images import Image
    from vlmops_langfuse.settings import LangfuseSettings

_ATTEMPTS = 4
_FIRST_WAIT_S = 0.2
_LONGEST_WAIT_S = 5.0
_TIMEOUT_S = 10.0
_REMEMBERED = 10_000
_FORBIDDEN = (401, 403)


class TraceMedia:
    """The media of one project; safe between threads.

    The bytes of a picture are uploaded once; for each further observation it is only declared, which is what
    Langfuse shows in its media strip.

    Args:
        settings: Which Langfuse.
    """

    def __init__(self, settings: LangfuseSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._uploads: OrderedDict[str, threading.Lock] = OrderedDict()
        self._stored: OrderedDict[str, None] = OrderedDict()
        keys = (settings.public_key, settings.secret_key)
        self._api = httpx.Client(base_url=settings.url, auth=keys, timeout=_TIMEOUT_S, verify=ssl_context())
        # The bucket must never see the keys.
        self._bucket = httpx.Client(timeout=_TIMEOUT_S, verify=ssl_context())

    def store(self, image: Image, target: MediaTarget) -> str:
        """Make sure the picture is stored and belongs to the target; gives its reference string.

        Raises:
            MediaError: Langfuse or its bucket does not take it.
            PlatformUnavailable: One of them does not answer.
        """
        image = acceptable(image)
        identity = media_id(image.sha256)
        with self._turn(identity):
            body = declaration(image, target)
            url = self._json(lambda: self._api.post("/api/public/media", json=body))["uploadUrl"]
            if url is not None and identity not in self._stored:
                self._upload(image, identity, url)
            self._remember(identity)
        return reference_to(image)

    def close(self) -> None:
        """Close all connections."""
        self._api.close()
        self._bucket.close()

    def _upload(self, image: Image, identity: str, url: str) -> None:
        data, headers = image.read(), upload_headers(image, url)
        timeout = httpx.Timeout(upload_seconds(len(data)), connect=_TIMEOUT_S)
        started = time.monotonic()
        response = _answer(
            lambda: self._bucket.put(url, content=data, headers=headers, timeout=timeout),
            f"Langfuse's bucket at {urlsplit(url).netloc}",
        )
        said = confirmation(response.status_code, response.reason_phrase, time.monotonic() - started)
        self._json(lambda: self._api.patch(f"/api/public/media/{identity}", json=said))
        if response.status_code not in STORED:
            raise MediaError(
                f"Langfuse's bucket at {urlsplit(url).netloc} refused it with {response.status_code}"
            )

    def _json(self, send: Callable[[], httpx.Response]) -> dict[str, Any]:
        response = _answer(send, f"Langfuse at {self._settings.url}")
        if response.status_code in _FORBIDDEN:
            raise PlatformUnavailable(f"Langfuse at {self._settings.url} does not know the keys")
        if response.is_error:
            raise MediaError(f"Langfuse refused it with {response.status_code}")
        try:
            answer = response.json() if response.content else {}
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise PlatformUnavailable(f"{self._settings.url} does not answer as a Langfuse does")
        return answer

    def _turn(self, identity: str) -> threading.Lock:
        """Held while a picture is on its way, so that two spans do not upload it at the same time."""
        with self._lock:
            lock = self._uploads.setdefault(identity, threading.Lock())
            self._uploads.move_to_end(identity)
            if len(self._uploads) > _REMEMBERED:
                self._uploads.popitem(last=False)
            return lock

    def _remember(self, identity: str) -> None:
        with self._lock:
            self._stored[identity] = None
            self._stored.move_to_end(identity)
            if len(self._stored) > _REMEMBERED:
                self._stored.popitem(last=False)


def _answer(send: Callable[[], httpx.Response], who: str) -> httpx.Response:
    """The first answer that stands; a few attempts, since each may be repeated."""
    problem = ""
    for attempt in range(_ATTEMPTS):
        wait = 0.0
        try:
            response = send()
            if response.status_code not in RETRIED:
                return response
            problem = f"answers {response.status_code}"
            wait = retry_after(HttpAnswer(response.status_code, "", response.headers))
        except httpx.TransportError as error:
            problem = f"does not answer ({type(error).__name__})"
        wait = max(wait, _FIRST_WAIT_S * 2**attempt)
        if wait > _LONGEST_WAIT_S or attempt == _ATTEMPTS - 1:
            break
        time.sleep(wait)
    raise PlatformUnavailable(f"{who} {problem}")
