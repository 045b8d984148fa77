"""What is compared: no tracing, the OpenInference instrumentor as it is at full base64, and vlmops."""

from __future__ import annotations

import base64
import io
import os
import random
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SETUPS = ("none", "plain", "vlmops")


@contextmanager
def setup(name: str, platform: str) -> Iterator[Any]:
    """Instruments OpenAI's client; gives an object with ``flush()``, and ``counts`` where there are any."""
    if name == "none":
        yield None
    elif name == "plain":
        with _plain(platform) as provider:
            yield provider
    else:
        import vlmops

        with (
            tempfile.TemporaryDirectory() as store,
            vlmops.instrument("phoenix", url=platform, media_store=store) as tracing,
        ):
            yield tracing


@contextmanager
def _plain(platform: str) -> Iterator[Any]:
    """As Phoenix documents it, but without redaction, over HTTP, and in batches that are let through.

    Over gRPC, or with batches of the usual size, nearly all spans are refused as too large.
    """
    os.environ["OTEL_BSP_MAX_EXPORT_BATCH_SIZE"] = "32"
    from openinference.instrumentation import TraceConfig
    from openinference.instrumentation.openai import OpenAIInstrumentor
    from phoenix.otel import register

    provider = register(
        endpoint=f"{platform}/v1/traces",
        protocol="http/protobuf",
        batch=True,
        verbose=False,
        set_global_tracer_provider=False,
    )
    instrumentor = OpenAIInstrumentor()
    instrumentor.instrument(
        tracer_provider=provider, config=TraceConfig(base64_image_max_length=1_000_000_000)
    )
    try:
        yield provider
    finally:
        instrumentor.uninstrument()
        provider.shutdown()


def picture(kilobytes: int, seed: int = 0) -> bytes:
    """A PNG of about that size, different for each seed."""
    from PIL import Image

    side = round((kilobytes * 1000 / 3) ** 0.5)
    noise = random.Random(seed).randbytes(side * side * 3)
    buffer = io.BytesIO()
    Image.frombytes("RGB", (side, side), noise).save(buffer, "PNG", compress_level=0)
    return buffer.getvalue()


def data_uri(data: bytes) -> str:
    """As an application sends it."""
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def ask(client: Any, uri: str) -> None:
    """One call with one picture."""
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": uri, "detail": "high"}},
    ]
    client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": parts}])
