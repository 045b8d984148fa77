"""Image: a picture as an immutable, lazy, content-addressed value."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlmops.errors import ImageError, UsageError
from vlmops.images.encoded import EncodedBytes
from vlmops.images.limits import ImageLimits
from vlmops.images.origin import BytesOrigin, Origin, PathOrigin, origin_of_url

if TYPE_CHECKING:
    import os
    from contextlib import AbstractContextManager

    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image as PILImage

    from vlmops.images.facts import ImageFacts
    from vlmops.images.preparation import Preparation
    from vlmops.images.reference import ImageReference

_THUMBNAIL = 320


class Image:
    """A picture: where its bytes come from, and what is known of them.

    Making one reads nothing. The first property asked for reads the bytes once, and finds all facts in the
    header and one hash, without decoding a pixel. After that:

    - a picture in memory (bytes, data URI, PIL, array) keeps its bytes;
    - a file keeps its facts alone and is read again when bytes are needed;
    - a remote picture (URL, platform reference) is kept among the 64 MB of pictures used last in this
      process, and fetched again after that.

    Bytes read again must be the same picture; a file that changed meanwhile is an error, never another
    picture under the old facts. Instances are safe between threads. They can be pickled: the origin and the
    facts travel, and bytes only of a picture in memory. Two are equal when their bytes are; comparing or
    hashing therefore reads those that were not read yet.

    Anything wrong is an :class:`~vlmops.errors.ImageError` that names the source, the problem and the fix.

    Example:
        >>> import numpy as np
        >>> image = Image.from_array(np.zeros((2, 3, 3), np.uint8))
        >>> image.size, image.media_type
        ((3, 2), 'image/png')
        >>> image == Image.from_bytes(image.read())
        True
    """

    __slots__ = ("_encoded", "_pixel_hash")

    def __init__(
        self, origin: Origin, *, limits: ImageLimits | None = None, reference: ImageReference | None = None
    ) -> None:
        if not hasattr(origin, "read"):
            raise UsageError(f"Image() takes an origin, not {type(origin).__name__}: use Image.of(...)")
        self._encoded = EncodedBytes(origin, limits or ImageLimits.from_environment(), reference)
        self._pixel_hash = ""

    @classmethod
    def from_path(cls, path: str | os.PathLike[str], *, limits: ImageLimits | None = None) -> Image:
        """A picture in a file; nothing is read yet.

        Example:
            >>> Image.from_path("parts/0001.png")
            Image('parts/0001.png')
        """
        limits = limits or ImageLimits.from_environment()
        return cls(PathOrigin(Path(path), limits), limits=limits)

    @classmethod
    def from_bytes(
        cls, data: bytes | bytearray | memoryview, name: str = "<bytes>", *, limits: ImageLimits | None = None
    ) -> Image:
        """A picture given as encoded bytes; ``name`` is what errors call it."""
        return cls(BytesOrigin(bytes(data), name), limits=limits)

    @classmethod
    def from_url(cls, url: str, *, limits: ImageLimits | None = None, **storage_options: Any) -> Image:
        """A picture behind a URL: http(s), or any scheme of fsspec; nothing is fetched yet.

        Args:
            url: May carry a signature or credentials: they are used and never printed.
            limits: What is refused, and how long to wait.
            **storage_options: ``headers`` for http(s); options of the fsspec file system otherwise.

        Example:
            >>> Image.from_url("https://host/a.png?X-Amz-Signature=0f3a")
            Image('https://host/a.png')
        """
        limits = limits or ImageLimits.from_environment()
        return cls(origin_of_url(url, storage_options, limits), limits=limits)

    @classmethod
    def from_data_uri(cls, uri: str, *, limits: ImageLimits | None = None) -> Image:
        """A picture within a data URI; its bytes, not the type it declares, say what it is.

        Raises:
            ImageError: The URI is malformed.

        Example:
            >>> Image.from_data_uri("data:image/png;base64,R0lGODdhAQABAIAAAP///////ywAAAAAAQABAAACAkQBADs=")
            Image('<data URI>')
        """
        from vlmops.images.data_uri import SOURCE, parse_data_uri

        limits = limits or ImageLimits.from_environment()
        return cls(BytesOrigin(parse_data_uri(uri, limits.max_bytes), SOURCE), limits=limits)

    @classmethod
    def from_pil(cls, im: PILImage, *, limits: ImageLimits | None = None) -> Image:
        """A picture from Pillow, encoded as PNG at once, so that changing ``im`` later changes nothing.

        An EXIF orientation that ``im`` still carries is applied. The colour profile is kept.

        Raises:
            ImageError: Its values have no fixed range (32-bit modes ``I`` and ``F``).
        """
        from vlmops.images.encode import encode_pil

        source = "<PIL image>"
        return cls(BytesOrigin(encode_pil(im, source), source), limits=limits)

    @classmethod
    def from_array(cls, arr: Any, *, limits: ImageLimits | None = None) -> Image:
        """A picture from a numpy array: uint8 (or bool) of shape HxW, HxWx1, HxWx3 (RGB) or HxWx4 (RGBA).

        Raises:
            ImageError: Another shape or type; floats are not scaled by guess.

        Example:
            >>> import numpy as np
            >>> Image.from_array(np.zeros((2, 3), np.uint8)).facts.mode
            'L'
        """
        from vlmops.images.encode import encode_array

        source = "<array>"
        return cls(BytesOrigin(encode_array(arr, source), source), limits=limits)

    @classmethod
    def from_origin(
        cls,
        origin: Origin,
        *,
        limits: ImageLimits | None = None,
        data: bytes | None = None,
        facts: ImageFacts | None = None,
    ) -> Image:
        """A picture from anything with ``read()`` and ``description``; nothing is read yet.

        Args:
            origin: Where its bytes come from.
            limits: What is refused.
            data: What ``origin.read()`` gave, if the caller has it already: facts are read from it at once.
            facts: What is known of it, if the caller has that already too.

        Raises:
            ImageError: ``data`` is not a picture, or not that of the facts.
        """
        image = cls(origin, limits=limits)
        if facts is not None:
            image.learn(facts)
        if data is not None:
            image._encoded.give(data)
            image.read()
        return image

    @classmethod
    def from_reference(
        cls, reference: ImageReference, origin: Origin, *, limits: ImageLimits | None = None
    ) -> Image:
        """A picture a manifest names: hash, type and size are known without reading.

        What is read from ``origin`` must have the reference's hash.
        """
        return cls(origin, limits=limits, reference=reference)

    @classmethod
    def of(cls, anything: Any) -> Image:
        """A picture from whatever may be one: path, URL, data URI, bytes, open file, PIL, array, origin.

        Raises:
            ImageError: It is none of these.

        Example:
            >>> Image.of("parts/0001.png"), Image.of("s3://bucket/0001.png")
            (Image('parts/0001.png'), Image('s3://bucket/0001.png'))
        """
        from vlmops.images.coerce import to_image

        return to_image(anything)

    @property
    def origin(self) -> Origin:
        """What its bytes are read from."""
        return self._encoded.origin

    @property
    def source(self) -> str:
        """Where it comes from, safe to print: a path, a URL without its query, ``<bytes>``."""
        return self._encoded.source

    @property
    def facts(self) -> ImageFacts:
        """All that is known without decoding; read on first use."""
        return self._encoded.facts or self._encoded.load()[1]

    @property
    def sha256(self) -> str:
        """Of the encoded bytes, in hexadecimal."""
        return (self._known or self.facts).sha256

    @property
    def media_type(self) -> str:
        """As found in the bytes: ``image/png``."""
        return (self._known or self.facts).media_type

    @property
    def width(self) -> int:
        """In pixels, after EXIF orientation."""
        return (self._known or self.facts).width

    @property
    def height(self) -> int:
        """In pixels, after EXIF orientation."""
        return (self._known or self.facts).height

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, after EXIF orientation."""
        return self.width, self.height

    @property
    def byte_length(self) -> int:
        """Length of the encoded picture."""
        return (self._known or self.facts).byte_length

    @property
    def orientation(self) -> int:
        """EXIF orientation of the stored pixels, 1..8; 1 is upright."""
        return self.facts.orientation

    @property
    def is_known(self) -> bool:
        """Whether hash, type and size are known already, so that asking for them reads nothing.

        Example:
            >>> Image.from_path("parts/0001.png").is_known
            False
        """
        return self._known is not None

    def learn(self, facts: ImageFacts, data: bytes | None = None) -> None:
        """Take what another process has read; bytes that are not those of the facts are refused as ever.

        Args:
            facts: What it has found.
            data: The bytes in which it has found that; they are kept only within :meth:`held`.
        """
        self._encoded.learn(facts, data)

    def learn_prepared(self, preparation: Preparation, prepared: Image) -> None:
        """Take what another process has made of the picture, for as long as it is held."""
        self._encoded.keep(preparation, prepared)

    def prepared(self, preparation: Preparation) -> Image | None:
        """What :meth:`learn_prepared` was given for such a preparation, while the picture is held."""
        made = self._encoded.made(preparation)
        return made if isinstance(made, Image) else None

    @property
    def limits(self) -> ImageLimits:
        """What is refused when its bytes are read."""
        return self._encoded.limits

    @property
    def _known(self) -> ImageFacts | ImageReference | None:
        return self._encoded.facts or self._encoded.reference

    def read(self) -> bytes:
        """The encoded bytes, checked to be the picture that the facts describe.

        Raises:
            ImageError: They cannot be read, are not a picture, or changed since they were read first.
        """
        return self._encoded.load()[0]

    def held(self) -> AbstractContextManager[None]:
        """Within it, the bytes are read at most once, and kept in memory.

        Example:
            >>> picture = Image.from_path("parts/0001.png")
            >>> with picture.held():
            ...     pass  # all that needs its bytes
        """
        return self._encoded.held()

    def release(self) -> None:
        """Let go of bytes kept in memory, if they can be had again; facts stay."""
        self._encoded.release()

    def to_pil(self, mode: str | None = None) -> PILImage:
        """The first frame as Pillow sees it, upright.

        Args:
            mode: Pillow mode to convert to, e.g. ``"RGB"``. Transparency is laid on white where the mode has
                none, 16-bit values are scaled to 8 bits. ``None`` gives the picture's own mode.

        Raises:
            ImageError: The pixels are truncated or corrupt, or cannot be converted without guessing.
        """
        from vlmops.images.decode import decode
        from vlmops.images.pixels import convert

        data, facts = self._encoded.load()
        image = decode(data, facts, self.source)
        return image if mode is None else convert(image, mode, self.source)

    def to_array(self) -> NDArray[np.uint8]:
        """The first frame as an array: uint8, height x width x 3, RGB, upright, transparency laid on white.

        Raises:
            ImageError: As :meth:`to_pil`.
        """
        import numpy as np

        return np.array(self.to_pil("RGB"), dtype=np.uint8)

    def pixel_hash(self) -> str:
        """SHA-256 of the decoded, upright pixels: equal for lossless copies, whatever their container.

        Raises:
            ImageError: As :meth:`to_pil`.
        """
        if not self._pixel_hash:
            from vlmops.images.pixels import pixel_hash

            self._pixel_hash = pixel_hash(self.to_pil())
        return self._pixel_hash

    def data_uri(self) -> str:
        """The encoded bytes as a base64 data URI, a third longer than they are."""
        from vlmops.images.data_uri import format_data_uri

        data, facts = self._encoded.load()
        return format_data_uri(data, facts.media_type)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Image):
            return NotImplemented
        return self is other or self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __repr__(self) -> str:
        known = self._known
        if known is None:
            return f"Image({self.source!r})"
        return f"Image({self.source!r}, {known.media_type}, {known.width}x{known.height})"

    def __getstate__(self) -> dict[str, Any]:
        encoded = self._encoded
        return {
            "origin": encoded.origin,
            "limits": encoded.limits,
            "reference": encoded.reference,
            "facts": encoded.facts,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._encoded = EncodedBytes(**state)
        self._pixel_hash = ""

    def _repr_png_(self) -> bytes | None:
        """A thumbnail for notebooks; ``None`` where the picture cannot be decoded."""
        from vlmops.images.encode import thumbnail_png

        try:
            return thumbnail_png(self, _THUMBNAIL)
        except ImageError:
            return None
