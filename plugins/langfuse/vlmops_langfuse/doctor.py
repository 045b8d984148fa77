"""``vlmops doctor langfuse``: what goes wrong between user, Langfuse, its bucket and the browser."""

from __future__ import annotations

import asyncio
import os
import re
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from vlmops.errors import ImageError, MediaError, PlatformError
from vlmops.images import Image
from vlmops.platforms.records import Check
from vlmops_langfuse.connection import LangfuseConnection, LangfuseRefusal
from vlmops_langfuse.media import LangfuseMedia, MediaOrigin
from vlmops_langfuse.media_upload import MediaTarget
from vlmops_langfuse.pool import NoAnswer
from vlmops_langfuse.references import media_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

OLDEST_SERVER = (4, 0)
SCORE_LISTS_SINCE = (4, 59)
"""The server that takes the lists of scores which SDK 5 sends."""

OLDEST_SDK, FIRST_UNKNOWN_SDK, FIRST_SDK_WITH_LISTS = (4, 14), (6, 0), (5, 0)
_SKEW_SECONDS = 5.0
_PROBE_TRACE = "76c6d6f7073d646f63746f722d70726f"
_BUCKET_FIX = (
    "set LANGFUSE_S3_MEDIA_UPLOAD_ENDPOINT of the server to an address that browsers and this machine reach: "
    "https://..., or http://localhost:<port> on one machine"
)


async def examine(connection: LangfuseConnection) -> AsyncIterator[Check]:
    """Every finding, one after another; stops after the first that makes the others pointless."""
    sdk, found = _sdk()
    yield found
    server, answered = await _server(connection)
    yield answered
    if answered.status == "error":
        return
    keys = await _keys(connection)
    yield keys
    if keys.status == "error":
        return
    yield _pairing(sdk, server)
    yield await _clock(connection)
    async for check in _pictures(connection):
        yield check
    yield await _limits(connection)
    for check in _environment():
        yield check


