"""What an upload to Langfuse's media store says: pure functions, for every way to send it.

A picture is declared (``POST /api/public/media``), its bytes go to the URL of the answer, if there is one,
and that is confirmed (``PATCH /api/public/media/{id}``).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from vlmops.images import Image

TAKEN = (
    "image/png",
    "image/jpeg",
    "image/webp",
    "image/gif",
    "image/svg+xml",
    "image/tiff",
    "image/bmp",
    "image/avif",
    "image/heic",
)
"""Image types Langfuse stores."""

STORED = (200, 201)
"""What the bucket answers once it has the bytes."""

_SLOWEST_BYTES_PER_SECOND = 100_000
_GOOGLE = "storage.googleapis.com"


@dataclass(frozen=True, slots=True)
class MediaTarget:
    """What a picture belongs to: a dataset item, or a trace and maybe one of its observations.

    Attributes:
        field: ``input``, ``expectedOutput`` (items), ``output`` (traces) or ``metadata``.
        dataset_id: Of an item; the item need not exist yet.
        item_id: Of an item.
        trace_id: Of a trace.
        observation_id: Within the trace.
    """

    field: str
    dataset_id: str | None = None
    item_id: str | None = None
    trace_id: str | None = None
    observation_id: str | None = None

    def as_json(self) -> dict[str, str]:
        """The part of the request that names it."""
        named = {
            "field": self.field,
            "datasetId": self.dataset_id,
            "datasetItemId": self.item_id,
            "traceId": self.trace_id,
            "observationId": self.observation_id,
        }
        return {key: value for key, value in named.items() if value is not None}


FILE = "application/octet-stream"
"""The type of pictures that Langfuse keeps, but does not know as pictures."""


def acceptable(image: Image) -> Image:
    """The picture, encoded anew as PNG where Langfuse does not take its type; of several frames the first."""
    from vlmops.images import Preparation

    if image.media_type in TAKEN:
        return image
    return Preparation(accept=TAKEN, convert_to="image/png").prepare(image)


def declaration(image: Image, target: MediaTarget, media_type: str | None = None) -> dict[str, Any]:
    """Says which picture is coming, as which type (its own by default), and what it belongs to."""
    return {
        "contentType": media_type or image.media_type,
        "contentLength": image.byte_length,
        "sha256Hash": _checksum(image),
        **target.as_json(),
    }


def upload_headers(image: Image, url: str, media_type: str | None = None) -> dict[str, str]:
    """What the URL was signed with; Google's stores refuse the headers of the others."""
    headers = {"Content-Type": media_type or image.media_type}
    if _GOOGLE not in urlsplit(url).netloc:
        headers |= {"x-amz-checksum-sha256": _checksum(image), "x-ms-blob-type": "BlockBlob"}
    return headers


def upload_seconds(length: int) -> float:
    """How long an upload of that many bytes may take."""
    return 60.0 + length / _SLOWEST_BYTES_PER_SECOND


def confirmation(status: int, reason: str, seconds: float) -> dict[str, Any]:
    """Says how the upload went; until it says 200 or 201, Langfuse refuses items that name the picture."""
    return {
        "uploadedAt": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "uploadHttpStatus": status,
        "uploadHttpError": "" if status in STORED else reason,
        "uploadTimeMs": round(seconds * 1000),
    }


def _checksum(image: Image) -> str:
    return base64.b64encode(bytes.fromhex(image.sha256)).decode()
