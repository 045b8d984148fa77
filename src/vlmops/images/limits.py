"""How large a picture may be: in bytes, in pixels, and in seconds of waiting for it."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from functools import lru_cache

from vlmops.errors import UsageError

MAX_PIXELS = 128_000_000
"""Holds the 102 megapixels of medium-format cameras; decoded as RGB that is at most 384 MB."""

MAX_BYTES = 512 * 1024 * 1024
"""More than any picture of :data:`MAX_PIXELS` needs, and small enough not to exhaust a worker."""

_PREFIX = "VLMOPS_IMAGE_"


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What is refused before it can do harm.

    Attributes:
        max_pixels: Greatest width times height that is accepted; checked in the header, before decoding.
        max_bytes: Greatest length of the encoded picture, checked before or while it is read.
        timeout: Seconds to wait for a connection, and for each answer, of an http(s) server.

    Example:
        >>> ImageLimits(max_pixels=400_000_000).max_pixels
        400000000
    """

    max_pixels: int = MAX_PIXELS
    max_bytes: int = MAX_BYTES
    timeout: float = 30.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise UsageError(f"ImageLimits.{field.name} is {getattr(self, field.name)}: must be above 0")

    @classmethod
    def from_environment(cls) -> ImageLimits:
        """The limits that apply where the caller gives none.

        Reads ``VLMOPS_IMAGE_MAX_PIXELS``, ``VLMOPS_IMAGE_MAX_BYTES`` and ``VLMOPS_IMAGE_TIMEOUT``.

        Raises:
            UsageError: A variable is not a number above zero.
        """
        return _limits(*(os.environ.get(variable, "") for variable in _VARIABLES))


_VARIABLES = (f"{_PREFIX}MAX_PIXELS", f"{_PREFIX}MAX_BYTES", f"{_PREFIX}TIMEOUT")


@lru_cache(maxsize=8)
def _limits(max_pixels: str, max_bytes: str, timeout: str) -> ImageLimits:
    """Of what the variables say: every picture asks, and they hardly ever change."""
    return ImageLimits(
        max_pixels=int(_number("MAX_PIXELS", max_pixels, MAX_PIXELS)),
        max_bytes=int(_number("MAX_BYTES", max_bytes, MAX_BYTES)),
        timeout=_number("TIMEOUT", timeout, 30.0),
    )


def _number(name: str, text: str, default: float) -> float:
    if not text:
        return default
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{_PREFIX}{name} is {text!r}: must be a number") from None
