"""The key of a request: equal for requests whose answers may stand for each other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from vlmops.images.image import Image

if TYPE_CHECKING:
    from vlmops.models.model import ModelRequest

_VERSION = 1
"""Raised when equal requests come to have other keys."""


def request_key(
    identity: Mapping[str, Any], request: ModelRequest, stands_for: Callable[[Image], str]
) -> bytes:
    """SHA-256 over all that an answer depends on.

    Args:
        identity: What the model says of itself: its name, address, parameters, how it prepares pictures.
        request: All that is asked, with the number of the repetition.
        stands_for: Gives what is equal for pictures of equal pixels; never a name.

    Raises:
        ImageError: A picture cannot be read or decoded.

    Example:
        >>> from vlmops.models import ModelRequest
        >>> one, two = ModelRequest("Hi", repetition=1), ModelRequest("Hi", repetition=2)
        >>> request_key({}, one, Image.pixel_hash) == request_key({}, two, Image.pixel_hash)
        False
    """

    def plain(value: Any) -> Any:
        return {"$image": stands_for(value)} if isinstance(value, Image) else _plain(value)

    content = {"version": _VERSION, "model": identity, "request": request}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=plain)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _plain(value: Any) -> Any:
    """JSON of what is none: records, other mappings, sets, classes that describe their own schema."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value))
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    described = getattr(value, "model_json_schema", None)
    return described() if callable(described) else repr(value)
