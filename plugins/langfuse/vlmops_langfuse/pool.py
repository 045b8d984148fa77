"""Many requests at once, cheaply."""

from __future__ import annotations

import asyncio
import ssl
from functools import cache
from typing import Any

import httpx

_CONNECTIONS_EACH = 4


@cache
def ssl_context() -> ssl.SSLContext:
    """Made once: reading the system's certificates takes longer than reading a picture."""
    return ssl.create_default_context()


class HttpPool:
    """A bounded number of connections, kept by several small clients; belongs to the running event loop.

    One client looks at all of its connections twice for each request, which with many of them takes more time
    than the request itself. What finds no connection free waits here, in no client's own queue.

    Args:
        connections: How many at most.
        **options: Of each ``httpx.AsyncClient``.
    """

    def __init__(self, connections: int, **options: Any) -> None:
        self._clients: list[httpx.AsyncClient] = []
        self._free: asyncio.LifoQueue[httpx.AsyncClient] = asyncio.LifoQueue()
        for first in range(0, connections, _CONNECTIONS_EACH):
            count = min(_CONNECTIONS_EACH, connections - first)
            limits = httpx.Limits(max_connections=count)
            client = httpx.AsyncClient(limits=limits, verify=ssl_context(), **options)
            self._clients.append(client)
            for _ in range(count):
                self._free.put_nowait(client)

    async def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """An answer, once a connection is free.

        Raises:
            httpx.TransportError: There is none.
        """
        client = await self._free.get()
        try:
            return await client.request(method, url, **options)
        finally:
            self._free.put_nowait(client)

    async def get(self, url: str, **options: Any) -> httpx.Response:
        """As :meth:`request`."""
        return await self.request("GET", url, **options)

    async def put(self, url: str, **options: Any) -> httpx.Response:
        """As :meth:`request`."""
        return await self.request("PUT", url, **options)

    async def aclose(self) -> None:
        """Close all connections."""
        for client in self._clients:
            await client.aclose()
