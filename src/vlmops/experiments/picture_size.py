"""The size of a picture from its header alone, without reading the file through."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Any, cast

from vlmops.errors import ImageError
from vlmops.images import gif, jpeg, png, sniff, webp
from vlmops.images.container import Malformed
from vlmops.images.origin import PathOrigin, UrlOrigin

if TYPE_CHECKING:
    from vlmops.geometry.box import Size
    from vlmops.images import Image

_HEADERS = {
    "image/jpeg": jpeg.header,
    "image/png": png.header,
    "image/webp": webp.header,
    "image/gif": gif.header,
}


class _Mapped(mmap.mmap):
    """A file's bytes, of which only those that are looked at are read."""

    def startswith(self, prefix: bytes, start: int = 0) -> bool:
        return self[start : start + len(prefix)] == prefix


def picture_size(image: Image) -> Size:
    """Width and height in pixels, after EXIF orientation; reads no more of a file than its header.

    Raises:
        ImageError: The picture cannot be read or is none, or it would have to be fetched over the network.

    Example:
        >>> import numpy as np
        >>> from vlmops import Image
        >>> picture_size(Image.from_array(np.zeros((2, 3), np.uint8)))
        (3, 2)
    """
    if image.is_known:
        return image.size
    if isinstance(image.origin, UrlOrigin):
        raise ImageError(image.source, "its size is not known without fetching it", "pull the dataset first")
    found = _of_file(image.origin) if isinstance(image.origin, PathOrigin) else None
    if found is None:
        found = image.size
        image.release()
    return found


def _of_file(origin: PathOrigin) -> Size | None:
    """``None`` where the format or a damaged file needs a closer look."""
    try:
        with origin.path.open("rb") as file, _Mapped(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            read = _HEADERS.get(sniff(data[:4096]).media_type)
            if read is None:
                return None
            # The readers slice and search, which mapped files can as well as bytes.
            header = read(cast("Any", data))
    except (OSError, ValueError, IndexError, Malformed):
        return None
    turned = header.exif.orientation > 4
    return (header.height, header.width) if turned else (header.width, header.height)
