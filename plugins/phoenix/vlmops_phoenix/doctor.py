"""``vlmops doctor phoenix``: what commonly goes wrong between user, vlmops, Phoenix and the browser."""

from __future__ import annotations

import asyncio
import re
import time
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import httpx

from vlmops.errors import MediaError, PlatformError, PlatformUnavailable
from vlmops.images import Image
from vlmops.media import MediaAddress
from vlmops.platforms.records import Check

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vlmops_phoenix.connection import PhoenixConnection
    from vlmops_phoenix.pictures import PhoenixPictures

OLDEST_SERVER = (18, 0)
EXERCISED_SERVER = "20.26"
_REDACTION_ENV = "OPENINFERENCE_BASE64_IMAGE_MAX_LENGTH"
_GRPC_LIMIT_MB = 4
_UPLOAD_PROBE_BYTES = 8_000_000
_PROBE_DATASET = "vlmops-doctor"


async def examine(connection: PhoenixConnection, pictures: PhoenixPictures) -> AsyncIterator[Check]:
    """Every finding, one after another; stops after the first that makes the others pointless."""
    for check in _packages():
        yield check
    server = await _server(connection)
    yield server
    if server.status == "error":
        return
    yield await _round_trip(connection)
    async for check in _pictures(connection, pictures):
        yield check
    yield await _transport(connection)
    yield _exporter()


def _packages() -> list[Check]:
    found = []
    for name in ("arize-phoenix-client", "arize-phoenix-evals", "arize-phoenix-otel"):
        try:
            found.append(Check(name, "ok", version(name)))
        except PackageNotFoundError:
            found.append(Check(name, "error", "not installed", "pip install 'vlmops[phoenix]'"))
    return found


async def _server(connection: PhoenixConnection) -> Check:
    url = connection.settings.url
    try:
        response = await connection.http.get("/arize_phoenix_version")
    except httpx.TransportError as error:
        return Check(
            "server",
            "error",
            f"{url} does not answer ({type(error).__name__})",
            "start it (phoenix serve) or set PHOENIX_BASE_URL",
        )
    match = re.match(r"(\d+)\.(\d+)", response.text)
    if not response.is_success or match is None:
        return Check("server", "error", f"{url} answers, but not as a Phoenix does", "check the address")
    if (int(match[1]), int(match[2])) < OLDEST_SERVER:
        wanted = ".".join(map(str, OLDEST_SERVER))
        return Check("server", "error", f"Phoenix {response.text} at {url}", f"upgrade to {wanted} or newer")
    return Check(
        "server", "ok", f"Phoenix {response.text.strip()} at {url} (exercised with {EXERCISED_SERVER})"
    )


async def _round_trip(connection: PhoenixConnection) -> Check:
    """Write a dataset, read it back, delete it."""
    body = {
        "action": "append",
        "name": f"{_PROBE_DATASET}-{time.time_ns()}",
        "inputs": [{"input": "written by vlmops doctor"}],
        "outputs": [{}],
        "metadata": [{}],
    }
    started = time.monotonic()
    try:
        written = (await connection.post("/v1/datasets/upload", body, {"sync": "true"}))["data"]
        read = await connection.get(f"/v1/datasets/{written['dataset_id']}/examples")
        await connection.http.delete(f"/v1/datasets/{written['dataset_id']}")
    except PlatformUnavailable as error:
        return Check("write and read", "error", str(error))
    except PlatformError as error:
        return Check("write and read", "error", str(error), "set PHOENIX_API_KEY to a key that may write")
    if read["data"]["examples"][0]["input"] != body["inputs"][0]:
        return Check("write and read", "error", "what was read back is not what was written")
    return Check(
        "write and read", "ok", f"a dataset made, read and deleted in {time.monotonic() - started:.1f} s"
    )


async def _pictures(connection: PhoenixConnection, pictures: PhoenixPictures) -> AsyncIterator[Check]:
    """Store a picture and load it from where a browser on Phoenix's pages would."""
    probe = await asyncio.to_thread(_probe_picture)
    try:
        await pictures.keep(probe)
    except (MediaError, OSError) as error:
        yield Check("media store", "error", str(error), "set VLMOPS_MEDIA_STORE to a place you may write to")
        return
    yield Check("media store", "ok", pictures.store.description)
    url = pictures.browser_url(MediaAddress(probe.sha256, probe.media_type))
    try:
        response = await connection.http.get(url, follow_redirects=True)
    except httpx.TransportError as error:
        yield Check("picture in the browser", "error", f"{url}: {type(error).__name__}", _SERVING_FIX)
        return
    yield _picture_check(url, response, probe)


_SERVING_FIX = (
    'start Phoenix with the media middleware and the same store: eval "$(vlmops media env phoenix)"; '
    "phoenix serve, "
    "or run 'vlmops media serve' and set VLMOPS_MEDIA_URL to its address"
)


def _picture_check(url: str, response: httpx.Response, probe: Image) -> Check:
    name = "picture in the browser"
    if response.status_code in (401, 403):
        return Check(name, "error", f"{url}: not allowed", "set PHOENIX_API_KEY; browsers use their login")
    if not response.is_success:
        return Check(name, "error", f"{url}: {response.status_code}", _SERVING_FIX)
    if response.content != probe.read():
        kind = response.headers.get("content-type", "unknown")
        return Check(name, "error", f"{url} gives {kind}, not the stored picture", _SERVING_FIX)
    return Check(name, "ok", f"loaded from {url}")


async def _transport(connection: PhoenixConnection) -> Check:
    """Whether a large request passes whatever stands before Phoenix: proxies often stop at 1 MB."""
    body = {"action": "append", "name": "", "padding": "x" * _UPLOAD_PROBE_BYTES}
    size = f"{_UPLOAD_PROBE_BYTES // 1_000_000} MB"
    try:
        response = await connection.http.post("/v1/datasets/upload", json=body, params={"sync": "true"})
    except httpx.TransportError as error:
        return Check("transport", "warning", f"a request of {size} broke off ({type(error).__name__})")
    if response.status_code == 413:
        return Check(
            "transport", "warning", f"a request of {size} is refused", "raise the proxy's body limit"
        )
    return Check("transport", "ok", f"requests of {size} pass")


def _exporter() -> Check:
    import os

    limit = os.environ.get(_REDACTION_ENV)
    if limit is not None and int(limit or 0) > 1_000_000:
        return Check(
            "traces",
            "warning",
            f"{_REDACTION_ENV}={limit}: base64 travels; a gRPC batch over {_GRPC_LIMIT_MB} MB is lost",
            "use protocol='http/protobuf' in phoenix.otel.register()",
        )
    return Check(
        "traces",
        "ok",
        "base64 pictures above 32,000 characters are redacted by OpenInference; over gRPC, batches above "
        f"{_GRPC_LIMIT_MB} MB are lost: prefer protocol='http/protobuf'",
    )


def _probe_picture() -> Image:
    from PIL import Image as Pillow

    return Image.from_pil(Pillow.new("RGB", (8, 8), (90, 160, 90)))
