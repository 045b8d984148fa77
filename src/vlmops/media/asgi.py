"""Carries the answers of a ``MediaDelivery`` over ASGI without ever blocking the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from vlmops.errors import VlmopsError
from vlmops.media.delivery import CHUNK, MediaAnswer, MediaDelivery, MediaRequest, unusable_store

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_READERS = 16
_RENDERERS = 2


class MediaResponder:
    """Answers ASGI requests for pictures, in threads of its own: many that read, few that render thumbnails.

    Args:
        open_delivery: Opens the store, which may take its time: called in a thread by the first request, and
            again by later ones as long as it raises ``VlmopsError``; requests are answered 503 meanwhile.
    """

    def __init__(self, open_delivery: Callable[[], MediaDelivery]) -> None:
        self._open_delivery = open_delivery
        self._delivery: MediaDelivery | None = None
        self._opening = threading.Lock()
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="vlmops-media")
        self._renderers = ThreadPoolExecutor(_RENDERERS, thread_name_prefix="vlmops-thumbnails")

    async def respond(self, scope: Scope, send: Send, path: str) -> None:
        """Answer the request in ``scope`` for the picture named ``path``."""
        request = MediaRequest(
            scope["method"], path, scope["query_string"].decode("latin-1"), _headers_of(scope)
        )
        lane = self._renderers if request.wants_thumbnail else self._readers
        future = lane.submit(self._answer, request)
        try:
            answer = await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            future.add_done_callback(_close_unsent)
            raise
        await self.send(send, answer)

    async def send(self, send: Send, answer: MediaAnswer) -> None:
        """Send ``answer``, its stream in chunks."""
        headers = [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()
        ]
        stream = answer.body
        if isinstance(stream, bytes):
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            await send({"type": "http.response.body", "body": stream})
            return
        try:
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            loop = asyncio.get_running_loop()
            while chunk := await loop.run_in_executor(self._readers, stream.read, CHUNK):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            stream.close()

    def close(self) -> None:
        """Let the threads end; requests under way are finished."""
        self._readers.shutdown(wait=False)
        self._renderers.shutdown(wait=False)

    def _answer(self, request: MediaRequest) -> MediaAnswer:
        try:
            delivery = self._opened()
        except VlmopsError as error:
            return unusable_store(error)
        return delivery.answer(request)

    def _opened(self) -> MediaDelivery:
        with self._opening:
            if self._delivery is None:
                self._delivery = self._open_delivery()
            return self._delivery


def path_below(scope: Scope, prefix: str) -> str | None:
    """What follows ``prefix`` and a slash in the request's path, ``None`` when it is another path.

    Example:
        >>> path_below({"path": "/root/vlmops/media/a.png", "root_path": "/root"}, "/vlmops/media")
        'a.png'
    """
    path: str = scope["path"]
    root: str = (scope.get("root_path") or "").rstrip("/")
    if root and path.startswith(f"{root}/"):
        path = path.removeprefix(root)
    if path == prefix:
        return ""
    return path.removeprefix(f"{prefix}/") if path.startswith(f"{prefix}/") else None


def header(scope: Scope, name: str) -> str:
    """The value of a request header, ``""`` without it; ``name`` in lower case."""
    return _headers_of(scope).get(name, "")


def _headers_of(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _close_unsent(future: Future[MediaAnswer]) -> None:
    if not future.cancelled() and future.exception() is None:
        body = future.result().body
        if not isinstance(body, bytes):
            body.close()
