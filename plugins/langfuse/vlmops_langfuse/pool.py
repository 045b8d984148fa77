"""Many requests at once, cheaply."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import ssl
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONNECT_SECONDS = 10.0
_WHOLE_SECONDS = 300.0
_COPIED_BYTES = 1 << 20


@cache
def ssl_context() -> ssl.SSLContext:
    """Made once: reading the system's certificates takes longer than reading a picture."""
    return ssl.create_default_context()


class NoAnswer(Exception):  # noqa: N818 - says what happened
    """A request got no answer, or only a part of one; the message names the reason."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a server answered.

    Attributes:
        status: The HTTP status.
        reason: Its words.
        headers: By name in any case.
        content: The whole body.
    """

    status: int
    reason: str
    headers: Mapping[str, str]
    content: bytes = b""

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body's JSON.

        Raises:
            ValueError: It is none.
        """
        return json.loads(self.content)


class HttpPool:
    """A bounded number of connections to one server; belongs to the running event loop.

    Args:
        connections: How many at most; what finds none free waits, without a limit of time.
        base_url: Put before each address.
        keys: User and password that each request carries.
        silent_seconds: How long the server may say nothing.
    """

    def __init__(
        self,
        connections: int,
        base_url: str = "",
        keys: tuple[str, str] | None = None,
        silent_seconds: float = 60.0,
    ) -> None:
        self._base_url = base_url
        self._silent_seconds = silent_seconds
        self._free = asyncio.Semaphore(connections)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, ssl=ssl_context()),
            headers={"Authorization": _basic(*keys)} if keys else None,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = _WHOLE_SECONDS,
    ) -> HttpAnswer:
        """An answer, once a connection is free.

        Args:
            method: ``"GET"``, ``"POST"``, ...
            url: Percent-encoded already.
            params: Added to it.
            body: Sent as JSON.
            content: Sent as it is.
            headers: Sent with it.
            seconds: How long it may take at most.

        Raises:
            NoAnswer: There is none.
        """
        # Signed URLs stand for nothing else than what they are.
        address = URL(self._base_url + url + (f"?{urlencode(params)}" if params else ""), encoded=True)
        sent = dict(headers or {})
        if body is not None:
            content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
            sent["Content-Type"] = "application/json"
        timeout = aiohttp.ClientTimeout(
            seconds, sock_connect=_CONNECT_SECONDS, sock_read=self._silent_seconds
        )
        async with self._free:
            try:
                async with self._session.request(
                    method,
                    address,
                    data=_payload(content),
                    headers=sent,
                    timeout=timeout,
                    proxy=_proxy(address.scheme, address.host or ""),
                    allow_redirects=False,
                ) as response:
                    data = await response.read()
                    return HttpAnswer(response.status, response.reason or "", response.headers, data)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise NoAnswer(type(error).__name__) from error

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@cache
def _proxy(scheme: str, host: str) -> str | None:
    """The proxy that the environment names for a host; looking at it for each request would be dear."""
    return None if proxy_bypass(host) else getproxies().get(scheme)


def _payload(content: bytes | None) -> bytes | io.BytesIO | None:
    """Large ones piece by piece, between which other requests go on."""
    return io.BytesIO(content) if content is not None and len(content) > _COPIED_BYTES else content
