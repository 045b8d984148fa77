"""HTTP to one Langfuse: one pool, retries, a brake for rate limits, and errors that say what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops.concurrency import map_each
from vlmops.errors import PlatformError, PlatformUnavailable
from vlmops_langfuse.pool import HttpAnswer, HttpPool, NoAnswer
from vlmops_langfuse.retry import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from vlmops_langfuse.settings import LangfuseSettings

_GONE = frozenset({502, 503, 504})
_SHOWN = 400


class LangfuseRefusal(PlatformError):  # noqa: N818 - says what happened
    """Langfuse answered, with an error.

    Attributes:
        status: The HTTP status.
        reason: What the server said.
    """

    def __init__(self, message: str, status: int, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(message)


class LangfuseConnection:
    """Connections to one Langfuse and to its bucket.

    Attributes:
        settings: Where it is.
        retries: When requests are sent again.
    """

    def __init__(self, settings: LangfuseSettings, retries: RetryPolicy | None = None) -> None:
        self.settings = settings
        self.retries = retries or RetryPolicy()
        self._http: HttpPool | None = None
        self._bucket: HttpPool | None = None
        self._project_id = ""

    @property
    def http(self) -> HttpPool:
        """Connections to the API; they belong to the running event loop."""
        if self._http is None:
            keys = (self.settings.public_key, self.settings.secret_key)
            settings = self.settings
            self._http = HttpPool(settings.concurrency, settings.url, keys, settings.timeout)
        return self._http

    @property
    def bucket(self) -> HttpPool:
        """Connections to the bucket, which must never see the keys."""
        if self._bucket is None:
            self._bucket = HttpPool(self.settings.concurrency, silent_seconds=self.settings.timeout)
        return self._bucket

    async def aclose(self) -> None:
        """Close the pools; using the connection again opens new ones."""
        pools = [pool for pool in (self._http, self._bucket) if pool is not None]
        self._http = self._bucket = None
        for pool in pools:
            await pool.aclose()

    async def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """JSON of a GET."""
        return (await self.request("GET", path, params=params)).json()

    async def post(self, path: str, body: Any) -> Any:
        """JSON of a POST; it must be safe to repeat."""
        return (await self.request("POST", path, body=body)).json()

    async def patch(self, path: str, body: Any) -> Any:
        """JSON of a PATCH."""
        return (await self.request("PATCH", path, body=body)).json()

    async def delete(self, path: str) -> Any:
        """JSON of a DELETE."""
        return (await self.request("DELETE", path)).json()

    async def request(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, body: Any = None
    ) -> HttpAnswer:
        """A JSON answer that is no error.

        Raises:
            LangfuseRefusal: The answer is an error, also after retries.
            PlatformUnavailable: There is no answer, or a proxy's in its place.
        """
        chosen = {key: value for key, value in (params or {}).items() if value is not None}
        what = f"{method} {path}"
        try:
            response = await self.retries.answer(
                lambda: self.http.request(method, path, params=chosen, body=body)
            )
        except NoAnswer as error:
            raise await self._unanswered(what, error) from error
        if response.status in _GONE:
            raise PlatformUnavailable(self._refusal(what, response))
        if not response.is_success:
            raise LangfuseRefusal(self._refusal(what, response), response.status, _reason(response))
        if "json" not in response.headers.get("content-type", ""):
            raise PlatformError(
                f"{self.settings.url} answered {what} with something that is not JSON: is it a Langfuse?"
            )
        return response

    async def numbered_pages(
        self, path: str, params: Mapping[str, Any], size: int = 100
    ) -> AsyncIterator[list[dict[str, Any]]]:
        """Every page of a route that numbers them; the pages after the first are fetched a few at once."""
        asked = {**params, "limit": size}
        first = await self.get(path, {**asked, "page": 1})
        yield first["data"]
        last = first["meta"]["totalPages"]
        for start in range(2, last + 1, _PAGES_AT_ONCE):
            numbers = range(start, min(start + _PAGES_AT_ONCE, last + 1))
            for page in await map_each(numbers, lambda number: self.get(path, {**asked, "page": number})):
                yield page["data"]

    async def cursor_pages(self, path: str, params: Mapping[str, Any]) -> AsyncIterator[list[dict[str, Any]]]:
        """Every page of a route that continues by cursor."""
        cursor: str | None = None
        while True:
            page = await self.get(path, {**params, "cursor": cursor})
            yield page["data"]
            cursor = page["meta"].get("cursor")
            if not cursor:
                return

    async def project_id(self) -> str:
        """Id of the project the keys belong to."""
        if not self._project_id:
            self._project_id = str((await self.get("/api/public/projects"))["data"][0]["id"])
        return self._project_id

    async def project_url(self) -> str:
        """The project's address in Langfuse's own screens."""
        return f"{self.settings.url}/project/{await self.project_id()}"

    async def _unanswered(self, what: str, error: NoAnswer) -> PlatformError:
        """One request that breaks every time is that request's fault, as long as others are answered."""
        try:
            alive = (await self.http.request("GET", "/api/public/health")).is_success
        except NoAnswer:
            alive = False
        if alive:
            message = f"Langfuse breaks off {what} every time ({error})"
            return LangfuseRefusal(message, 0, str(error))
        return PlatformUnavailable(
            f"Langfuse at {self.settings.url} does not answer ({error}): "
            "is it running, and is LANGFUSE_BASE_URL right?"
        )

    def _refusal(self, what: str, response: HttpAnswer) -> str:
        if response.status in (401, 403):
            return (
                f"Langfuse at {self.settings.url} refused {what}: the keys are not those of a project there "
                "(check LANGFUSE_PUBLIC_KEY, LANGFUSE_SECRET_KEY and LANGFUSE_BASE_URL together)"
            )
        return f"Langfuse answered {what} with {response.status}: {_reason(response)}"


_PAGES_AT_ONCE = 4


def _reason(response: HttpAnswer) -> str:
    """What the server said, in one line."""
    try:
        body = response.json()
    except ValueError:
        return response.text[:_SHOWN].strip()
    if not isinstance(body, dict):
        return str(body)[:_SHOWN]
    listed = [body.get(key) for key in ("error", "errors")]
    issues = next((found for found in listed if isinstance(found, list)), [])
    details = "; ".join(filter(None, map(_issue, issues)))
    message = str(body.get("message") or body.get("error") or "")
    return (f"{message}: {details}" if details else message)[:_SHOWN]


def _issue(issue: Any) -> str:
    if not isinstance(issue, dict):
        return str(issue)
    place = ".".join(map(str, issue.get("path") or ()))
    message = str(issue.get("message") or "")
    return f"{place}: {message}" if place else message
