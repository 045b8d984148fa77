"""Small versions of stored pictures, rendered when first asked for."""

from __future__ import annotations

import io
import threading
from bisect import bisect_left
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from vlmops.errors import ImageError, UsageError
from vlmops.media.folder import FolderStore
from vlmops.media.thumbnail_cache import DiskCache, MemoryCache, ThumbnailCache

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image as PilImage
    from PIL.ImageFile import ImageFile

    from vlmops.media.address import MediaAddress
    from vlmops.media.store import MediaStore

LADDER = (64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
"""The widths that thumbnails have, in pixels; others are rounded up, which keeps the cache small."""

MAX_PIXELS = 80_000_000
"""Pictures with more pixels are not decoded for a thumbnail."""

_FOLDER = ".thumbnails"
_QUALITY = 82
_WEBP_MAX_SIDE = 16_383
_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
# In other modes the pixels are converted, and the profile no longer describes them.
_PROFILED_MODES = {"L", "RGB", "RGBA", "P"}
_NEVER_RASTERISED = {"image/svg+xml"}

# The cached answer of a picture that needs no thumbnail, since it is narrow enough itself.
_ORIGINAL = b""


def ladder_width(text: str) -> int:
    """The rung of the ladder for a width written in a URL.

    Raises:
        UsageError: ``text`` is no whole number from 1 to 2048.

    Example:
        >>> ladder_width("200")
        256
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= LADDER[-1]):
        raise UsageError(f"w must be a whole number from 1 to {LADDER[-1]}")
    return LADDER[bisect_left(LADDER, int(text))]


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """An encoded thumbnail.

    Attributes:
        data: The bytes, without any metadata of the original but its colour profile.
        media_type: ``image/jpeg``, or for pictures with transparency ``image/webp`` or ``image/png``.
    """

    data: bytes
    media_type: str


class Thumbnails:
    """Thumbnails of the pictures of one store.

    A thumbnail that several threads ask for at once is rendered once. How many are rendered at the same time
    is up to the caller's threads.

    Args:
        store: Where the pictures are.
        cache: Where thumbnails are kept; by default in the folder ``.thumbnails`` of a folder store, and in
            memory for other stores.
    """

    def __init__(self, store: MediaStore, cache: ThumbnailCache | None = None) -> None:
        self._store = store
        self._cache = cache or _default_cache(store)
        self._running: dict[str, _Turn] = {}
        self._lock = threading.Lock()

    def get(self, address: MediaAddress, width: int) -> Thumbnail | None:
        """The thumbnail ``width`` pixels wide; ``None`` when the picture itself is the right answer.

        That is: it is not wider than ``width``, it is an SVG, or this installation cannot decode its format
        (a browser may). Of an animation, the first frame is shown.

        Raises:
            ImageError: The picture is damaged or has too many pixels.
            MediaError: The store has no such picture, or cannot be used.
        """
        if address.media_type in _NEVER_RASTERISED:
            return None
        name = f"{address.sha256}.w{width}"
        data = self._cache.get(name)
        if data is None:
            with self._turn(name):
                data = self._cache.get(name)
                if data is None:
                    data = self._render(address, width)
                    self._cache.put(name, data)
        return None if data == _ORIGINAL else Thumbnail(data, _media_type(data))

    def _render(self, address: MediaAddress, width: int) -> bytes:
        with self._store.open(address) as file:
            return render_thumbnail(file, width, source=address.name)

    @contextmanager
    def _turn(self, name: str) -> Iterator[None]:
        with self._lock:
            turn = self._running.setdefault(name, _Turn())
            turn.waiting += 1
        try:
            with turn.lock:
                yield
        finally:
            with self._lock:
                turn.waiting -= 1
                if not turn.waiting:
                    del self._running[name]


class _Turn:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waiting = 0


def render_thumbnail(file: BinaryIO, width: int, *, source: str = "<stream>") -> bytes:
    """Encode a picture ``width`` pixels wide; empty when it is not wider itself or cannot be decoded here.

    Args:
        file: The encoded picture.
        width: Width in pixels after EXIF orientation; the height follows.
        source: Names the picture in errors.

    Raises:
        ImageError: The picture is damaged or has more than ``MAX_PIXELS`` pixels.

    Example:
        >>> import io, PIL.Image
        >>> file = io.BytesIO()
        >>> PIL.Image.new("RGB", (400, 300)).save(file, "PNG")
        >>> PIL.Image.open(io.BytesIO(render_thumbnail(file, 64))).size
        (64, 48)
    """
    import PIL.Image

    try:
        with PIL.Image.open(file) as picture:
            return _shrink(picture, width, source)
    except PIL.UnidentifiedImageError:
        return _ORIGINAL
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning) as error:
        raise _too_large(source) from error
    except (OSError, SyntaxError, ValueError, TypeError, EOFError, ArithmeticError, LookupError) as error:
        raise ImageError(source, "the picture is damaged", "store an intact copy") from error


def _too_large(source: str) -> ImageError:
    return ImageError(source, f"the picture has more than {MAX_PIXELS:,} pixels", "store a smaller one")


def _shrink(picture: ImageFile, width: int, source: str) -> bytes:
    from PIL.Image import Resampling, Transpose

    # Pillow's TIFF decoder applies the orientation itself.
    orientation = 1 if picture.format == "TIFF" else picture.getexif().get(_ORIENTATION_TAG, 1)
    on_its_side = orientation in {5, 6, 7, 8}
    shown_width, shown_height = picture.size[::-1] if on_its_side else picture.size
    if shown_width <= width:
        return _ORIGINAL
    height = max(1, round(shown_height * width / shown_width))
    target = (height, width) if on_its_side else (width, height)
    # The JPEG decoder itself gives a half, a quarter or an eighth, at a fraction of the time and memory.
    picture.draft(None, (2 * target[0], 2 * target[1]))
    if picture.width * picture.height > MAX_PIXELS:
        raise _too_large(source)
    profile = picture.info.get("icc_profile") if picture.mode in _PROFILED_MODES else None
    small = _displayable(picture).resize(target, Resampling.LANCZOS, reducing_gap=2.0)
    if orientation in _UPRIGHT:
        small = small.transpose(Transpose[_UPRIGHT[orientation]])
    # Comments and the like would otherwise be written again.
    small.info = {}
    return _encode(small, profile)


def _displayable(picture: PilImage) -> PilImage:
    """The picture with 8 bits per channel, as grey, RGB or RGBA."""
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    if picture.mode.startswith(("I", "F")):
        return _to_eight_bits(picture)
    return picture.convert("L" if picture.mode in {"1", "L"} else "RGB")


def _to_eight_bits(picture: PilImage) -> PilImage:
    deep = picture.convert("F")
    extrema = (0.0, 65535.0) if picture.mode.startswith("I;16") else deep.getextrema()
    low, high = cast("tuple[float, float]", extrema)
    scale = 255.0 / ((high - low) or 1.0)
    offset = -low * scale
    return deep.point(lambda value: value * scale + offset).convert("L")


def _encode(picture: PilImage, profile: bytes | None) -> bytes:
    encoded = io.BytesIO()
    options: dict[str, Any] = {"icc_profile": profile} if profile else {}
    if picture.mode != "RGBA":
        picture.save(encoded, "JPEG", quality=_QUALITY, progressive=True, **options)
    elif max(picture.size) <= _WEBP_MAX_SIDE:
        picture.save(encoded, "WEBP", quality=_QUALITY, **options)
    else:
        picture.save(encoded, "PNG", **options)
    return encoded.getvalue()


def _media_type(data: bytes) -> str:
    if data.startswith(b"\xff\xd8"):
        return "image/jpeg"
    return "image/png" if data.startswith(b"\x89PNG") else "image/webp"


def _default_cache(store: MediaStore) -> ThumbnailCache:
    return DiskCache(store.root / _FOLDER) if isinstance(store, FolderStore) else MemoryCache()
