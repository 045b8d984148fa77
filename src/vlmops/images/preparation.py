"""What is done to pictures before they are sent anywhere."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

from vlmops.errors import ImageError, UsageError
from vlmops.images import png, webp
from vlmops.images.container import Malformed
from vlmops.images.image import Image
from vlmops.images.metadata import strip
from vlmops.images.origin import BytesOrigin
from vlmops.images.pixels import SCREEN_MODES
from vlmops.images.verification import STRUCTURED, verify_pixels, verify_structure

if TYPE_CHECKING:
    from vlmops.images.facts import ImageFacts
    from vlmops.images.reencode import Encoding

_VERSION = 1
"""Raised when the same settings come to give other bytes."""

_ENCODABLE = ("image/png", "image/jpeg", "image/webp")
_LOSSY = frozenset({"image/heic", "image/heif", "image/avif", "image/jp2", "image/jpeg", "image/webp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """Settings that say what becomes of a picture; the defaults make it safe to share.

    Nothing is decoded that need not be: a clean PNG, JPEG or WebP passes as the same object, one with
    private metadata loses it without its pixels being touched, and only what the settings demand is
    encoded anew. What is encoded anew carries its colour profile and no other metadata.

    Attributes:
        verify: ``True`` finds truncated and corrupt files by their structure (see
            :func:`~vlmops.images.verification.verify_structure` for what each format allows);
            ``"pixels"`` decodes every picture as well; ``False`` leaves it to whoever reads it.
        strip_metadata: Whether EXIF, GPS, XMP, IPTC, comments, thumbnails and bytes after the picture go.
        orient: How a turned picture stays upright: ``"tag"`` keeps its orientation in an EXIF block that
            holds nothing else, and its pixels as they are; ``"pixels"`` turns them and encodes anew.
        max_side: Greatest width and height in pixels; larger ones are shrunk. ``None`` for no limit.
        max_bytes: Greatest length of the encoded picture; larger ones lose quality, then size. ``None``
            for no limit.
        accept: Media types that may stay.
        convert_to: What others become; ``"auto"`` is JPEG for photographs of lossy types (HEIC, AVIF,
            JPEG 2000) and PNG for the rest.
        screen_pixels: Whether CMYK and 16-bit pictures become what a screen shows, which is what models see.
        animated: Of animations and multi-page files: ``"first"`` frame, ``"keep"`` all, or ``"error"``.
        quality: Of JPEG and lossy WebP that are encoded anew, 1..100.

    Raises:
        UsageError: A setting is out of its range.

    Example:
        >>> import numpy as np
        >>> picture = Image.from_array(np.zeros((300, 400, 3), np.uint8))
        >>> Preparation().prepare(picture) is picture
        True
        >>> Preparation(max_side=100).prepare(picture).size
        (100, 75)
    """

    verify: bool | Literal["pixels"] = True
    strip_metadata: bool = True
    orient: Literal["tag", "pixels"] = "tag"
    max_side: int | None = None
    max_bytes: int | None = None
    accept: tuple[str, ...] = ("image/jpeg", "image/png", "image/webp")
    convert_to: Literal["auto", "image/png", "image/jpeg", "image/webp"] = "auto"
    screen_pixels: bool = True
    animated: Literal["first", "keep", "error"] = "first"
    quality: int = 90

    def __post_init__(self) -> None:
        object.__setattr__(self, "accept", tuple(sorted(set(self.accept))))
        for name in ("max_side", "max_bytes"):
            if getattr(self, name) is not None and not getattr(self, name) > 0:
                raise UsageError(f"Preparation.{name} is {getattr(self, name)}: must be above 0, or None")
        if not 1 <= self.quality <= 100:
            raise UsageError(f"Preparation.quality is {self.quality}: must be 1..100")
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                choices = ", ".join(map(repr, allowed))
                raise UsageError(f"Preparation.{name} is {getattr(self, name)!r}: must be one of {choices}")

    @property
    def fingerprint(self) -> str:
        """A string that is equal for equal settings, in every process and on every machine.

        Bytes that are encoded anew also depend on the version of Pillow, which is not part of it.

        Example:
            >>> Preparation().fingerprint == Preparation(quality=90).fingerprint
            True
        """
        settings = (f"{field.name}={_text(getattr(self, field.name))}" for field in fields(self))
        return f"preparation/{_VERSION};" + ";".join(settings)

    def prepare(self, image: Image) -> Image:
        """The picture as these settings leave it; the same object when nothing had to change.

        The result of a picture in memory is in memory; that of a file or a remote picture is made again
        when its bytes are asked for after they have left the small store of recent ones.

        Raises:
            ImageError: It cannot be read, is truncated or corrupt, or cannot be made to fit the settings.
        """
        if (learnt := image.prepared(self)) is not None:
            return learnt
        data = image.read()
        return self._made(image, data, self._prepared(data, image.facts, image.source))

    def prepare_as_encoded(self, image: Image) -> Image | None:
        """As :meth:`prepare`, where nothing has to be encoded anew for it, which is quick; else ``None``.

        Raises:
            ImageError: As :meth:`prepare`.

        Example:
            >>> import numpy as np
            >>> picture = Image.from_array(np.zeros((300, 400, 3), np.uint8))
            >>> Preparation().prepare_as_encoded(picture) is picture
            True
            >>> Preparation(max_side=100).prepare_as_encoded(picture) is None
            True
        """
        data = image.read()
        prepared = self._as_encoded(data, image.facts, image.source)
        return None if prepared is None else self._made(image, data, prepared)

    def learn(self, image: Image, facts: ImageFacts, data: bytes) -> None:
        """Take what another process has made of a held picture: :meth:`prepare` gives it, while it is held.

        Args:
            image: The picture.
            facts: Of what it has become.
            data: The bytes of what it has become.
        """
        if facts.sha256 == image.sha256:
            image.learn(facts, data)
            image.learn_prepared(self, image)
            return
        # In memory, since it lives no longer than that: nobody who lets go of it has others make it again.
        origin = BytesOrigin(data, image.source)
        image.learn_prepared(self, Image.from_origin(origin, limits=image.limits, facts=facts))

    def _made(self, image: Image, data: bytes, prepared: bytes) -> Image:
        if prepared is data:
            return image
        if isinstance(image.origin, BytesOrigin):
            return Image.from_bytes(prepared, image.source, limits=image.limits)
        return Image.from_origin(PreparedOrigin(image, self), limits=image.limits, data=prepared)

    def _prepared(self, data: bytes, facts: ImageFacts, source: str) -> bytes:
        prepared = self._as_encoded(data, facts, source)
        return self._encoded_anew(data, facts, source) if prepared is None else prepared

    def _as_encoded(self, data: bytes, facts: ImageFacts, source: str) -> bytes | None:
        """The file as it may stay, its metadata aside; ``None`` where it has to be encoded anew."""
        if self.verify and facts.media_type in STRUCTURED:
            verify_structure(data, facts, source)
        if facts.frames > 1 and self.animated == "error":
            raise ImageError(
                source, f"has {facts.frames} frames", "choose animated='first' or 'keep', or split it"
            )
        bare = self._bare(data, facts)
        if bare is None or self._needs_pixels(bare, facts):
            return None
        if self.verify == "pixels" or (self.verify and facts.media_type not in STRUCTURED):
            verify_pixels(bare, facts, source)
        return bare

    def _bare(self, data: bytes, facts: ImageFacts) -> bytes | None:
        """The file without metadata; ``None`` where its structure is too broken to take it out."""
        if not self.strip_metadata:
            return data
        try:
            return strip(data, facts.media_type, orientation=facts.orientation)
        except Malformed:
            return None

    def _needs_pixels(self, data: bytes, facts: ImageFacts) -> bool:
        return (
            facts.media_type not in self.accept
            or (facts.frames > 1 and self.animated == "first")
            or (facts.orientation != 1 and self.orient == "pixels")
            or (self.max_side is not None and max(facts.width, facts.height) > self.max_side)
            or (self.max_bytes is not None and len(data) > self.max_bytes)
            or (self.screen_pixels and _beyond_screen(data, facts))
        )

    def _encoded_anew(self, data: bytes, facts: ImageFacts, source: str) -> bytes:
        from vlmops.images.decode import decode
        from vlmops.images.reencode import encode, encode_within, fit, resize

        if facts.frames > 1 and self.animated == "keep":
            raise ImageError(
                source,
                f"has {facts.frames} frames, which cannot all be kept: it must be encoded anew",
                "choose animated='first', or settings that leave it as it is",
            )
        seen = (facts.width, facts.height)
        target = fit(seen, self.max_side) if self.max_side is not None else seen
        image = decode(data, facts, source, at_least=target)
        image = resize(image, target, source)
        encoding = self._encoding(data, facts)
        if self.max_bytes is None:
            return encode(image, encoding, source)
        return encode_within(image, encoding, self.max_bytes, source)

    def _encoding(self, data: bytes, facts: ImageFacts) -> Encoding:
        from vlmops.images.reencode import Encoding

        target = facts.media_type
        if target not in self.accept or target not in _ENCODABLE:
            target = self._other_type(facts)
        lossless = target == "image/webp" and (
            facts.media_type not in _LOSSY or (facts.media_type == "image/webp" and webp.is_lossless(data))
        )
        return Encoding(target, self.quality, lossless, self.screen_pixels)

    def _other_type(self, facts: ImageFacts) -> str:
        if self.convert_to != "auto":
            return self.convert_to
        return "image/jpeg" if facts.media_type in _LOSSY and facts.mode != "RGBA" else "image/png"


_CHOICES: dict[str, tuple[object, ...]] = {
    "verify": (True, False, "pixels"),
    "orient": ("tag", "pixels"),
    "convert_to": ("auto", *_ENCODABLE),
    "animated": ("first", "keep", "error"),
}


def _text(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _beyond_screen(data: bytes, facts: ImageFacts) -> bool:
    """Whether it has more than 8 bits a channel, or colours of print."""
    if facts.media_type == "image/png":
        return png.bit_depth(data) == 16
    return facts.mode not in SCREEN_MODES


@dataclass(frozen=True, slots=True)
class PreparedOrigin:
    """A picture as a preparation leaves it, made again whenever its bytes are needed.

    Attributes:
        image: The picture as it is.
        preparation: What is done to it.
    """

    image: Image
    preparation: Preparation

    @property
    def description(self) -> str:
        """What the picture itself is called."""
        return self.image.source

    def read(self) -> bytes:
        """The prepared bytes.

        Raises:
            ImageError: As :meth:`Preparation.prepare`.
        """
        data = self.image.read()
        return self.preparation._prepared(data, self.image.facts, self.description)
