"""Serves stored pictures from Phoenix's own origin.

Phoenix loads this file by its path, outside of the package, so it imports nothing relatively::

    PHOENIX_FASTAPI_MIDDLEWARE_PATHS=/.../vlmops_phoenix/middleware.py:VlmopsMedia
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.middleware.base import BaseHTTPMiddleware

from vlmops.media import MediaDelivery, open_store
from vlmops.media.asgi import MediaResponder, path_below
from vlmops.media.delivery import refusal
from vlmops.media.urls import MEDIA_PATH

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


def middleware_path() -> str:
    """The entry for the environment variable ``PHOENIX_FASTAPI_MIDDLEWARE_PATHS``.

    Example:
        >>> middleware_path().endswith("middleware.py:VlmopsMedia")
        True
    """
    return f"{Path(__file__).resolve()}:VlmopsMedia"


class VlmopsMedia(BaseHTTPMiddleware):
    """Answers ``/vlmops/media/<name>`` with the picture, and leaves every other request alone.

    The store is the one that ``VLMOPS_MEDIA_STORE`` names. Phoenix puts this middleware outside of its
    authentication, so a request for a picture is given to Phoenix's own token check here: the session of a
    logged-in browser and an API key see pictures, nobody else does.

    A store that cannot be opened costs the pictures (503), never Phoenix.
    """

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app)
        self._responder: MediaResponder | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer requests for pictures; pass all others on."""
        # Phoenix insists on the base class, but its wrapping would cost every other request time.
        path = path_below(scope, MEDIA_PATH) if scope["type"] == "http" else None
        if path is None:
            await self.app(scope, receive, send)
            return
        private = bool(scope["app"].state.authentication_enabled)
        # Only now is it known whether Phoenix asks for a login.
        if self._responder is None:
            self._responder = MediaResponder(lambda: MediaDelivery(open_store(), private=private))
        if private and not await _is_logged_in(scope):
            await self._responder.send(send, refusal(401, "log in to Phoenix to see pictures"))
        else:
            await self._responder.respond(scope, send, path)


async def _is_logged_in(scope: Scope) -> bool:
    """Whether Phoenix itself would let the request pass: its backend reads the token, its check judges it."""
    from phoenix.server.bearer_auth import BearerTokenAuthBackend, is_authenticated
    from starlette.authentication import UnauthenticatedUser
    from starlette.exceptions import HTTPException
    from starlette.requests import Request

    state = scope["app"].state
    backend = BearerTokenAuthBackend(state.get_token_store())
    found = await backend.authenticate(Request(scope))
    user = found[1] if found else UnauthenticatedUser()
    try:
        await is_authenticated(Request({**scope, "user": user}))
    except HTTPException:
        return False
    return True
