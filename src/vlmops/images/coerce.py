"""From whatever may be a picture to an Image."""

from __future__ import annotations

import os
import sys
from typing import Any

from vlmops.errors import ImageError
from vlmops.images.image import Image
from vlmops.images.limits import ImageLimits
from vlmops.images.origin import Origin


def to_image(anything: Any) -> Image:
    """See :meth:`Image.of`."""
    if isinstance(anything, Image):
        return anything
    if isinstance(anything, str):
        return _from_text(anything)
    if isinstance(anything, os.PathLike):
        return Image.from_path(anything)
    if isinstance(anything, bytes | bytearray | memoryview):
        return Image.from_bytes(anything)
    if _is_a("PIL.Image", "Image", anything):
        return Image.from_pil(anything)
    if _is_a("numpy", "ndarray", anything):
        return Image.from_array(anything)
    if isinstance(anything, Origin):
        return Image.from_origin(anything)
    if callable(getattr(anything, "read", None)):
        return _from_stream(anything)
    raise ImageError(
        f"<{type(anything).__name__}>",
        "cannot be taken for a picture",
        "give a path, URL, data URI, bytes, open binary file, PIL image or numpy array",
    )


def _from_text(text: str) -> Image:
    from vlmops.images.remote import is_url

    if text.lstrip()[:5].lower() == "data:":
        return Image.from_data_uri(text)
    return Image.from_url(text) if is_url(text) else Image.from_path(text)


def _is_a(module: str, name: str, value: Any) -> bool:
    """Whether it is of a class of a package that, if nobody imported it, cannot have made the value."""
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(value, getattr(loaded, name))


def _from_stream(stream: Any) -> Image:
    name = str(getattr(stream, "name", "<stream>"))
    limits = ImageLimits.from_environment()
    data = stream.read(limits.max_bytes + 1)
    if not isinstance(data, bytes):
        raise ImageError(name, f"gives {type(data).__name__}, not bytes", "open it in binary mode: 'rb'")
    return Image.from_bytes(data, name, limits=limits)