def numbers(text: str) -> tuple[int, int]:
    """Major and minor of a version; zeros where there are none.

    Example:
        >>> numbers("v4.59.0-rc1"), numbers("main")
        ((4, 59), (0, 0))
    """
    match = re.search(r"(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _sdk() -> tuple[tuple[int, int], Check]:
    fix = "pip install 'vlmops[langfuse]'"
    try:
        installed = version("langfuse")
    except PackageNotFoundError:
        return (0, 0), Check("SDK", "error", "langfuse is not installed: no experiments", fix)
    found = numbers(installed)
    if OLDEST_SDK <= found < FIRST_UNKNOWN_SDK:
        return found, Check("SDK", "ok", f"langfuse {installed}")
    return found, Check("SDK", "warning", f"langfuse {installed} is not one vlmops was tried with", fix)


async def _server(connection: LangfuseConnection) -> tuple[tuple[int, int], Check]:
    url = connection.settings.url
    try:
        response = await connection.http.request("GET", "/api/public/health")
        said = str(response.json()["version"]) if response.is_success else ""
    except NoAnswer as error:
        fix = "start it, or set LANGFUSE_BASE_URL"
        return (0, 0), Check("server", "error", f"{url} does not answer ({error})", fix)
    except (ValueError, KeyError, TypeError):
        said = ""
    if not said:
        return (0, 0), Check(
            "server", "error", f"{url} answers, but not as a Langfuse does", "check the address"
        )
    found = numbers(said)
    if found < OLDEST_SERVER:
        wanted = ".".join(map(str, OLDEST_SERVER))
        return found, Check("server", "error", f"Langfuse {said} at {url}", f"upgrade to {wanted} or newer")
    return found, Check("server", "ok", f"Langfuse {said} at {url}")


async def _keys(connection: LangfuseConnection) -> Check:
    try:
        project = (await connection.get("/api/public/projects"))["data"][0]
    except LangfuseRefusal as error:
        return Check("keys", "error", str(error), "make keys in Langfuse: Settings, API keys")
    except (PlatformError, LookupError, TypeError) as error:
        return Check("keys", "error", str(error) or "they belong to no project")
    return Check("keys", "ok", f"project {project.get('name') or project['id']}")


def _pairing(sdk: tuple[int, int], server: tuple[int, int]) -> Check:
    shown = f"SDK {sdk[0]}.{sdk[1]} with server {server[0]}.{server[1]}"
    if sdk >= FIRST_SDK_WITH_LISTS and server < SCORE_LISTS_SINCE:
        wanted = ".".join(map(str, SCORE_LISTS_SINCE))
        return Check(
            "SDK and server",
            "warning",
            f"{shown}: the SDK loses every score it sends (create_score, evaluators of run_experiment); "
            "scores that vlmops writes arrive",
            f"upgrade the server to {wanted} or newer, or pip install 'langfuse>=4.14,<5'",
        )
    return Check("SDK and server", "ok", shown)


async def _clock(connection: LangfuseConnection) -> Check:
    before = datetime.now(UTC)
    response = await connection.http.request("GET", "/api/public/health")
    after = datetime.now(UTC)
    said = response.headers.get("date")
    if said is None:
        return Check("clock", "ok", "the server does not say its time")
    ours = before + (after - before) / 2
    skew = (parsedate_to_datetime(said).astimezone(UTC) - ours).total_seconds()
    # The header has whole seconds, cut off.
    if abs(skew + 0.5) <= _SKEW_SECONDS:
        return Check("clock", "ok", "agrees with the server's")
    where = "behind" if skew > 0 else "ahead of"
    return Check(
        "clock",
        "warning",
        f"this machine is {abs(skew):.0f} s {where} the server: traces stand at wrong times, and signed URLs "
        "of the bucket may be refused",
        "synchronise both clocks (NTP)",
    )


async def _pictures(connection: LangfuseConnection) -> AsyncIterator[Check]:
    """Store a picture, read it back, and look where a browser would load it from."""
    probe = await asyncio.to_thread(_probe_picture)
    started = time.monotonic()
    try:
        await LangfuseMedia(connection).store(probe, MediaTarget("metadata", trace_id=_PROBE_TRACE))
        data = await asyncio.to_thread(MediaOrigin(connection.settings, media_id(probe.sha256)).read)
        described = await connection.get(f"/api/public/media/{media_id(probe.sha256)}")
    except (MediaError, ImageError, PlatformError) as error:
        yield Check("media", "error", str(error), _BUCKET_FIX)
        return
    if data != probe.read():
        yield Check("media", "error", "what was read back is not the picture that was stored", _BUCKET_FIX)
        return
    yield Check("media", "ok", f"a picture stored and read back in {time.monotonic() - started:.1f} s")
    yield browser_check(str(described["url"]), connection.settings.url)


def browser_check(url: str, base: str) -> Check:
    """Whether Langfuse's content security policy lets a browser load a picture from this URL.

    Example:
        >>> browser_check("http://minio:9000/a.png", "http://localhost:3000").status
        'error'
        >>> browser_check("http://localhost:9090/a.png", "http://localhost:3000").status
        'ok'
    """
    name = "pictures in the browser"
    parts, own = urlsplit(url), urlsplit(base)
    origin = f"{parts.scheme}://{parts.netloc}"
    allowed = (
        parts.scheme == "https"
        or (parts.scheme == "http" and parts.hostname == "localhost")
        or (parts.scheme, parts.netloc) == (own.scheme, own.netloc)
    )
    if allowed:
        return Check(name, "ok", f"Langfuse's pages may load them from {origin}")
    message = (
        f"they lie at {origin}, which Langfuse's content security policy blocks: it allows https and "
        "http://localhost with any port"
    )
    return Check(name, "error", message, _BUCKET_FIX)


async def _limits(connection: LangfuseConnection) -> Check:
    response = await connection.http.request("GET", "/api/public/v2/datasets", params={"limit": 1})
    limit, left = (response.headers.get(f"x-ratelimit-{name}") for name in ("limit", "remaining"))
    if limit is not None:
        return Check(
            "rate limits", "ok", f"{limit} dataset requests a window, {left} left; vlmops waits as asked"
        )
    if urlsplit(connection.settings.url).netloc.endswith("langfuse.com"):
        return Check(
            "rate limits",
            "ok",
            "Langfuse Cloud: 100 or 1000 dataset requests a minute; vlmops waits as asked",
        )
    return Check("rate limits", "ok", "none announced")


def _environment() -> list[Check]:
    """Settings of the SDK under which traces, and with them answers, go missing."""
    found = []
    if os.environ.get("LANGFUSE_TRACING_ENABLED", "true").lower() in ("false", "0"):
        message = "LANGFUSE_TRACING_ENABLED is off: experiments would record nothing"
        found.append(Check("traces", "error", message, "unset it"))
    rate = os.environ.get("LANGFUSE_SAMPLE_RATE")
    if rate is not None and rate not in ("1", "1.0"):
        message = f"LANGFUSE_SAMPLE_RATE={rate}: the others' traces, and scores of them, are dropped"
        found.append(Check("traces", "warning", message, "unset it where every execution counts"))
    limit = os.environ.get("OPENINFERENCE_BASE64_IMAGE_MAX_LENGTH", "32000")
    if limit.isdecimal() and int(limit) < 10_000_000:
        message = (
            f"OpenInference instrumentation redacts base64 pictures above {int(limit):,} characters before "
            "Langfuse sees them"
        )
        fix = "if you use it, set OPENINFERENCE_BASE64_IMAGE_MAX_LENGTH=1000000000"
        found.append(Check("pictures in traces", "warning", message, fix))
    return found


def _probe_picture() -> Image:
    from PIL import Image as Pillow

    return Image.from_pil(Pillow.new("RGB", (8, 8), (90, 160, 90)))
