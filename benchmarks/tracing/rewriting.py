"""What taking the pictures out of a span costs the exporter's thread, against parsing its JSON to do so.

One chat call with one picture of 500 KB, as OpenInference records it: the picture stands in ``input.value``
and in the flat message. Run: python benchmarks/tracing/rewriting.py
"""

from __future__ import annotations

import base64
import io
import json
import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from opentelemetry.sdk.trace import ReadableSpan
from PIL import Image as PILImage

from vlmops.images import Image
from vlmops.tracing import FoundPicture, KeptPicture, PictureFacts, PicturePolicy, rewrite
from vlmops.tracing.scanning import decoded

if TYPE_CHECKING:
    from collections.abc import Callable

SLOT = "llm.input_messages.0.message.contents.0.message_content.image.image.url"
ROUNDS = 15


def photograph(byte_length: int = 500_000) -> bytes:
    """A JPEG of about that many bytes: a smooth scene with noise."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:1200, 0:1600]
    scene = np.stack([x / 7 % 256, y / 5 % 256, (x + y) / 9 % 256], -1)
    pixels = PILImage.fromarray((scene + rng.normal(0, 12, scene.shape)).clip(0, 255).astype(np.uint8))
    for quality in range(95, 30, -5):
        out = io.BytesIO()
        pixels.save(out, "JPEG", quality=quality)
        if out.tell() <= byte_length:
            break
    return out.getvalue()


class AsIs:
    """The dialect of no platform."""

    def arrange(self, attributes: Any, pictures: Any) -> Any:  # noqa: ARG002
        return attributes

    def facts(self, facts: Any) -> Any:
        return dict(facts)


def note_only(found: FoundPicture) -> KeptPicture:  # noqa: ARG001
    return KeptPicture("https://media/1", drawable=True, facts=PictureFacts())


def treated(found: FoundPicture) -> KeptPicture:
    body = str(found.payload).partition(";base64,")[2].encode()
    kept = PicturePolicy().treat(Image.from_bytes(decoded(body)), found)
    return KeptPicture("https://media/1", drawable=True, facts=kept.kept.facts)


def by_parsing(span: ReadableSpan) -> dict[str, Any]:
    """What one would write without the scanner: parse, walk, decode, write."""

    def walk(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: walk(value) for key, value in node.items()}
        if isinstance(node, list):
            return [walk(value) for value in node]
        if isinstance(node, str) and node.startswith("data:image/"):
            base64.b64decode(node.partition(",")[2], validate=True)
            return "https://media/1"
        return node

    given = dict(span.attributes or {})
    given["input.value"] = json.dumps(walk(json.loads(given["input.value"])))
    given[SLOT] = walk(given[SLOT])
    return given


def measured(work: Callable[[], Any]) -> float:
    """Median milliseconds of processor time, which other work on the machine changes little."""
    times = []
    for _ in range(ROUNDS):
        start = time.thread_time()
        work()
        times.append(1000 * (time.thread_time() - start))
    return statistics.median(times)


def main() -> None:
    data = photograph()
    uri = Image.from_bytes(data).data_uri()
    content = [{"type": "image_url", "image_url": {"url": uri}}]
    request = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": content}]})
    given = {"input.value": request, SLOT: uri, "llm.model_name": "gpt-4o"}
    span = ReadableSpan("chat", attributes=given)
    placeholders = {name: text.replace(uri, "vlmops-held:ab-1") for name, text in given.items()}
    deferred = ReadableSpan("chat", attributes=placeholders)
    print(f"picture of {len(data):,} bytes, attributes of {sum(map(len, given.values())):,}")
    for name, work in {
        "parse, walk and decode": lambda: by_parsing(span),
        "rewrite, base64 in the span": lambda: rewrite(span, note_only, AsIs()),
        "rewrite, placeholders in the span": lambda: rewrite(deferred, note_only, AsIs()),
        "rewrite, decode, hash, strip, facts": lambda: rewrite(span, treated, AsIs()),
    }.items():
        work()
        took = measured(work)
        print(f"{name:38} {took:7.2f} ms of CPU a span, {1000 / took:7.0f} spans a second")


if __name__ == "__main__":
    main()
