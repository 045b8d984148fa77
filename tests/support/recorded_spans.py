"""Spans as real instrumentors wrote them, and a store that only remembers."""

from __future__ import annotations

import base64
import functools
import gzip
import io
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags
from PIL import Image as PILImage

from vlmops.errors import ImageError
from vlmops.images import Image
from vlmops.tracing import FoundPicture, KeptPicture, PictureFacts, not_kept
from vlmops.tracing.scanning import decoded

_RECORDED = Path(__file__).parents[1] / "unit" / "tracing" / "recorded_spans.json.gz"


@dataclass(frozen=True)
class Recorded:
    """One shape of the corpus: what was sent and made, and the spans of it."""

    name: str
    pictures: list[bytes]
    urls: list[str]
    spans: list[ReadableSpan]


@functools.cache
def recorded() -> dict[str, Recorded]:
    shapes = json.loads(gzip.decompress(_RECORDED.read_bytes()))
    return {
        shape["shape"]: Recorded(
            shape["shape"],
            [base64.b64decode(data) for data in shape["pictures"]],
            shape["urls"],
            [_span(span) for span in shape["spans"]],
        )
        for shape in shapes
    }


def _span(span: dict[str, Any]) -> ReadableSpan:
    attributes = {
        key: base64.b64decode(value["base64"]) if isinstance(value, dict) else value
        for key, value in span["attributes"].items()
    }
    return span_with(attributes, span["name"], span["events"], span["status"])


def span_with(
    attributes: dict[str, Any],
    name: str = "span",
    events: list[Any] = (),  # type: ignore[assignment]
    status: str | None = None,
    **resource: str,
) -> ReadableSpan:
    return ReadableSpan(
        name=name,
        context=SpanContext(0x1234, 0x56, is_remote=False, trace_flags=TraceFlags(1)),
        resource=Resource(resource),
        attributes=attributes,
        events=[Event(called, values, 7) for called, values in events],
        status=Status(StatusCode.ERROR, status) if status else Status(),
        start_time=1,
        end_time=2,
    )


@dataclass
class Store:
    """Keeps pictures as a platform would; ``format`` makes its references."""

    format: str = "https://media.test/{sha}.{type}"
    calls: list[FoundPicture] = field(default_factory=list)
    held: dict[str, bytes] = field(default_factory=dict)

    def __call__(self, found: FoundPicture) -> KeptPicture:
        self.calls.append(found)
        if found.is_url:
            return KeptPicture(str(found.payload), drawable=True, facts=PictureFacts(kept="url"))
        try:
            facts = Image.from_bytes(self._data(found)).facts
        except (ValueError, ImageError) as error:
            return not_kept(f"not a picture: {error}")
        known = PictureFacts(
            facts.width, facts.height, facts.byte_length, facts.media_type, facts.sha256, 1, "full"
        )
        reference = self.format.format(sha=facts.sha256[:22], type=facts.media_type.removeprefix("image/"))
        return KeptPicture(reference, drawable=True, facts=known)

    def _data(self, found: FoundPicture) -> bytes:
        payload = found.payload
        if isinstance(payload, bytes):
            return payload
        return (
            self.held[payload]
            if found.is_held
            else decoded(payload.partition(";base64,")[2].encode() or payload.encode())
        )

    def reference(self, data: bytes) -> str:
        facts = Image.from_bytes(data).facts
        return self.format.format(sha=facts.sha256[:22], type=facts.media_type.removeprefix("image/"))


class Plain:
    """A dialect that leaves everything as it is."""

    def arrange(self, attributes, pictures):
        return attributes

    def facts(self, facts):
        return dict(facts)


def texts(span: ReadableSpan) -> str:
    """Everything a span says, as one text."""
    said = [
        dict(span.attributes or {}),
        [(event.name, dict(event.attributes or {})) for event in span.events],
    ]
    said += [[dict(link.attributes or {}) for link in span.links], span.status.description]
    return json.dumps(said, default=repr)


def leaked(span: ReadableSpan, picture: bytes) -> bool:
    """Whether any base64 of the picture is left: its middle is looked for in all alignments."""
    middle = len(picture) // 2
    everything = texts(span).replace("-", "+").replace("_", "/").replace("\\", "")
    return any(
        base64.b64encode(picture[start : start + 24]).decode()[2:-2] in everything
        for start in (middle, middle + 1, middle + 2, 30, 31, 32)
    )


def png(size: tuple[int, int] = (48, 32), seed: str = "") -> bytes:
    return _encoded(size, seed, "PNG")


def jpeg(size: tuple[int, int] = (48, 32), seed: str = "", **options: Any) -> bytes:
    return _encoded(size, seed, "JPEG", **options)


def _encoded(size: tuple[int, int], seed: str, kind: str, **options: Any) -> bytes:
    pixels = random.Random(seed).randbytes(3 * size[0] * size[1])
    out = io.BytesIO()
    PILImage.frombytes("RGB", size, pixels).save(out, kind, **options)
    return out.getvalue()


def data_uri(data: bytes) -> str:
    return Image.from_bytes(data).data_uri()
