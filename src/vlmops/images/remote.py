"""Fetching pictures by URL, with limits, and without a signature in any message or log."""

from __future__ import annotations

import logging
import os
import re
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from vlmops.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from vlmops.images.limits import ImageLimits

_CHUNK = 1 << 20
_fetching: ContextVar[bool] = ContextVar("fetching", default=False)
_HTTP_FIXES = {
    401: "give credentials: Image.from_url(url, headers={'Authorization': ...})",
    403: "access is denied: a signed URL may have expired, or credentials are missing",
    404: "it does not exist: check the address",
    410: "it was deleted",
    429: "the server limits requests: try again later, with fewer at once",
}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(::|://)")


def is_url(text: str) -> bool:
    r"""Whether a string is a URL rather than a path; a drive letter is a path.

    Example:
        >>> is_url("s3://bucket/a.png"), is_url("C:\\a.png"), is_url("a/b.png")
        (True, False, False)
    """
    return _SCHEME.match(text) is not None


def printable_url(url: str) -> str:
    """A URL without user, password, query and fragment: safe to print.

    Example:
        >>> printable_url("https://me:secret@host/a.png?X-Amz-Signature=0f3a#top")
        'https://host/a.png'
        >>> printable_url("simplecache::s3://key:secret@bucket/a.png")
        'simplecache::s3://bucket/a.png'
    """
    return "::".join(_printable_link(link) for link in url.split("::"))


def _printable_link(link: str) -> str:
    try:
        parts = urlsplit(link)
    except ValueError:
        return "<malformed URL>"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")) or link


def fetch(url: str, options: Mapping[str, Any], limits: ImageLimits) -> bytes:
    """The bytes behind a URL.

    Raises:
        ImageError: It cannot be had, or is larger than the limits allow.
    """
    if urlsplit(url).scheme.lower() in ("http", "https"):
        return _fetch_http(url, options, limits)
    return _fetch_fsspec(url, options, limits)


def _fetch_http(url: str, options: Mapping[str, Any], limits: ImageLimits) -> bytes:
    import httpx

    source = printable_url(url)
    unknown = set(options) - {"headers"}
    if unknown:
        raise ImageError(source, f"http takes no option {sorted(unknown)[0]!r}", "use 'headers' alone")
    token = _fetching.set(True)
    try:
        request = _client().stream("GET", url, headers=options.get("headers"), timeout=limits.timeout)
        with request as response:
            return _body(response, source, limits)
    except httpx.TimeoutException:
        raise ImageError(
            source,
            f"the server did not answer within {limits.timeout:g} s",
            "try again, or raise ImageLimits.timeout or VLMOPS_IMAGE_TIMEOUT",
        ) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # No cause is chained and no text of theirs is kept: both hold the address with its signature.
        raise ImageError(
            source, f"cannot be fetched ({type(error).__name__})", "check the address and the network"
        ) from None
    finally:
        _fetching.reset(token)


def _body(response: httpx.Response, source: str, limits: ImageLimits) -> bytes:
    if response.status_code != 200:
        fix = _HTTP_FIXES.get(response.status_code, "check the address, or try again later")
        raise ImageError(source, f"the server answered {response.status_code}", fix)
    declared = response.headers.get("content-length", "")
    expected = int(declared) if declared.isdecimal() else 0
    if expected > limits.max_bytes:
        raise _too_large(source, limits)
    body = bytearray()
    for chunk in response.iter_bytes(_CHUNK):
        body += chunk
        if len(body) > limits.max_bytes:
            raise _too_large(source, limits)
    return bytes(body)


def _too_large(source: str, limits: ImageLimits) -> ImageError:
    return ImageError(
        source,
        f"is larger than the limit of {limits.max_bytes:,} bytes",
        "if it is genuine, raise ImageLimits.max_bytes or VLMOPS_IMAGE_MAX_BYTES",
    )


def _without_headers(record: logging.LogRecord) -> bool:
    """Whether a log record of the transport may be written: headers of our answers hold signed addresses."""
    return not (_fetching.get() and "response_headers" in str(record.msg))


@cache
def _client() -> httpx.Client:
    """One client for all threads, so that connections are used again."""
    import httpx

    class UnprintedURL(httpx.URL):
        """Looks like its printable form; httpx logs the address of every request."""

        def __str__(self) -> str:
            return printable_url(super().__str__())

    logging.getLogger("httpcore.http11").addFilter(_without_headers)

    def hide_signature(request: httpx.Request) -> None:
        request.url = UnprintedURL(request.url)

    return httpx.Client(
        follow_redirects=True, max_redirects=5, event_hooks={"request": [hide_signature], "response": []}
    )


if hasattr(os, "register_at_fork"):
    # Two processes must not talk over one connection.
    os.register_at_fork(after_in_child=_client.cache_clear)


def _fetch_fsspec(url: str, options: Mapping[str, Any], limits: ImageLimits) -> bytes:
    import fsspec  # type: ignore[import-untyped]

    source = printable_url(url)
    try:
        filesystem, path = fsspec.core.url_to_fs(url, **options)
        data = _read(filesystem, path, limits)
    except FileNotFoundError:
        raise ImageError(source, "does not exist", "check the address") from None
    except PermissionError:
        raise ImageError(source, "access is denied", "check the credentials and the rights on it") from None
    except (ImportError, ValueError) as error:
        raise _no_filesystem(source, url, error) from None
    except Exception as error:  # noqa: BLE001 - each storage library has exceptions of its own
        raise ImageError(
            source, f"cannot be read ({type(error).__name__})", "check the address, credentials and network"
        ) from None
    if len(data) > limits.max_bytes:
        raise _too_large(source, limits)
    return data


def _read(filesystem: Any, path: str, limits: ImageLimits) -> bytes:
    """The file, or as much of it as shows that it is too large."""
    size = filesystem.size(path)
    if size is not None and size <= limits.max_bytes:
        whole: bytes = filesystem.cat_file(path)
        return whole
    with filesystem.open(path, "rb") as stream:
        start: bytes = stream.read(limits.max_bytes + 1)
        return start


_EXTRAS = {"s3": "vlmops[s3]", "s3a": "vlmops[s3]", "gs": "vlmops[gcs]", "gcs": "vlmops[gcs]"}


def _no_filesystem(source: str, url: str, error: Exception) -> ImageError:
    scheme = url.partition(":")[0]
    if isinstance(error, ImportError):
        package = _EXTRAS.get(scheme)
        fix = f"pip install '{package}'" if package else f"install the fsspec package for {scheme}://"
        return ImageError(source, f"{scheme}:// needs a package that is not installed", fix)
    return ImageError(source, f"{scheme}:// cannot be read ({type(error).__name__})", "check the address")
