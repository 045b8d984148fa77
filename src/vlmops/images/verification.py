"""Whether a picture's file is whole, by the cheapest method that is sound for its format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmops.errors import ImageError
from vlmops.images import gif, jpeg, png, webp
from vlmops.images.container import Malformed
from vlmops.images.facts import TRUNCATED_FIX
from vlmops.images.sniff import sniff

if TYPE_CHECKING:
    from vlmops.images.facts import ImageFacts

_CHECKS = {
    "image/jpeg": jpeg.check,
    "image/png": png.check,
    "image/webp": webp.check,
    "image/gif": gif.check,
}


STRUCTURED = frozenset(_CHECKS)
"""Media types that can be verified without decoding."""


def verify_structure(data: bytes, facts: ImageFacts, source: str) -> None:
    """Find truncation and damage without decoding pixels, where the format allows that.

    ====== =============================================== ======================================
    format method                                          not noticed
    ====== =============================================== ======================================
    JPEG   every segment, and scans up to the end marker   changed bytes within compressed pixels
    PNG    every chunk's checksum, and the closing chunk   a faulty writer's right checksums
    WebP   the RIFF size and every chunk's                 changed bytes within compressed pixels
    GIF    every block, up to the trailer                  changed bytes within compressed pixels
    others decoding all pixels                             what the decoder does not notice
    ====== =============================================== ======================================

    Raises:
        ImageError: The file is truncated or corrupt; says how much is missing where the format tells.
    """
    check = _CHECKS.get(facts.media_type)
    if check is None:
        verify_pixels(data, facts, source)
        return
    try:
        check(data)
    except Malformed as error:
        raise ImageError(source, f"{sniff(data).description}, {error}", TRUNCATED_FIX) from None


def verify_pixels(data: bytes, facts: ImageFacts, source: str) -> None:
    """Decode the first frame and throw it away: notices all that the decoder does.

    Raises:
        ImageError: The pixels are truncated or corrupt.
    """
    from vlmops.images.decode import decode

    decode(data, facts, source)
