"""What an application may say of each picture before it leaves the process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vlmops.geometry import Box
from vlmops.images import Image
from vlmops.tracing.picture import FoundPicture

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

HOOK_TIMEOUT = 5.0
"""Seconds a redaction hook has for one picture."""

_MAX_STUCK = 4
_CELLS = 6
_MARGIN = 2


@dataclass(frozen=True, slots=True)
class Redaction:
    """What is to become of one picture; made by the class's functions.

    Attributes:
        action: What is done.
        boxes: Regions made unreadable, in pixels of the upright picture.
        reason: Why a picture is dropped; shown in its place.
    """

    action: Literal["keep", "blur", "thumbnail", "drop"]
    boxes: tuple[Box, ...] = ()
    reason: str = ""

    @classmethod
    def keep(cls) -> Redaction:
        """The picture stays as it is, without its metadata."""
        return cls("keep")

    @classmethod
    def blur(cls, boxes: Iterable[Box | tuple[float, float, float, float]]) -> Redaction:
        """Regions become unreadable for good: each is reduced to a few cells of colour.

        Args:
            boxes: Boxes, or ``(x1, y1, x2, y2)``, in pixels of the upright picture; the picture stays as it
                is where there are none.

        Raises:
            UsageError: A box is none.

        Example:
            >>> Redaction.blur([(10, 10, 60, 40)]).boxes[0].area
            1500
        """
        return cls("blur", tuple(box if isinstance(box, Box) else Box(*box) for box in boxes))

    @classmethod
    def thumbnail(cls) -> Redaction:
        """Only a small copy stays."""
        return cls("thumbnail")

    @classmethod
    def drop(cls, reason: str = "dropped by the redaction hook") -> Redaction:
        """Nothing of the picture stays but its size."""
        return cls("drop", reason=reason)


Redact = Callable[[Image, FoundPicture], Redaction]
"""Looks at one picture and says what is to become of it; runs on a background thread."""


class RedactionHook:
    """A redaction that cannot leak by failing: what raises, hangs or answers nonsense drops the picture.

    Args:
        redact: The application's function.
        timeout: Seconds it has for one picture.

    Example:
        >>> import numpy as np
        >>> picture = Image.from_array(np.zeros((2, 2, 3), np.uint8))
        >>> found = FoundPicture(b"", "", "input", "input.value")
        >>> RedactionHook(lambda image, found: 1 / 0)(picture, found).reason
        'the redaction hook raised ZeroDivisionError'
    """

    def __init__(self, redact: Redact, timeout: float = HOOK_TIMEOUT) -> None:
        self._redact = redact
        self._timeout = timeout
        self._stuck: list[threading.Thread] = []

    def __call__(self, image: Image, found: FoundPicture) -> Redaction:
        """What is to become of the picture; never raises."""
        self._stuck = [thread for thread in self._stuck if thread.is_alive()]
        if len(self._stuck) >= _MAX_STUCK:
            return Redaction.drop("the redaction hook does not return")
        answers: list[Redaction] = []
        thread = threading.Thread(
            target=self._run, args=(image, found, answers), name="vlmops-redaction", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            return Redaction.drop("the redaction hook could not be started")
        thread.join(self._timeout)
        if not answers:
            self._stuck.append(thread)
            return Redaction.drop(f"the redaction hook took longer than {self._timeout:g} s")
        return answers[0]

    def _run(self, image: Image, found: FoundPicture, answers: list[Redaction]) -> None:
        try:
            answer = self._redact(image, found)
        except BaseException as error:  # noqa: BLE001 - whatever ends a hook, the picture must not leak
            # Its message may quote what is on the picture.
            answer = Redaction.drop(f"the redaction hook raised {type(error).__name__}")
        if not isinstance(answer, Redaction):
            answer = Redaction.drop(f"the redaction hook answered {type(answer).__name__}, not a Redaction")
        answers.append(answer)


def blurred(image: Image, boxes: Iterable[Box]) -> Image:
    """A copy whose regions are unreadable, of the same type where it can be written, without metadata.

    Regions outside of the picture are cut off; each grows by 2 pixels, so that no edge of it stays.

    Raises:
        ImageError: The picture cannot be decoded.
    """
    from vlmops.images.reencode import Encoding, encode

    pixels = image.to_pil("RGB")
    for box in boxes:
        _make_unreadable(pixels, box)
    media_type = image.media_type if image.media_type in ("image/jpeg", "image/webp") else "image/png"
    data = encode(pixels, Encoding(media_type), image.source)
    return Image.from_bytes(data, image.source, limits=image.limits)


def _make_unreadable(pixels: PILImage, box: Box) -> None:
    from PIL.Image import Resampling

    left, top = max(0, int(box.x1) - _MARGIN), max(0, int(box.y1) - _MARGIN)
    right, bottom = (
        min(pixels.width, int(box.x2) + 1 + _MARGIN),
        min(pixels.height, int(box.y2) + 1 + _MARGIN),
    )
    if right <= left or bottom <= top:
        return
    region = pixels.crop((left, top, right, bottom))
    cells = min(_CELLS, region.width), min(_CELLS, region.height)
    coarse = region.resize(cells, Resampling.BOX)
    pixels.paste(coarse.resize(region.size, Resampling.NEAREST), (left, top))
