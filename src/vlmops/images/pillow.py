"""The one way to Pillow: chosen decoder only, no warnings, every failure an error of ours."""

from __future__ import annotations

import threading
import warnings
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from vlmops.errors import ImageError, PrerequisiteError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.ImageFile import ImageFile

_PLUGINS = {
    "image/jpeg": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "image/png": ("PIL.PngImagePlugin", "PngImageFile"),
    "image/webp": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "image/gif": ("PIL.GifImagePlugin", "GifImageFile"),
    "image/bmp": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "image/tiff": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "image/avif": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "image/x-icon": ("PIL.IcoImagePlugin", "IcoImageFile"),
    "image/jp2": ("PIL.Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "image/x-portable-anymap": ("PIL.PpmImagePlugin", "PpmImageFile"),
    "image/heic": ("pillow_heif", "HeifImageFile"),
    "image/heif": ("pillow_heif", "HeifImageFile"),
}
_NEEDS_PLUGIN = "pip install pillow-heif, or convert it to JPEG first"

_lock = threading.Lock()
_depth = 0
_filters = ExitStack()


def can_decode(media_type: str) -> bool:
    """Whether pictures of this type can be decoded (HEIC needs the package pillow-heif).

    Example:
        >>> can_decode("image/png"), can_decode("image/svg+xml")
        (True, False)
    """
    return media_type in _PLUGINS


def open_with(media_type: str, data: bytes) -> ImageFile:
    """Open ``data`` with the one decoder of its type; reads the header only.

    Going past ``PIL.Image.open`` keeps other formats' decoders away from hostile bytes, and leaves the
    limit on pixels to :class:`~vlmops.images.ImageLimits`.

    Raises:
        PrerequisiteError: The decoder is not installed.
        Exception: Whatever the decoder raises on bad bytes; use within :func:`decoding`.
    """
    from io import BytesIO

    module, name = _PLUGINS[media_type]
    try:
        factory = getattr(import_module(module), name)
    except ImportError:
        raise PrerequisiteError(_NEEDS_PLUGIN) from None
    image: ImageFile = factory(BytesIO(data))
    return image


@contextmanager
def decoding(source: str, description: str, fix: str) -> Iterator[None]:
    """Keep Pillow's warnings quiet, and turn what it raises into an :class:`ImageError`."""
    from PIL.Image import DecompressionBombError

    with _without_warnings():
        try:
            yield
        except ImageError:
            raise
        except PrerequisiteError as error:
            raise ImageError(source, f"{description}, which needs a decoder", str(error)) from None
        except DecompressionBombError as error:
            raise ImageError(source, f"{description}: {error}", "raise PIL.Image.MAX_IMAGE_PIXELS") from None
        except Exception as error:  # noqa: BLE001 - hostile bytes make decoders raise nearly anything
            problem = str(error) or type(error).__name__
            raise ImageError(source, f"{description} that cannot be decoded: {problem}", fix) from None


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Ignore Pillow's own warnings; safe when threads overlap.

    ``warnings.catch_warnings`` restores the state it found: with threads that leave in another order than
    they came, the filters of one would stay for ever. So the first that comes sets, the last that leaves
    restores.
    """
    global _depth
    with _lock:
        if _depth == 0:
            _filters.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", module=r"PIL\b")
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                _filters.close()
