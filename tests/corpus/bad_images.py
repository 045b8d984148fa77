"""Difficult pictures, made by code: those that cannot be used, and those that can although they are odd.

``write_bad_images(folder)`` writes all of them; :data:`ERRORS` names the ones that must be refused with a
clear message, :data:`USABLE` those that must go through: facts, pixels and preparation all work.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageCms

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = b"Elm Street 1428, made by Nancy Thompson"
"""Stands in the metadata of every picture that has any; must be nowhere in a stripped one."""

LATITUDE = (51.0, 28.0, 38.0)
"""In the GPS data of every picture that has any."""

WIDTH, HEIGHT = 61, 40

_ORIENTATION, _ARTIST, _GPS = 0x0112, 0x013B, 0x8825


def photo(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """A picture without symmetry, so that every wrong turn shows."""
    y, x = np.mgrid[0:height, 0:width]
    channels = [x * 255 // width, y * 255 // height, (x * 3 + y * 7) % 256]
    pixels = np.stack(channels, axis=-1).astype(np.uint8)
    pixels[: height // 4, : width // 4] = (255, 0, 0)
    return Image.fromarray(pixels)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A Pillow image as a file."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def exif(orientation: int | None = None, *, private: bool = True) -> Image.Exif:
    """EXIF with an orientation and, if private, an artist and a place."""
    block = Image.Exif()
    if orientation is not None:
        block[_ORIENTATION] = orientation
    if private:
        block[_ARTIST] = SECRET.decode()
        block.get_ifd(_GPS).update({1: "N", 2: LATITUDE, 3: "W", 4: (0.0, 0.0, 5.0)})
    return block


def xmp() -> bytes:
    """An XMP packet that tells a place."""
    return b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf exif:GPSLatitude='51'>" + SECRET + b"</rdf></x:xmpmeta>"


@cache
def icc_profile() -> bytes:
    """A colour profile; made once, since it holds the second in which it was made."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def png_chunk(name: bytes, payload: bytes) -> bytes:
    """A PNG chunk with its right checksum."""
    return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))


def jpeg_segment(marker: int, payload: bytes) -> bytes:
    """A JPEG segment."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(payload) + 2) + payload


def webp_chunk(name: bytes, payload: bytes) -> bytes:
    """A WebP chunk."""
    return name + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) % 2)


def bomb_png(width: int = 50_000, height: int = 50_000) -> bytes:
    """A small PNG that declares a huge picture."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100_000))
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def jpeg_with_everything(orientation: int | None = None) -> bytes:
    """A JPEG with each kind of metadata there is, and more data after its end."""
    clean = encoded(photo(), "JPEG", quality=90, icc_profile=icc_profile(), dpi=(72, 72))
    thumbnail = b"\xff\xd8" + SECRET + b"\xff\xd9"
    extra = [
        jpeg_segment(0xE1, b"Exif\0\0" + exif(orientation).tobytes().removeprefix(b"Exif\0\0")),
        jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp()),
        jpeg_segment(0xE0, b"JFXX\0\x10" + thumbnail),
        jpeg_segment(0xED, b"Photoshop 3.0\x008BIM" + SECRET),
        jpeg_segment(0xE2, b"MPF\0" + SECRET),
        jpeg_segment(0xEB, b"JP" + SECRET),
        jpeg_segment(0xFE, SECRET),
    ]
    end_of_jfif = 4 + struct.unpack(">H", clean[4:6])[0]
    return clean[:end_of_jfif] + b"".join(extra) + clean[end_of_jfif:] + SECRET


def png_with_everything(orientation: int | None = None) -> bytes:
    """A PNG with each kind of metadata there is, before and after its pixels, and more data after its end."""
    clean = encoded(photo(), "PNG", icc_profile=icc_profile(), dpi=(72, 72))
    block = exif(orientation).tobytes().removeprefix(b"Exif\0\0")
    before = [
        png_chunk(b"tEXt", b"Author\0" + SECRET),
        png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(SECRET)),
        png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp()),
        png_chunk(b"prVt", SECRET),
    ]
    after = [png_chunk(b"tIME", b"\x07\xe8\x01\x01\0\0\0"), png_chunk(b"eXIf", block)]
    return b"".join([clean[:33], *before, clean[33:-12], *after, clean[-12:], SECRET])


