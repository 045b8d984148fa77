"""Small pictures for tests, each with content of its own."""

from __future__ import annotations

from functools import lru_cache

from vlmops.images import Image


def picture(number: int, size: tuple[int, int] = (48, 32)) -> Image:
    """A PNG whose pixels depend on ``number``: equal numbers give equal bytes.

    Example:
        >>> picture(1) == picture(1), picture(1) == picture(2)
        (True, False)
    """
    return Image.from_bytes(_png(number, size))


@lru_cache(maxsize=1000)
def _png(number: int, size: tuple[int, int]) -> bytes:
    from PIL import Image as Pillow
    from PIL import ImageDraw

    drawing = Pillow.new("RGB", size, ((number * 37) % 256, (number * 71) % 256, (number * 113) % 256))
    ImageDraw.Draw(drawing).text((2, 2), str(number), fill="white")
    return Image.from_pil(drawing).read()
