from __future__ import annotations

import io
import struct

import numpy as np
import PIL.Image
import pytest
from bad_images import (
    ERRORS,
    SECRET,
    bad_image,
    exif,
    gif_with_everything,
    icc_profile,
    jpeg_with_everything,
    png_with_everything,
    usable_image,
    webp_with_everything,
)
from PIL import ImageOps

from vlmops.images import Image
from vlmops.images.container import Malformed
from vlmops.images.metadata import strip

MAKERS = {
    "image/jpeg": jpeg_with_everything,
    "image/png": png_with_everything,
    "image/webp": webp_with_everything,
}


def pixels(data):
    return Image.from_bytes(data).to_array()


@pytest.mark.parametrize("media_type", MAKERS)
def test_nothing_private_remains_and_the_pixels_do(media_type):
    data = MAKERS[media_type](6)
    before = Image.from_bytes(data).facts
    assert before.has_exif
    assert before.has_gps
    assert SECRET in data
    bare = strip(data, media_type, orientation=1)
    after = Image.from_bytes(bare).facts
    assert SECRET not in bare
    assert b"GPS" not in bare
    assert struct.pack(">II", 28, 1) not in bare  # the minutes of the latitude, as EXIF writes them
    assert not after.has_exif
    assert not after.has_gps
    np.testing.assert_array_equal(np.rot90(pixels(bare), k=-1), pixels(data))


@pytest.mark.parametrize("media_type", MAKERS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_kept_alone(media_type, orientation):
    data = MAKERS[media_type](orientation)
    bare = strip(data, media_type, orientation=orientation)
    facts = Image.from_bytes(bare).facts
    assert SECRET not in bare
    assert facts.orientation == orientation
    assert facts.has_exif == (orientation != 1)
    assert not facts.has_gps
    np.testing.assert_array_equal(pixels(bare), pixels(data))


@pytest.mark.parametrize("media_type", MAKERS)
@pytest.mark.parametrize("orientation", [1, 6])
def test_stripping_twice_gives_the_same_object(media_type, orientation):
    once = strip(MAKERS[media_type](orientation), media_type, orientation=orientation)
    assert strip(once, media_type, orientation=orientation) == once
    if orientation == 1:
        assert strip(once, media_type, orientation=1) is once


@pytest.mark.parametrize("media_type", MAKERS)
def test_the_colour_profile_is_kept(media_type):
    bare = Image.from_bytes(strip(MAKERS[media_type](), media_type, orientation=1))
    assert bare.to_pil().info["icc_profile"] == icc_profile()


def test_other_decoders_agree_on_the_kept_orientation():
    for media_type, make in MAKERS.items():
        bare = strip(make(7), media_type, orientation=7)
        with PIL.Image.open(io.BytesIO(bare)) as opened:
            assert dict(opened.getexif()) == {0x0112: 7}
            turned = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
        np.testing.assert_array_equal(turned, pixels(bare))


def test_a_lossy_webp_gets_the_extended_header_it_needs_for_an_orientation():
    bare = strip(usable_image("plain.webp"), "image/webp", orientation=8)
    assert Image.from_bytes(bare).facts.orientation == 8
    assert bare[12:16] == b"VP8X"


def test_a_webp_without_padding_gets_it():
    data = usable_image("odd_length.webp")
    assert len(strip(data, "image/webp", orientation=1)) == len(data) + 1


def test_transparency_and_animation_are_kept():
    for name in ("palette_alpha.png", "rgba.png", "grey_alpha.png", "animated.png", "animated.webp"):
        data = usable_image(name)
        media_type = Image.from_bytes(data).media_type
        bare = Image.from_bytes(strip(data, media_type, orientation=1))
        assert bare.pixel_hash() == Image.from_bytes(data).pixel_hash()
        assert bare.facts.frames == Image.from_bytes(data).facts.frames


def test_a_gif_loses_its_comment_and_keeps_its_frames():
    bare = strip(gif_with_everything(), "image/gif", orientation=1)
    facts = Image.from_bytes(bare).facts
    assert SECRET not in bare
    assert b"NETSCAPE2.0" in bare
    assert facts.frames == 3


def test_a_cmyk_jpeg_keeps_the_marker_its_colours_depend_on():
    data = usable_image("cmyk.jpg")
    with_exif = (
        data[:2] + b"\xff\xe1" + (len(SECRET) + 8).to_bytes(2, "big") + b"Exif\0\0" + SECRET + data[2:]
    )
    np.testing.assert_array_equal(pixels(strip(with_exif, "image/jpeg", orientation=1)), pixels(data))


@pytest.mark.parametrize("name", sorted(name for name in ERRORS if name.startswith("cut") and "." in name))
def test_a_cut_file_is_never_taken_for_whole(name):
    data = bad_image(name)
    media_type = {
        "jpg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif"
    }.get(name.rpartition(".")[2])  # fmt: skip
    if media_type:
        with pytest.raises(Malformed):
            strip(data, media_type, orientation=1)


def test_exif_of_a_camera_with_the_other_byte_order_is_read():
    little = b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 0x0112, 3, 1, 5, 0) + bytes(4)
    jpeg = usable_image("plain.jpg")
    segment = b"\xff\xe1" + (len(little) + 8).to_bytes(2, "big") + b"Exif\0\0" + little
    assert Image.from_bytes(jpeg[:2] + segment + jpeg[2:]).orientation == 5


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_impossible_orientation_reads_as_upright(value):
    data = usable_image("plain.jpg")
    block = exif(6, private=False).tobytes().removeprefix(b"Exif\0\0")
    wrong = block.replace(struct.pack("<HHIH", 0x0112, 3, 1, 6), struct.pack("<HHIH", 0x0112, 3, 1, value))
    wrong = wrong.replace(struct.pack(">HHIH", 0x0112, 3, 1, 6), struct.pack(">HHIH", 0x0112, 3, 1, value))
    assert wrong != block
    segment = b"\xff\xe1" + (len(wrong) + 8).to_bytes(2, "big") + b"Exif\0\0" + wrong
    assert Image.from_bytes(data[:2] + segment + data[2:]).orientation == 1
