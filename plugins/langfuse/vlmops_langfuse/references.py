"""Langfuse's names for stored media: ids, reference strings, and signed URLs. Pure functions."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vlmops.images import Image

_ID_LENGTH = 22
_WHOLE = re.compile(r"@@@langfuseMedia:([^@]+)@@@")
_SIGNED_PATH = re.compile(r"/media/[^/?#]+/([A-Za-z0-9_-]{22})\.[A-Za-z0-9]+$")


@dataclass(frozen=True, slots=True)
class MediaReference:
    """What a reference string says.

    Attributes:
        id: The media's id.
        media_type: The type it was declared with.
    """

    id: str
    media_type: str


def media_id(sha256: str) -> str:
    """Langfuse's id of content with this hash (64 hexadecimal digits).

    Example:
        >>> media_id("00" * 32)
        'AAAAAAAAAAAAAAAAAAAAAA'
    """
    return base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode()[:_ID_LENGTH]


def reference_to(image: Image, media_type: str | None = None) -> str:
    """The string that stands for a stored picture wherever Langfuse shows JSON.

    Args:
        image: The picture.
        media_type: The type it is stored as; its own by default.
    """
    return (
        f"@@@langfuseMedia:type={media_type or image.media_type}|id={media_id(image.sha256)}|source=bytes@@@"
    )


def parse_reference(text: str) -> MediaReference | None:
    """The reference a string is as a whole, its parts in any order; ``None`` for any other string.

    Example:
        >>> parse_reference("@@@langfuseMedia:type=image/png|id=abc|source=file@@@").id
        'abc'
        >>> parse_reference("see @@@langfuseMedia:type=image/png|id=abc|source=file@@@") is None
        True
    """
    match = _WHOLE.fullmatch(text)
    if match is None:
        return None
    parts = dict(part.partition("=")[::2] for part in match[1].split("|"))
    if not parts.get("id") or "type" not in parts or "source" not in parts:
        return None
    return MediaReference(parts["id"], parts["type"])


def references_in(value: Any) -> Iterator[str]:
    """Every string within JSON that is a reference as a whole, in order.

    Example:
        >>> picture = "@@@langfuseMedia:type=image/png|id=abc|source=file@@@"
        >>> list(references_in({"image": picture, "more": [picture[:-1], {"url": picture}]})) == [picture] * 2
        True
    """
    if isinstance(value, str):
        if parse_reference(value) is not None:
            yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from references_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references_in(inner)


def media_id_in_url(url: str) -> str | None:
    """The id in a signed URL of Langfuse's bucket, which may have expired; ``None`` for any other URL.

    Example:
        >>> media_id_in_url("https://b.example/media/p1/bo6GOjSC6Os4v2IdUSF1fB.png?X-Amz-Expires=3600")
        'bo6GOjSC6Os4v2IdUSF1fB'
        >>> media_id_in_url("https://example.com/media/p1/bo6GOjSC6Os4v2IdUSF1fB.png") is None
        True
    """
    path, separator, _ = url.partition("?")
    match = _SIGNED_PATH.search(path) if separator else None
    return match[1] if match else None
