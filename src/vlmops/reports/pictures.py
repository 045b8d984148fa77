"""Small pictures within a page: each once, as a data URI, within a budget."""

from __future__ import annotations

import base64
import io
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from vlmops.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from vlmops.images import Image

SIDES = (480, 320, 160)
"""Longest sides of thumbnails in pixels, of which the largest is taken that fits the budget."""
MAX_BYTES = 24 * 1024 * 1024
"""Bytes that all pictures of one page may take together."""

_TYPICAL_BYTES = {480: 40_000, 320: 20_000, 160: 6_000}
_LEFT_OUT = {"n": "left out, to keep the report small"}
_AT_ONCE = 4
_CHUNK = 32
_QUALITY = 78
_EFFORT = 1


def small_picture(image: Image, side: int) -> tuple[bytes, str]:
    """The first frame, upright, at most ``side`` pixels a side, without metadata: bytes and media type.

    Raises:
        ImageError: It cannot be read or decoded.

    Example:
        >>> from vlmops.testing import picture
        >>> data, media_type = small_picture(picture(1, (400, 300)), 160)
        >>> media_type
        'image/webp'
    """
    from PIL.Image import Resampling

    from vlmops.images.decode import decode
    from vlmops.images.pixels import convert, has_alpha

    data = image.read()
    drawn = decode(data, image.facts, image.source, at_least=(side, side))
    drawn = convert(drawn, "RGBA" if has_alpha(drawn) else "RGB", image.source)
    drawn.thumbnail((side, side), Resampling.LANCZOS)
    drawn.info = {}
    out = io.BytesIO()
    drawn.save(out, "WEBP", quality=_QUALITY, method=_EFFORT)
    return out.getvalue(), "image/webp"


def picture_uri(image: Image, side: int) -> str:
    """:func:`small_picture` as a data URI.

    Raises:
        ImageError: It cannot be read or decoded.
    """
    data, media_type = small_picture(image, side)
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


class PictureShelf:
    """The pictures of a page, each at one place however often it is shown.

    Args:
        side: Longest side of the small pictures in pixels; by default as large as the budget is likely to
            allow.
        max_bytes: Bytes that all of them may take together.

    Example:
        >>> from vlmops.testing import picture
        >>> shelf = PictureShelf()
        >>> shelf.place(picture(1)), shelf.place(picture(2)), shelf.place(picture(1))
        (0, 1, 0)
    """

    def __init__(self, side: int | None = None, max_bytes: int = MAX_BYTES) -> None:
        self._side = side
        self._max_bytes = max_bytes
        self._places: dict[Hashable, int] = {}
        self._images: list[Image] = []
        self._large: set[int] = set()

    def place(self, image: Image, *, large: bool = False) -> int:
        """Where the picture is, or will be.

        Args:
            image: The picture.
            large: Whether it is a drawing with writing: such a one is never tiny, and not drawn twice.
        """
        key: Hashable = id(image) if large else _content(image)
        if key not in self._places:
            self._places[key] = len(self._images)
            self._images.append(image)
            if large:
                self._large.add(self._places[key])
        return self._places[key]

    def entries(self, first: Iterable[int]) -> list[dict[str, Any]]:
        """What the page needs of each picture, in the order of their places.

        Each has ``u``, its data URI, with ``w`` and ``h``, the size of the original; or ``n``, why it is not
        shown. What does not fit the budget is left out.

        Args:
            first: Places of those that matter most; the others follow.
        """
        order = list(dict.fromkeys([*first, *range(len(self._images))]))
        side = self._side or self._fitting_side()
        found: dict[int, dict[str, Any]] = {}
        spent = 0
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for start in range(0, len(order), _CHUNK):
                if spent > self._max_bytes:
                    break
                chunk = order[start : start + _CHUNK]
                for place, entry in zip(chunk, threads.map(partial(self._entry, side), chunk), strict=True):
                    spent += len(entry.get("u", ""))
                    found[place] = _LEFT_OUT if "u" in entry and spent > self._max_bytes else entry
        return [found.get(place, _LEFT_OUT) for place in range(len(self._images))]

    def _fitting_side(self) -> int:
        count = max(1, len(self._images))
        return next((side for side in SIDES if count * _TYPICAL_BYTES[side] <= self._max_bytes), SIDES[-1])

    def _entry(self, side: int, place: int) -> dict[str, Any]:
        image = self._images[place]
        if place in self._large:
            side = max(side, SIDES[0])
        try:
            return {"u": picture_uri(image, side), "w": image.width, "h": image.height}
        except ImageError as error:
            return {"n": str(error)}
        finally:
            image.release()


def _content(image: Image) -> Hashable:
    try:
        return image.sha256
    except ImageError:
        return id(image)
