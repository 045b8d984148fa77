"""HTTP to one Phoenix over one pool of connections, with retries and clear errors."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import stamina

from vlmops.errors import PlatformError, PlatformUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from vlmops_phoenix.settings import PhoenixSettings

_TIMEOUT = httpx.Timeout(120.0, connect=10.0)
"""A large upload or read-back takes its time; the client's own five seconds would give up on it."""

_ATTEMPTS = 4
_RETRIED = {429, 502, 503, 504}


CONFLICT = 409
"""Status of what is there already."""


class PhoenixRefusal(PlatformError):  # noqa: N818 - says what happened
    """Phoenix answered, with an error.

    Attributes:
        status: The HTTP status.
    """

    def __init__(self, message: str, status: int) -> None:
        self.status = status
        super().__init__(message)


class PhoenixConnection:
    """One pool of connections to one Phoenix.

    Attributes:
        settings: Where it is.
    """

    def __init__(self, settings: PhoenixSettings) -> None:
        self.settings = settings
        self._http: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def http(self) -> httpx.AsyncClient:
        """The pool; belongs to the running event loop, and a loop that has ended takes it with it."""
        loop = asyncio.get_running_loop()
        if self._http is None or self._loop is not loop:
            self._loop = loop
            self._http = httpx.AsyncClient(
                base_url=self.settings.url,
                headers=dict(self.settings.headers),
                timeout=_TIMEOUT,
                # Loading the certificates takes longer than a small push; plain HTTP needs none.
                verify=self.settings.url.startswith("https://"),
            )
        return self._http

    async def aclose(self) -> None:
        """Close the pool; using the connection again opens a new one."""
        if self._http is not None:
            await self._http.aclose()
        self._http = None

    async def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """JSON of a GET."""
        return await self._json(lambda: self.http.get(path, params=dict(params or {})), f"GET {path}")

    async def post(self, path: str, body: Any, params: Mapping[str, Any] | None = None) -> Any:
        """JSON of a POST; the request must be safe to repeat."""
        return await self._json(
            lambda: self.http.post(path, json=body, params=dict(params or {})), f"POST {path}"
        )

    async def patch(self, path: str, body: Any) -> Any:
        """JSON of a PATCH."""
        return await self._json(lambda: self.http.patch(path, json=body), f"PATCH {path}")

    async def put(self, path: str) -> Any:
        """JSON of a PUT without a body."""
        return await self._json(lambda: self.http.put(path), f"PUT {path}")

    async def graphql(self, query: str, variables: Mapping[str, Any]) -> Any:
        """Data of a GraphQL request, for the few things Phoenix offers nowhere else.

        Raises:
            PlatformError: The answer holds errors.
        """
        answer = await self.post("/graphql", {"query": query, "variables": dict(variables)})
        if answer.get("errors"):
            raise PlatformError(f"Phoenix refused: {answer['errors'][0].get('message', 'unknown error')}")
        return answer["data"]

    async def pages(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """Every ``data`` element of a paginated route, page by page."""
        cursor: str | None = None
        while True:
            page = await self.get(path, {**(params or {}), **({"cursor": cursor} if cursor else {})})
            for element in page["data"]:
                yield element
            cursor = page.get("next_cursor")
            if not cursor:
                return

    async def _json(self, request: Callable[[], Awaitable[httpx.Response]], what: str) -> Any:
        response = await self._answered(request, what)
        if not response.content:
            return None
        try:
            return response.json()
        except ValueError as error:
            raise PlatformError(
                f"{self.settings.url} answered {what} with something that is not JSON: is it a Phoenix?"
            ) from error

    async def _answered(self, request: Callable[[], Awaitable[httpx.Response]], what: str) -> httpx.Response:
        try:
            async for attempt in stamina.retry_context(
                on=_worth_retrying, attempts=_ATTEMPTS, timeout=None, wait_initial=0.2, wait_max=5.0
            ):
                with attempt:
                    response = await request()
                    if response.status_code in _RETRIED:
                        response.raise_for_status()
        except httpx.HTTPStatusError as error:
            raise PlatformUnavailable(self._refusal(error.response, what)) from error
        except (TimeoutError, httpx.TransportError) as error:
            raise PlatformUnavailable(
                f"Phoenix at {self.settings.url} does not answer ({type(error).__name__}): "
                "is it running, and is the address right?"
            ) from error
        if response.is_error:
            raise PhoenixRefusal(self._refusal(response, what), response.status_code)
        return response

    def _refusal(self, response: httpx.Response, what: str) -> str:
        if response.status_code in (401, 403):
            return f"Phoenix at {self.settings.url} refused {what}: set PHOENIX_API_KEY to a valid key"
        return f"Phoenix answered {what} with {response.status_code}: {response.text[:300].strip()}"


def _worth_retrying(error: Exception) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in _RETRIED
    return isinstance(error, httpx.TransportError)
