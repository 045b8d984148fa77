"""The facts of a picture as it was sent, with warnings that need no model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops.errors import VlmopsError
from vlmops.tracing.picture import PictureFacts

if TYPE_CHECKING:
    from vlmops.images import Image

NEAR_BLANK = "near-blank"
TOO_SMALL = "too small"
TURNED = "turned by EXIF"

_MEASURED_SIDE = 192
_COMPRESSED = {"image/jpeg": 0.15, "image/webp": 0.1, "image/png": 0.3, "image/gif": 0.1}
"""Bytes a pixel takes in a picture that may be blank; a picture of something takes more."""


def picture_facts(image: Image, *, kept: str = "full") -> PictureFacts:
    """Facts of a picture: one look at its header, and at a small draft of it if it may be blank.

    Warnings: ``near-blank`` (see :func:`~vlmops.evaluators.image_quality.quality_issues`), ``too small``
    (shorter side under :class:`~vlmops.evaluators.image_quality.QualityLimits`'s), ``turned by EXIF`` (it
    is upright only where its orientation is heeded, which not every provider does).

    Raises:
        ImageError: It cannot be read as a picture.

    Example:
        >>> import numpy as np
        >>> from vlmops.images import Image
        >>> picture_facts(Image.from_array(np.full((300, 300, 3), 255, np.uint8))).warnings
        ('near-blank',)
    """
    facts = image.facts
    return PictureFacts(
        width=facts.width,
        height=facts.height,
        byte_length=facts.byte_length,
        media_type=facts.media_type,
        sha256=facts.sha256,
        orientation=facts.orientation,
        kept=kept,
        warnings=_warnings(image),
    )


def _warnings(image: Image) -> tuple[str, ...]:
    from vlmops.evaluators.image_quality import QualityLimits

    found = {
        NEAR_BLANK: _is_blank(image),
        TOO_SMALL: min(image.size) < QualityLimits().shortest_side,
        TURNED: image.orientation != 1,
    }
    return tuple(warning for warning, holds in found.items() if holds)


def _is_blank(image: Image) -> bool:
    threshold = _COMPRESSED.get(image.media_type)
    if threshold is not None and image.byte_length > threshold * image.width * image.height + 4096:
        return False
    from vlmops.evaluators.image_quality import measure_quality, quality_issues

    try:
        return "blank" in quality_issues(measure_quality(_draft(image)))
    except VlmopsError:
        # Whoever stores the picture finds out what is wrong with it, and says so.
        return False


def _draft(image: Image) -> Any:
    import numpy as np
    from PIL.Image import Resampling

    from vlmops.images.decode import decode
    from vlmops.images.pixels import convert
    from vlmops.images.reencode import fit

    size = fit(image.size, _MEASURED_SIDE)
    pixels = decode(image.read(), image.facts, image.source, at_least=size)
    return np.asarray(convert(pixels, "RGB", image.source).resize(size, Resampling.BOX))
