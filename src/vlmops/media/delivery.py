"""The answer to one HTTP request for a picture, without any web framework."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import parse_qs

from vlmops.errors import ImageError, UsageError, VlmopsError
from vlmops.media.address import MediaAddress
from vlmops.media.store import MediaNotFound, MediaStore
from vlmops.media.thumbnails import Thumbnails, ladder_width

if TYPE_CHECKING:
    from collections.abc import Mapping

CHUNK = 256 * 1024
"""How many bytes are read and sent at a time; a shorter picture is answered in one piece."""

SIGNED_FOR = timedelta(minutes=15)
"""How long a signed URL of a bucket works."""

_REDIRECT_CACHED_S = 300
_YEAR_S = 365 * 24 * 3600
_MAX_FIELDS = 16
_SVG = "image/svg+xml"
# An SVG that is opened as a page can hold scripts: none may run, least of all with the server's origin.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"

logger = logging.getLogger(__name__)

Headers = dict[str, str]


@dataclass(frozen=True, slots=True)
class MediaRequest:
    """What an HTTP request asks for.

    Attributes:
        method: ``GET``, ``HEAD``, ...
        path: What follows the path of the media server, percent-decoded once, without its leading slash.
        query: The raw query string, without ``?``.
        headers: Header fields with lower-case names.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def wants_thumbnail(self) -> bool:
        """Whether answering may take the time of decoding a picture."""
        return "w=" in self.query


@dataclass(frozen=True, slots=True)
class MediaAnswer:
    """What goes back.

    Attributes:
        status: HTTP status code.
        headers: Header fields, names in lower case.
        body: The bytes, or a stream of them that the caller reads in chunks and closes.
    """

    status: int
    headers: Headers
    body: bytes | BinaryIO = b""


class MediaDelivery:
    """Answers requests for the pictures of one store. It blocks: call it from a thread.

    Only content addresses are served, there is no listing, and the media type comes from the address.
    Pictures in a bucket that signs URLs are answered by a redirect to a fresh one; SVG and thumbnails are
    always sent from here, under a policy that keeps scripts inside them from running.

    Args:
        store: Where the pictures are.
        private: Whether access is controlled. Shared caches may then not keep pictures, browsers keep them
            for the same login only, and other origins may not embed them.
        embeddable: Whether pages of other origins may show the pictures; by default when not private.
        thumbnails: Renders ``?w=<width>``.

    Example:
        >>> from vlmops.media import open_store
        >>> store = open_store("memory://delivery")
        >>> address = store.put(b"GIF89a", "image/gif")
        >>> answer = MediaDelivery(store).answer(MediaRequest("GET", address.name))
        >>> answer.status, answer.headers["content-type"], answer.body
        (200, 'image/gif', b'GIF89a')
        >>> MediaDelivery(store).answer(MediaRequest("GET", "../secret")).status
        400
    """

    def __init__(
        self,
        store: MediaStore,
        *,
        private: bool = False,
        embeddable: bool | None = None,
        thumbnails: Thumbnails | None = None,
    ) -> None:
        self._store = store
        self._thumbnails = thumbnails or Thumbnails(store)
        cached = f"{'private' if private else 'public'}, max-age={_YEAR_S}, immutable"
        self._always = {
            "content-security-policy": _POLICY,
            "x-content-type-options": "nosniff",
            "cross-origin-resource-policy": (
                "cross-origin" if (not private if embeddable is None else embeddable) else "same-origin"
            ),
            "referrer-policy": "no-referrer",
        }
        # A picture cached for one login is not shown once that login has ended.
        self._cached = {"cache-control": cached} | ({"vary": "cookie, authorization"} if private else {})

    def answer(self, request: MediaRequest) -> MediaAnswer:
        """The answer; every failure is an answer too (400, 404, 405, 422, 503) and tells no path."""
        try:
            answer = self._answer(request)
        except UsageError as error:
            answer = refusal(400, str(error))
        except MediaNotFound:
            answer = refusal(404, "no such picture")
        except ImageError as error:
            answer = refusal(422, f"no thumbnail: {error.problem}")
        except VlmopsError as error:
            answer = unusable_store(error)
        return MediaAnswer(answer.status, self._always | answer.headers, answer.body)

    def _answer(self, request: MediaRequest) -> MediaAnswer:
        if request.method not in {"GET", "HEAD"}:
            return refusal(405, "only GET and HEAD are allowed", allow="GET, HEAD")
        if not request.path:
            return refusal(404, "there is no listing")
        address = MediaAddress.parse(request.path)
        if address is None:
            raise UsageError("a picture is asked for as <sha256>.<extension>")
        width = _width(request.query)
        etag = f'"{address.sha256}"' if width is None else f'"{address.sha256}-w{width}"'
        headers = {"etag": etag, **self._cached}
        if _matches(request.headers.get("if-none-match", ""), etag):
            return MediaAnswer(304, headers)
        thumbnail = None if width is None else self._thumbnails.get(address, width)
        if thumbnail is not None:
            body = b"" if request.method == "HEAD" else thumbnail.data
            return MediaAnswer(200, headers | _content(thumbnail.media_type, len(thumbnail.data)), body)
        return self._original(address, headers, with_body=request.method == "GET")

    def _original(self, address: MediaAddress, headers: Headers, *, with_body: bool) -> MediaAnswer:
        # A signed URL is for GET alone, and an SVG must not leave the policy that disarms it.
        if with_body and address.media_type != _SVG:
            url = self._store.redirect_url(address, SIGNED_FOR)
            if url is not None:
                short = {"location": url, "cache-control": f"private, max-age={_REDIRECT_CACHED_S}"}
                return MediaAnswer(307, self._cached | short)
        size = self._store.size(address)
        headers = headers | _content(address.media_type, size)
        if not with_body:
            return MediaAnswer(200, headers)
        stream = self._store.open(address)
        if size > CHUNK:
            return MediaAnswer(200, headers, stream)
        with stream:
            return MediaAnswer(200, headers, stream.read())


def refusal(status: int, message: str, **headers: str) -> MediaAnswer:
    """An answer that says in one line of text why there is no picture; it is never cached."""
    body = f"{message}\n".encode()
    fixed = {"cache-control": "no-store", **_content("text/plain; charset=utf-8", len(body))}
    return MediaAnswer(
        status, fixed | {name.replace("_", "-"): value for name, value in headers.items()}, body
    )


def unusable_store(error: VlmopsError) -> MediaAnswer:
    """The answer while the store cannot be used; the reason goes to the log, not to the client."""
    logger.warning("picture not served: %s", error)
    return refusal(503, "the media store cannot be used at the moment", retry_after="10")


def _content(media_type: str, length: int) -> Headers:
    return {"content-type": media_type, "content-length": str(length)}


def _width(query: str) -> int | None:
    try:
        values = parse_qs(query, keep_blank_values=True, max_num_fields=_MAX_FIELDS).get("w")
    except ValueError as error:
        raise UsageError("the query has too many fields") from error
    return ladder_width(values[-1]) if values else None


def _matches(if_none_match: str, etag: str) -> bool:
    """Whether the client holds ``etag`` already (RFC 9110, section 13.1.2: weak comparison)."""
    return etag in (each.strip().removeprefix("W/") for each in if_none_match.split(","))
