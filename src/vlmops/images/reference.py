"""A picture as JSON: what a manifest holds in the place of one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError
from vlmops.json_values import OBJECTS

if TYPE_CHECKING:
    from vlmops.images.image import Image

KEY = "$image"
"""The single key of a mapping that stands for a picture."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MEDIA_TYPE = re.compile(r"image/[a-z0-9][a-z0-9.+-]*")


@dataclass(frozen=True, slots=True)
class ImageReference:
    """Names a picture by its content, without its bytes.

    Attributes:
        sha256: Of the encoded bytes, 64 lower-case hexadecimal digits.
        media_type: As in ``image/png``.
        width: In pixels, after EXIF orientation.
        height: In pixels, after EXIF orientation.
        byte_length: Of the encoded picture.
        uri: Where it may be fetched, relative or absolute; empty when only the hash is known.

    Raises:
        UsageError: A value is of the wrong type or form.
    """

    sha256: str
    media_type: str
    width: int
    height: int
    byte_length: int
    uri: str = ""

    def __post_init__(self) -> None:
        if not (isinstance(self.sha256, str) and _SHA256.fullmatch(self.sha256)):
            raise UsageError(f"{KEY}.sha256 is {self.sha256!r}: must be 64 lower-case hexadecimal digits")
        if not (isinstance(self.media_type, str) and _MEDIA_TYPE.fullmatch(self.media_type)):
            raise UsageError(f"{KEY}.media_type is {self.media_type!r}: must be like 'image/png'")
        for name, value in (("width", self.width), ("height", self.height), ("bytes", self.byte_length)):
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise UsageError(f"{KEY}.{name} is {value!r}: must be a whole number above 0")
        if not isinstance(self.uri, str):
            raise UsageError(f"{KEY}.uri is {self.uri!r}: must be text")


def to_json(image: Image, uri: str = "") -> dict[str, Any]:
    """The JSON that stands for a picture; :func:`from_json` reads it.

    Args:
        image: The picture; its header and hash are read if they are not known yet.
        uri: Where it may be fetched; left out when empty. Do not put a signed URL here: it would be kept.

    Raises:
        ImageError: The picture cannot be read.

    Example:
        >>> from vlmops.images import Image
        >>> import numpy as np
        >>> sorted(to_json(Image.from_array(np.zeros((2, 3, 3), np.uint8)))["$image"])
        ['bytes', 'height', 'media_type', 'sha256', 'width']
    """
    reference = {
        "sha256": image.sha256,
        "media_type": image.media_type,
        "width": image.width,
        "height": image.height,
        "bytes": image.byte_length,
    }
    return {KEY: reference | {"uri": uri} if uri else reference}


def is_reference(value: Any) -> bool:
    """Whether a JSON value stands for a picture: a mapping with the single key ``$image``."""
    return isinstance(value, OBJECTS) and len(value) == 1 and KEY in value


def from_json(value: Any) -> ImageReference:
    """Read what :func:`to_json` writes; unknown keys are ignored, so that later versions may add some.

    Raises:
        UsageError: It is not a reference, or a key is missing or wrong.

    Example:
        >>> reference = {"sha256": "0" * 64, "media_type": "image/png", "width": 3, "height": 2, "bytes": 70}
        >>> from_json({"$image": reference}).width
        3
    """
    if not is_reference(value) or not isinstance(value[KEY], OBJECTS):
        raise UsageError(f'not a picture reference: must be {{"{KEY}": {{...}}}}')
    found = value[KEY]
    missing = [key for key in ("sha256", "media_type", "width", "height", "bytes") if key not in found]
    if missing:
        raise UsageError(f"{KEY} has no {', '.join(missing)}")
    return ImageReference(
        sha256=found["sha256"],
        media_type=found["media_type"],
        width=found["width"],
        height=found["height"],
        byte_length=found["bytes"],
        uri=found.get("uri", ""),
    )
