"""Pictures given to a span as Python objects: Pillow images, arrays, encoded bytes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from vlmops.images import Image
from vlmops.images.sniff import sniff
from vlmops.tracing.held import PAYLOADS
from vlmops.tracing.openai_requests import is_picture_uri

if TYPE_CHECKING:
    from vlmops.tracing.held import HeldPayloads

Unwrap = Callable[[Any], bytes | None]
"""Encoded bytes of a picture within an object of a platform's SDK; ``None`` for anything else."""

_DEEPEST = 20
_SHORTEST = 512
_SMALLEST_SIDE = 8
_CHANNELS = (1, 3, 4)


def hold_picture(picture: Any, payloads: HeldPayloads = PAYLOADS) -> str:
    """A short text that stands for a picture wherever a span takes text: the exporter puts the picture there.

    Costs a copy of a Pillow image or an array, and nothing for bytes, data URIs and :class:`~vlmops.Image`.
    Keep the text itself in the span, as the whole value of an attribute: the picture lives as long as that.

    Args:
        picture: A Pillow image, a numpy array (uint8; HxW, HxWx3 or HxWx4), encoded bytes, a data URI, or an
            :class:`~vlmops.Image`.
        payloads: Where it is held.

    Example:
        >>> import numpy as np
        >>> hold_picture(np.zeros((64, 64, 3), np.uint8)).startswith("vlmops-held:")
        True
    """
    snapshot = picture.copy() if _is_pillow(picture) or _is_array(picture) else picture
    return payloads.hold(bytes(snapshot) if isinstance(snapshot, bytearray | memoryview) else snapshot)


def held_in_values(
    value: Any, payloads: HeldPayloads = PAYLOADS, unwrap: Unwrap | None = None
) -> tuple[Any, list[str]]:
    """A tree of Python values with a placeholder for each picture in it, and the placeholders.

    Only what is a picture beyond doubt is replaced: Pillow images, arrays of the shape and type of one, bytes
    that begin as a picture's file does, whole data URIs, base64 beside an image's media type (the parts of
    Anthropic and Gemini). Unchanged parts are shared.

    Args:
        value: As given to an observation: dicts, lists, tuples and leaves of any kind.
        payloads: Where pictures are held.
        unwrap: Knows further kinds of leaves.
    """
    placeholders: list[str] = []
    return _held(value, payloads, unwrap, placeholders, 0), placeholders


def image_in_part(part: dict[Any, Any]) -> bool:
    """Whether a part of a message holds base64 under ``data`` and says that it is an image.

    Example:
        >>> image_in_part({"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo"})
        True
    """
    said = part.get("media_type") or part.get("mime_type") or part.get("mimeType")
    return isinstance(said, str) and said.startswith("image/") and isinstance(part.get("data"), str)


def _held(value: Any, payloads: HeldPayloads, unwrap: Unwrap | None, put: list[str], depth: int) -> Any:
    if depth > _DEEPEST or value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        made = {key: _held(each, payloads, unwrap, put, depth + 1) for key, each in value.items()}
        if image_in_part(value) and len(value["data"]) >= _SHORTEST:
            made["data"] = payloads.hold(value["data"])
            put.append(made["data"])
        return made if any(made[key] is not each for key, each in value.items()) else value
    if type(value) in (list, tuple):
        items = [_held(each, payloads, unwrap, put, depth + 1) for each in value]
        changed = any(new is not old for new, old in zip(items, value, strict=True))
        return type(value)(items) if changed else value
    picture = _picture(value, unwrap)
    if picture is None:
        return value
    put.append(hold_picture(picture, payloads))
    return put[-1]


def _picture(value: Any, unwrap: Unwrap | None) -> Any | None:
    if isinstance(value, str):
        return value if is_picture_uri(value) else None
    if isinstance(value, bytes | bytearray):
        return value if sniff(bytes(value[:4096])).is_image else None
    if isinstance(value, Image) or _is_pillow(value):
        return value
    if _is_array(value):
        return value if _has_shape_of_picture(value) else None
    return unwrap(value) if unwrap is not None else None


def _is_pillow(value: Any) -> bool:
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)


def _is_array(value: Any) -> bool:
    module = sys.modules.get("numpy")
    return module is not None and isinstance(value, module.ndarray)


def _has_shape_of_picture(array: Any) -> bool:
    """Embeddings, masks of floats and tables of numbers are none."""
    if str(array.dtype) != "uint8" or array.ndim not in (2, 3):
        return False
    return min(array.shape[:2]) >= _SMALLEST_SIDE and (array.ndim == 2 or array.shape[2] in _CHANNELS)