def webp_with_everything(orientation: int | None = None, *, lossless: bool = True) -> bytes:
    """A WebP with each kind of metadata there is, and more data after its end."""
    data = encoded(
        photo(), "WEBP", lossless=lossless, icc_profile=icc_profile(), exif=exif(orientation), xmp=xmp()
    )
    chunks = data[12:] + webp_chunk(b"prVt", SECRET)
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks + SECRET


def gif_with_everything() -> bytes:
    """An animated GIF with a comment, and more data after its end."""
    return animation("GIF", comment=SECRET) + SECRET


def animation(kind: str, **options: Any) -> bytes:
    """Three frames."""
    frames = [photo().rotate(angle) for angle in (90, 180)]
    return encoded(photo(), kind, save_all=True, append_images=frames, duration=100, loop=0, **options)


def big_tiff() -> bytes:
    """A TIFF with 64-bit offsets: 4 x 3 pixels of grey."""
    pixels = bytes(range(12))
    tags = [(256, 4), (257, 3), (258, 8), (259, 1), (262, 1), (273, 16), (277, 1), (278, 3), (279, 12)]
    entries = b"".join(struct.pack("<HHQQ", tag, 4, 1, value) for tag, value in tags)
    directory = struct.pack("<Q", len(tags)) + entries + struct.pack("<Q", 0)
    return b"II+\0\x08\0\0\0" + struct.pack("<Q", 28) + pixels + directory


def _flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 0xFF,)) + data[at + 1 :]


def _grey16() -> Image.Image:
    return Image.fromarray(np.linspace(0, 65535, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH).astype(np.uint16))


def _rgba() -> Image.Image:
    image = photo().convert("RGBA")
    image.putalpha(photo().convert("L"))
    return image


_LFS = (
    b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22e\nsize 12345\n"
)
_HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in</body></html>"


