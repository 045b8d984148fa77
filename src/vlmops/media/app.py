"""A small web server for pictures, for a platform that cannot serve them itself."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from vlmops.errors import PrerequisiteError
from vlmops.media.asgi import MediaResponder, Message, Receive, Scope, Send, header, path_below
from vlmops.media.delivery import MediaAnswer, MediaDelivery, refusal
from vlmops.media.store import MediaStore, open_store
from vlmops.media.urls import MEDIA_PATH

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DEFAULT_PORT = 6010
"""Port of the media app unless another is given."""


class MediaApp:
    """ASGI application that serves a store's pictures at ``/vlmops/media/<name>``, and ``/healthz``.

    Use ``media_app`` to make one.
    """

    def __init__(self, responder: MediaResponder, token: str | None, allow_origins: Sequence[str]) -> None:
        self._responder = responder
        self._token = token
        self._allow_origins = frozenset(allow_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI 3 has it."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._respond(scope, self._with_cors(scope, send))
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _respond(self, scope: Scope, send: Send) -> None:
        path = path_below(scope, MEDIA_PATH)
        if path is None:
            alive = path_below(scope, "/healthz") == ""
            await self._responder.send(send, _alive() if alive else refusal(404, "not found"))
        elif self._is_preflight(scope):
            await self._responder.send(send, _preflight())
        elif not self._may_see(scope):
            denied = refusal(401, "a valid token is needed", www_authenticate="Bearer")
            await self._responder.send(send, denied)
        else:
            await self._responder.respond(scope, send, path)

    def _may_see(self, scope: Scope) -> bool:
        if self._token is None:
            return True
        kind, _, offered = header(scope, "authorization").partition(" ")
        if kind.lower() != "bearer":
            query = scope["query_string"].decode("latin-1")
            offered = dict(parse_qs(query)).get("token", [""])[-1]
        return hmac.compare_digest(offered.encode(), self._token.encode())

    def _is_preflight(self, scope: Scope) -> bool:
        return scope["method"] == "OPTIONS" and bool(header(scope, "origin")) and bool(self._allow_origins)

    def _with_cors(self, scope: Scope, send: Send) -> Send:
        origin = header(scope, "origin")
        allowed = "*" if "*" in self._allow_origins else origin
        if not origin or not self._allow_origins & {"*", origin}:
            return send

        async def send_with_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"access-control-allow-origin", allowed.encode("latin-1")))
                if allowed != "*":
                    message["headers"].append((b"vary", b"origin"))
            await send(message)

        return send_with_cors

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                self._responder.close()
                await send({"type": "lifespan.shutdown.complete"})
                return
            await send({"type": "lifespan.startup.complete"})


def media_app(
    store: MediaStore | str | Path | None = None,
    *,
    token: str | None = None,
    allow_origins: Sequence[str] = (),
) -> MediaApp:
    """Make the application; run it with any ASGI server.

    Without a token, whoever knows the 256-bit address of a picture can see it, and nobody can find out which
    there are.

    Args:
        store: A store, or where it is (see ``open_store``).
        token: What a request must bring, as ``Authorization: Bearer <token>`` or ``?token=<token>``.
        allow_origins: Origins whose scripts may read the pictures (CORS), or ``*``. Pages of any origin can
            show them without.

    Example:
        >>> app = media_app("memory://app")
        >>> sent = []
        >>> async def send(message): sent.append(message)
        >>> scope = {"type": "http", "method": "GET", "path": "/healthz", "query_string": b"", "headers": []}
        >>> import asyncio
        >>> asyncio.run(app(scope, None, send)); sent[0]["status"]
        200
    """

    def open_delivery() -> MediaDelivery:
        opened = store if isinstance(store, MediaStore) else open_store(store)
        return MediaDelivery(opened, private=token is not None, embeddable=True)

    return MediaApp(MediaResponder(open_delivery), token, allow_origins)


def serve(
    store: MediaStore | str | Path | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    token: str | None = None,
    allow_origins: Sequence[str] = (),
) -> None:
    """Serve a store's pictures over HTTP until interrupted; see ``media_app``.

    Raises:
        PrerequisiteError: uvicorn is not installed.
    """
    try:
        import uvicorn
    except ImportError as error:
        raise PrerequisiteError("the media server needs uvicorn: pip install 'vlmops[media]'") from error
    # No access log: it would hold tokens.
    uvicorn.run(
        media_app(store, token=token, allow_origins=allow_origins),
        host=host,
        port=port,
        access_log=False,
        server_header=False,
        log_level="warning",
    )


def _alive() -> MediaAnswer:
    return MediaAnswer(200, {"content-type": "text/plain; charset=utf-8", "content-length": "3"}, b"ok\n")


def _preflight() -> MediaAnswer:
    return MediaAnswer(
        204,
        {
            "access-control-allow-methods": "GET, HEAD",
            "access-control-allow-headers": "authorization, if-none-match",
            "access-control-max-age": "86400",
        },
    )
