"""What bytes are, by their first bytes alone: a name or a declared type is never trusted."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEAD = 4096
_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg", "a JPEG picture"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "a PNG picture"),
    (b"GIF87a", "image/gif", "a GIF picture"),
    (b"GIF89a", "image/gif", "a GIF picture"),
    (b"II*\x00", "image/tiff", "a TIFF picture"),
    (b"MM\x00*", "image/tiff", "a TIFF picture"),
    (b"II+\x00", "image/tiff", "a BigTIFF picture"),
    (b"MM\x00+", "image/tiff", "a BigTIFF picture"),
    (b"\x00\x00\x01\x00", "image/x-icon", "an icon"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "image/jp2", "a JPEG 2000 picture"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "image/jxl", "a JPEG XL picture"),
    (b"\xff\x0a", "image/jxl", "a JPEG XL picture"),
    (b"8BPS", "image/vnd.adobe.photoshop", "a Photoshop document"),
    (b"v/1\x01", "image/x-exr", "an OpenEXR picture"),
    (b"#?RADIANCE", "image/vnd.radiance", "a Radiance HDR picture"),
    (b"qoif", "image/qoi", "a QOI picture"),
    (b"%PDF-", "application/pdf", "a PDF document"),
    (b"%!PS", "application/postscript", "a PostScript document"),
    (b"PK\x03\x04", "application/zip", "a zip archive (or an Office document)"),
    (b"PK\x05\x06", "application/zip", "an empty zip archive"),
    (b"\x1f\x8b", "application/gzip", "gzip-compressed data"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed", "a 7z archive"),
    (b"Rar!\x1a\x07", "application/vnd.rar", "a RAR archive"),
    (b"\x93NUMPY", "application/x-npy", "a NumPy array file"),
    (b"\x89HDF\r\n", "application/x-hdf5", "an HDF5 file"),
    (b"PAR1", "application/vnd.apache.parquet", "a Parquet table"),
    (b"\x1aE\xdf\xa3", "video/webm", "a WebM or Matroska video"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3", "an SQLite database"),
)
_BRANDS = {
    b"avif": ("image/avif", "an AVIF picture"),
    b"avis": ("image/avif", "an AVIF sequence"),
    b"heic": ("image/heic", "a HEIC picture"),
    b"heix": ("image/heic", "a HEIC picture"),
    b"heim": ("image/heic", "a HEIC picture"),
    b"heis": ("image/heic", "a HEIC picture"),
    b"hevc": ("image/heic", "a HEIC sequence"),
    b"hevx": ("image/heic", "a HEIC sequence"),
}
_NETPBM = re.compile(rb"P[1-6][\s#]")
_GIT_LFS = b"version https://git-lfs.github.com/spec/"
_BASE64_HEADS = (b"/9j/", b"iVBORw0KGgo", b"R0lGOD", b"UklGR")


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What bytes turned out to be.

    Attributes:
        media_type: As in ``image/png``; ``application/octet-stream`` where nothing is recognised.
        description: For a sentence: ``a PNG picture``, ``an HTML page``.
        fix: What to do when a picture was expected; empty for pictures.
    """

    media_type: str
    description: str
    fix: str = ""

    @property
    def is_image(self) -> bool:
        """Whether the bytes claim to be a picture of a known kind."""
        return self.media_type.startswith("image/")


def sniff(data: bytes) -> Sniffed:
    """Say what ``data`` is; looks at no more than the first 4 KiB and never fails.

    Example:
        >>> sniff(b"GIF89a").media_type
        'image/gif'
        >>> sniff(b"<!doctype html><title>Sign in</title>").description
        'an HTML page'
    """
    head = bytes(data[:_HEAD])
    if not head:
        return Sniffed("application/x-empty", "empty (0 bytes)", "copy or download the file again")
    return _by_signature(head) or _by_container(head) or _by_text(head) or _unknown(head)


def _by_signature(head: bytes) -> Sniffed | None:
    for signature, media_type, description in _SIGNATURES:
        if head.startswith(signature):
            fix = "" if media_type.startswith("image/") else "extract or export the picture from it first"
            return Sniffed(media_type, description, fix)
    return None


def _by_container(head: bytes) -> Sniffed | None:
    if head[:4] == b"RIFF":
        return _riff(head)
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    if head[:2] == b"BM" and len(head) >= 14 and head[6:10] == bytes(4):
        return Sniffed("image/bmp", "a BMP picture")
    if _NETPBM.match(head):
        return Sniffed("image/x-portable-anymap", "a Netpbm picture")
    if head[128:132] == b"DICM":
        return Sniffed("application/dicom", "a DICOM file", "export its frames as PNG with a chosen window")
    return None


def _riff(head: bytes) -> Sniffed:
    if head[8:12] == b"WEBP":
        return Sniffed("image/webp", "a WebP picture")
    return Sniffed("application/x-riff", "a RIFF file (sound or video)", "extract a frame as PNG first")


def _iso_media(head: bytes) -> Sniffed:
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))]
    for brand in brands:
        if brand in _BRANDS:
            return Sniffed(*_BRANDS[brand])
    if {b"mif1", b"msf1"} & set(brands):
        return Sniffed("image/heif", "a HEIF picture")
    return Sniffed("video/mp4", "an MP4 or QuickTime video", "extract a frame as PNG first")


def _by_text(head: bytes) -> Sniffed | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    lowered = text[:1024].lower()
    if text.startswith(_GIT_LFS):
        return Sniffed("text/x-git-lfs-pointer", "a Git LFS pointer", "run 'git lfs pull'")
    if b"<svg" in lowered and lowered.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype svg")):
        return Sniffed("image/svg+xml", "an SVG drawing")
    if lowered.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return Sniffed(
            "text/html", "an HTML page", "the server likely sent a sign-in or error page: check the address"
        )
    if lowered.startswith((b"<?xml", b"<error")):
        return Sniffed("application/xml", "an XML document", "storage services answer errors in XML: open it")
    if text.startswith(b"data:image/"):
        return Sniffed("text/x-data-uri", "a data URI as text", "use Image.from_data_uri")
    if text.startswith(_BASE64_HEADS):
        return Sniffed("text/x-base64", "base64 text of a picture", "decode it first: base64.b64decode")
    return _plain_text(text)


def _plain_text(text: bytes) -> Sniffed | None:
    if b"\x00" in text:
        return None
    try:
        # The head may end within a character of several bytes.
        decoded = text[:_HEAD].decode("utf-8", errors="strict" if len(text) < _HEAD - 8 else "ignore")
    except UnicodeDecodeError:
        return None
    if any(ord(character) < 32 and character not in "\t\n\r\f\x1b" for character in decoded):
        return None
    if decoded[:1] in ("{", "["):
        return Sniffed("application/json", "JSON text", "open it: it may be an error message of a server")
    return Sniffed("text/plain", "plain text", "open it: it may be an error message or a list of paths")


def _unknown(head: bytes) -> Sniffed:
    start = head[:8].hex(" ")
    return Sniffed(
        "application/octet-stream",
        f"of no known type (starts with {start})",
        "use PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF",
    )
