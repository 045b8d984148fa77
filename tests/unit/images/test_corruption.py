"""Whatever happens to the bytes, the outcome is a picture or an ImageError, and it comes."""

from __future__ import annotations

import pytest
from bad_images import usable_image
from hypothesis import given, settings
from hypothesis import strategies as st

from vlmops.errors import ImageError
from vlmops.images import Image, Preparation
from vlmops.images.container import Malformed
from vlmops.images.exif import read_exif
from vlmops.images.metadata import STRIPPABLE, strip

NAMES = [
    "everything.jpg",
    "progressive.jpg",
    "two_pictures.jpg",
    "everything.png",
    "animated.png",
    "everything.webp",
    "animated.webp",
    "everything.gif",
    "plain.bmp",
    "compressed.tiff",
    "pages.tiff",
    "big.tiff",
    "plain.ico",
    "plain.ppm",
    "plain.avif",
]
HEADS = [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\1\0\0WEBP", b"GIF89a", b"II*\0", b"BM" + bytes(8)]


@st.composite
def damaged(draw):
    """A picture with some bytes changed, removed, doubled, or cut off."""
    data = bytearray(usable_image(draw(st.sampled_from(NAMES))))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data) - 1))
        kind = draw(st.sampled_from(["change", "remove", "double", "cut"]))
        if kind == "change":
            data[at] = draw(st.integers(0, 255))
        elif kind == "remove":
            del data[at : at + draw(st.integers(1, 50))]
        elif kind == "double":
            data[at:at] = data[at : at + draw(st.integers(1, 50))]
        else:
            del data[at:]
        if not data:
            break
    return bytes(data)


def accepted(data, **options):
    try:
        prepared = Preparation(**options).prepare(Image.from_bytes(data))
        prepared.to_array()
    except ImageError:
        return None
    return prepared


@settings(max_examples=3 * settings.default.max_examples)
@given(damaged())
def test_damage_gives_a_picture_or_a_clear_error(data):
    accepted(data)
    accepted(data, verify=False)


@settings(max_examples=2 * settings.default.max_examples)
@given(st.sampled_from(HEADS), st.binary(max_size=300))
def test_nonsense_after_a_right_start_gives_a_clear_error(head, rest):
    accepted(head + rest, verify=False)


@settings(max_examples=3 * settings.default.max_examples)
@given(damaged(), st.integers(1, 8))
def test_stripping_damage_gives_a_file_or_says_it_is_malformed(data, orientation):
    for media_type in STRIPPABLE:
        try:
            once = strip(data, media_type, orientation=orientation)
        except Malformed:
            continue
        assert strip(once, media_type, orientation=orientation) == once


@given(st.binary(max_size=200))
def test_any_exif_block_is_survived(block):
    for start in (b"II*\0", b"MM\0*", b""):
        assert 1 <= read_exif(start + block).orientation <= 8


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name.partition(".")[2] in ("jpg", "png", "webp", "gif")]
)
def test_every_cut_is_noticed(name):
    data = strip(usable_image(name), Image.from_bytes(usable_image(name)).media_type, orientation=1)
    for length in range(0, len(data), 7):
        with pytest.raises(ImageError):
            Preparation(animated="keep", accept=tuple(STRIPPABLE)).prepare(Image.from_bytes(data[:length]))