@cache
def _bad() -> dict[str, bytes]:
    jpeg, png = encoded(photo(), "JPEG", quality=90), encoded(photo(), "PNG")
    webp, gif = encoded(photo(), "WEBP", lossless=True), animation("GIF")
    progressive = encoded(photo(), "JPEG", progressive=True)
    idat = png.index(b"IDAT")
    return {
        "empty.png": b"",
        "text.png": b"this is not a picture\n",
        "sign_in.jpg": _HTML,
        "error.jpg": b'{"error": "not found"}',
        "storage_error.jpg": b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
        "lfs_pointer.png": _LFS,
        "base64.png": b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ",
        "document.png": b"%PDF-1.7\n",
        "archive.png": b"PK\x03\x04" + bytes(30),
        "noise.png": bytes(range(128, 256)) * 4,
        "video.jpg": b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + bytes(50),
        "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
        "photoshop.jpg": b"8BPS\0\x01" + bytes(40),
        "bomb.png": bomb_png(),
        "cut_in_header.jpg": jpeg[:20],
        "cut_after_soi.jpg": jpeg[:3],
        "cut_in_pixels.jpg": jpeg[: len(jpeg) * 3 // 4],
        "cut_before_end.jpg": jpeg[:-2],
        "cut_progressive.jpg": progressive[: len(progressive) // 2],
        "no_pixels.jpg": b"\xff\xd8\xff\xd9",
        "bad_length.jpg": jpeg[:4] + b"\0\0" + jpeg[6:],
        "cut_in_header.png": png[:30],
        "cut_in_pixels.png": png[: len(png) // 2],
        "cut_before_end.png": png[:-12],
        "bad_checksum.png": _flip(png, idat + 30),
        "no_size.png": png[:16] + bytes(8) + png[24:],
        "cut_in_header.webp": webp[:18],
        "cut_in_pixels.webp": webp[: len(webp) // 2],
        "bad_size.webp": webp[:4] + struct.pack("<I", len(webp) * 2) + webp[8:],
        "small_size.webp": webp[:4] + struct.pack("<I", 20) + webp[8:],
        "cut_in_pixels.gif": gif[: len(gif) // 2],
        "cut_before_end.gif": gif[:-1],
        "no_size.gif": gif[:6] + bytes(4) + gif[10:],
        "cut.bmp": encoded(photo(), "BMP")[:500],
        "cut.tiff": encoded(photo(), "TIFF")[:500],
        "cut.avif": encoded(photo(), "AVIF")[:400],
        "float.tiff": encoded(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF"),
    }


@cache
def _usable() -> dict[str, bytes]:
    jpeg, png = encoded(photo(), "JPEG", quality=90), encoded(photo(), "PNG")
    files = {
        "plain.jpg": jpeg,
        "plain.png": png,
        "plain.webp": encoded(photo(), "WEBP"),
        "lossless.webp": encoded(photo(), "WEBP", lossless=True),
        "odd_length.webp": _without_padding(),
        "plain.bmp": encoded(photo(), "BMP"),
        "plain.tiff": encoded(photo(), "TIFF"),
        "compressed.tiff": encoded(photo(), "TIFF", compression="tiff_lzw"),
        "pages.tiff": encoded(photo(), "TIFF", save_all=True, append_images=[photo()]),
        "big.tiff": big_tiff(),
        "plain.avif": encoded(photo(), "AVIF"),
        "plain.jp2": encoded(photo(), "JPEG2000"),
        "plain.ico": encoded(_rgba(), "ICO", sizes=[(32, 32)]),
        "plain.ppm": encoded(photo(), "PPM"),
        "progressive.jpg": encoded(photo(), "JPEG", progressive=True),
        "restarts.jpg": encoded(photo(), "JPEG", restart_marker_rows=1),
        "grey.jpg": encoded(photo().convert("L"), "JPEG"),
        "cmyk.jpg": encoded(photo().convert("CMYK"), "JPEG"),
        "two_pictures.jpg": encoded(photo(), "MPO", save_all=True, append_images=[photo()]),
        "named_wrongly.png": jpeg,
        "trailing.jpg": jpeg + SECRET,
        "trailing.png": png + SECRET,
        "everything.jpg": jpeg_with_everything(),
        "everything.png": png_with_everything(),
        "everything.webp": webp_with_everything(),
        "everything.gif": gif_with_everything(),
        "huge_exif.jpg": encoded(photo(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0" + bytes(60_000)),
        "broken_exif.jpg": encoded(photo(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"),
        "text_bomb.png": png[:33] + png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(9 << 20))) + png[33:],
        "animated.gif": animation("GIF"),
        "animated.png": animation("PNG"),
        "animated.webp": animation("WEBP"),
        "one_pixel.png": encoded(photo(1, 1), "PNG"),
        "one_bit.png": encoded(photo().convert("1"), "PNG"),
        "grey_alpha.png": encoded(_rgba().convert("LA"), "PNG"),
        "grey16.png": encoded(_grey16(), "PNG"),
        "rgba.png": encoded(_rgba(), "PNG"),
        "palette.png": encoded(photo().convert("P"), "PNG"),
        "palette_alpha.png": encoded(photo().quantize(16), "PNG", transparency=bytes(range(0, 256, 16))),
    }
    for orientation in range(1, 9):
        files[f"orientation_{orientation}.jpg"] = jpeg_with_everything(orientation)
        files[f"orientation_{orientation}.png"] = png_with_everything(orientation)
        files[f"orientation_{orientation}.webp"] = webp_with_everything(orientation)
        files[f"orientation_{orientation}.tiff"] = encoded(photo(), "TIFF", exif=exif(orientation))
        files[f"orientation_{orientation}.avif"] = encoded(photo(), "AVIF", exif=exif(orientation))
    return files


def _without_padding() -> bytes:
    """A WebP whose last chunk has an odd length and, against the rules, no padding."""
    width = next(w for w in range(8, 99) if _last_chunk_is_odd(encoded(photo(w, 9), "WEBP", lossless=True)))
    data = encoded(photo(width, 9), "WEBP", lossless=True)[:-1]
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


def _last_chunk_is_odd(data: bytes) -> bool:
    return struct.unpack("<I", data[16:20])[0] % 2 == 1


ERRORS = frozenset(_bad())
"""Names of pictures that must be refused."""

USABLE = frozenset(_usable())
"""Names of pictures that must go through."""

SPECIAL: dict[str, Callable[[Path], Any]] = {
    "folder.png": Path.mkdir,
    "pipe.png": os.mkfifo,
    "loop.png": lambda path: path.symlink_to(path),
    "dangling.png": lambda path: path.symlink_to("nowhere.png"),
}
"""Things with a picture's name that are no files; they must be refused too."""


def bad_image(name: str) -> bytes:
    """The bytes of one that must be refused."""
    return _bad()[name]


def usable_image(name: str) -> bytes:
    """The bytes of one that must go through."""
    return _usable()[name]


def write_bad_images(folder: Path) -> dict[str, Path]:
    """Write everything into ``folder``; gives the path of each by its name."""
    paths = {}
    for name, data in (_bad() | _usable()).items():
        paths[name] = folder / name
        paths[name].write_bytes(data)
    for name, make in SPECIAL.items():
        paths[name] = folder / name
        make(paths[name])
    return paths
