"""Remove metadata from the file without touching its pixels."""

from __future__ import annotations

from vlmops.images import gif, jpeg, png, webp

STRIPPABLE = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
"""Media types whose metadata can be removed without decoding."""


def strip(data: bytes, media_type: str, *, orientation: int) -> bytes:
    """Drop EXIF, GPS, XMP, IPTC, comments, embedded thumbnails and bytes after the picture.

    Pixels stay byte for byte as they are, and so does what they mean: the ICC profile, transparency,
    animation. Formats outside :data:`STRIPPABLE` are given back as they are.

    Args:
        data: The encoded picture.
        media_type: What it is.
        orientation: EXIF orientation to keep, alone in a new EXIF block; 1 keeps none.

    Returns:
        The same object when there was nothing to drop.

    Raises:
        Malformed: The file cannot be followed to its end.
    """
    if media_type == "image/jpeg":
        return jpeg.strip(data, orientation)
    if media_type == "image/png":
        return png.strip(data, orientation)
    if media_type == "image/webp":
        return webp.strip(data, orientation)
    return gif.strip(data) if media_type == "image/gif" else data
