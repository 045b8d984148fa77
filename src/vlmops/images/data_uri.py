"""Data URIs (RFC 2397), read strictly and written in base64."""

from __future__ import annotations

import base64
import binascii
import re
from contextlib import suppress
from urllib.parse import unquote_to_bytes

from vlmops.errors import ImageError

SOURCE = "<data URI>"
_BLANKS = re.compile(r"\s+")
_FIX = "pass the whole URI: data:image/png;base64,..."


def parse_data_uri(uri: str, max_bytes: int) -> bytes:
    """The bytes a data URI carries; the type it declares is left out, since the bytes tell theirs.

    Base64 may be percent-encoded, URL-safe, without padding, or broken by white space; any other
    character is an error.

    Raises:
        ImageError: It is not a data URI, is not valid base64, or carries more than ``max_bytes``.

    Example:
        >>> parse_data_uri("data:;base64,R0lG ODlh", max_bytes=100)
        b'GIF89a'
    """
    head, comma, body = uri.lstrip().partition(",")
    if not head[:5].lower() == "data:":
        raise ImageError(SOURCE, "does not start with 'data:'", _FIX)
    if not comma:
        raise ImageError(SOURCE, "has no comma between its type and its data", _FIX)
    is_base64 = head.rstrip().lower().endswith(";base64")
    # Percent-encoding takes at most three characters a byte, base64 four characters for three bytes.
    _require_length(len(body) // 4 if is_base64 else len(body) // 3, max_bytes)
    if not is_base64:
        data = unquote_to_bytes(body)
        _require_length(len(data), max_bytes)
        return data
    return _decode_base64(body, max_bytes)


def _decode_base64(body: str, max_bytes: int) -> bytes:
    # Nearly all are written by the book; looking for what else may be in them takes five times as long.
    with suppress(binascii.Error, ValueError):
        data = base64.b64decode(body, validate=True)
        _require_length(len(data), max_bytes)
        return data
    if "%" in body:
        body = unquote_to_bytes(body).decode("latin-1")
    text = _BLANKS.sub("", body).replace("-", "+").replace("_", "/").rstrip("=")
    _require_length(len(text) * 3 // 4, max_bytes)
    if len(text) % 4 == 1:
        raise ImageError(SOURCE, "is not valid base64: its length is impossible", "it was probably cut")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        wrong = re.search(r"[^A-Za-z0-9+/]", text)
        place = f": character {wrong.start()} is {wrong.group()!r}" if wrong else ""
        raise ImageError(SOURCE, f"is not valid base64{place}", "encode the bytes again") from None


def _require_length(length: int, max_bytes: int) -> None:
    if length > max_bytes:
        raise ImageError(
            SOURCE,
            f"carries more than {max_bytes:,} bytes",
            "if it is genuine, raise ImageLimits.max_bytes or VLMOPS_IMAGE_MAX_BYTES",
        )


def format_data_uri(data: bytes, media_type: str) -> str:
    """Write bytes as a base64 data URI.

    Example:
        >>> format_data_uri(b"GIF89a", "image/gif")
        'data:image/gif;base64,R0lGODlh'
    """
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"
