from __future__ import annotations

import io
import pickle

import numpy as np
import PIL.Image
import pytest
from bad_images import (
    bad_image,
    encoded,
    icc_profile,
    jpeg_with_everything,
    photo,
    png_chunk,
    usable_image,
    webp_with_everything,
)
from PIL import ImageFilter

from vlmops.errors import ImageError, UsageError
from vlmops.images import Image, Preparation


def prepared(data, **settings):
    return Preparation(**settings).prepare(Image.from_bytes(data))


@pytest.mark.parametrize(
    "name", ["plain.jpg", "progressive.jpg", "plain.png", "palette_alpha.png", "one_bit.png", "plain.webp"]
)
@pytest.mark.parametrize("verify", [True, False, "pixels"])
def test_a_clean_picture_passes_as_it_is(name, verify):
    image = Image.from_bytes(usable_image(name))
    assert Preparation(verify=verify).prepare(image) is image


def test_a_clean_picture_is_not_decoded(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr("vlmops.images.decode.decode", refuse)
    for name in ("plain.jpg", "everything.jpg", "everything.png", "everything.webp", "orientation_6.jpg"):
        assert prepared(usable_image(name)).size


def test_metadata_goes_and_pixels_stay():
    for name in ("everything.jpg", "everything.png", "everything.webp"):
        image = Image.from_bytes(usable_image(name))
        result = Preparation().prepare(image)
        assert result.sha256 != image.sha256
        assert result.pixel_hash() == image.pixel_hash()
        assert not result.facts.has_exif


def test_metadata_stays_where_that_is_asked():
    image = Image.from_bytes(usable_image("everything.jpg"))
    assert Preparation(strip_metadata=False).prepare(image) is image


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
def test_a_turned_picture_stays_upright_either_way(orientation, kind):
    image = Image.from_bytes(usable_image(f"orientation_{orientation}.{kind}"))
    tagged = Preparation(orient="tag").prepare(image)
    assert tagged.orientation == orientation
    assert tagged.pixel_hash() == image.pixel_hash()
    turned = Preparation(orient="pixels").prepare(image)
    assert (turned.orientation, turned.size, turned.media_type) == (1, image.size, image.media_type)
    difference = np.abs(turned.to_array().astype(int) - image.to_array())
    assert difference.mean() < (6 if kind == "jpg" else 0.001)


def test_a_lossless_webp_is_encoded_anew_without_loss():
    image = Image.from_bytes(webp_with_everything(3))
    assert prepared(image.read(), orient="pixels").pixel_hash() == image.pixel_hash()


def test_a_file_with_a_broken_structure_is_encoded_anew_when_it_is_not_verified():
    corrupt = usable_image("plain.png")
    assert prepared(corrupt[:-12] + png_chunk(b"IEND", b"")).size == (61, 40)
    jpeg = usable_image("plain.jpg")
    noisy = jpeg[:20] + b"junk" + jpeg[20:]
    with pytest.raises(ImageError, match="corrupt"):
        prepared(noisy)
    result = prepared(noisy, verify=False)
    assert result.size == (61, 40)
    assert b"junk" not in result.read()


def test_decoding_notices_what_structure_cannot():
    import zlib

    png = usable_image("plain.png")
    at = png.index(b"IDAT") - 4
    faulty = png[:at] + png_chunk(b"IDAT", zlib.compress(bytes(100))) + png[-12:]
    image = Image.from_bytes(faulty)
    assert Preparation().prepare(image) is image
    with pytest.raises(ImageError, match="cannot be decoded"):
        Preparation(verify="pixels").prepare(image)


def test_unverified_truncation_is_left_to_the_reader():
    data = bad_image("bad_checksum.png")
    image = Image.from_bytes(data)
    assert Preparation(verify=False).prepare(image) is image


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("plain.bmp", "image/png"),
        ("plain.tiff", "image/png"),
        ("plain.ppm", "image/png"),
        ("plain.ico", "image/png"),
        ("animated.gif", "image/png"),
        ("plain.avif", "image/jpeg"),
        ("plain.jp2", "image/jpeg"),
    ],
)
def test_other_types_become_one_that_all_models_take(name, media_type):
    image = Image.from_bytes(usable_image(name))
    result = Preparation().prepare(image)
    assert result.media_type == media_type
    if media_type == "image/png":
        assert result.pixel_hash() == image.pixel_hash()
    for target in ("image/png", "image/jpeg", "image/webp"):
        assert prepared(image.read(), convert_to=target).media_type == target


def test_a_type_that_is_not_accepted_is_converted():
    data = usable_image("plain.webp")
    assert prepared(data, accept=("image/png", "image/jpeg")).media_type == "image/jpeg"
    gif = usable_image("everything.gif")
    kept = prepared(gif, accept=("image/gif",), animated="keep")
    assert (kept.media_type, kept.facts.frames) == ("image/gif", 3)
    assert kept.byte_length < len(gif)


def test_print_colours_and_sixteen_bits_become_what_a_screen_shows():
    assert prepared(usable_image("cmyk.jpg")).facts.mode == "RGB"
    assert prepared(usable_image("grey16.png")).facts.mode == "L"
    for name in ("cmyk.jpg", "grey16.png"):
        image = Image.from_bytes(usable_image(name))
        assert Preparation(screen_pixels=False).prepare(image) is image
    turned = prepared(encoded(PIL.Image.new("I;16", (9, 3), 700), "TIFF"), screen_pixels=False)
    assert turned.to_pil("I").getextrema() == (700, 700)


def test_a_cmyk_profile_does_not_outlive_its_colours():
    data = encoded(photo().convert("CMYK"), "JPEG", icc_profile=icc_profile())
    result = prepared(data)
    assert result.facts.mode == "RGB"
    assert "icc_profile" not in result.to_pil().info


@pytest.mark.parametrize("name", ["animated.gif", "animated.png", "animated.webp", "pages.tiff"])
def test_animations(name):
    data = usable_image(name)
    first = prepared(data)
    assert first.facts.frames == 1
    assert first.size == (61, 40)
    with pytest.raises(ImageError, match="frames"):
        prepared(data, animated="error")
    if name in ("animated.png", "animated.webp"):
        image = Image.from_bytes(data)
        assert Preparation(animated="keep").prepare(image) is image
    else:
        with pytest.raises(ImageError, match="cannot all be kept"):
            prepared(data, animated="keep")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_large_pictures_are_shrunk_in_proportion(kind):
    data = encoded(photo(800, 500), kind)
    result = prepared(data, max_side=200)
    assert result.size == (200, 125)
    assert result.media_type == f"image/{kind.lower()}"
    image = Image.from_bytes(data)
    assert Preparation(max_side=800).prepare(image) is image


@pytest.mark.parametrize("orientation", [1, 6])
def test_shrinking_a_jpeg_gives_nearly_what_full_decoding_gives(orientation):
    block = PIL.Image.Exif()
    block[0x0112] = orientation
    smooth = photo(800, 500).filter(ImageFilter.GaussianBlur(20))
    image = Image.from_bytes(encoded(smooth, "JPEG", quality=95, exif=block))
    result = Preparation(max_side=100, quality=95).prepare(image)
    expected = image.to_pil().resize(result.size, PIL.Image.Resampling.LANCZOS)
    assert result.size == ((100, 62) if orientation == 1 else (62, 100))  # 62.5, to even
    assert np.abs(result.to_array().astype(int) - np.asarray(expected)).mean() < 3


def test_a_thin_picture_keeps_a_pixel():
    assert prepared(encoded(photo(1000, 2), "PNG"), max_side=50).size == (50, 1)


@pytest.mark.parametrize(
    "name", ["palette_alpha.png", "one_bit.png", "grey_alpha.png", "grey16.png", "rgba.png"]
)
def test_every_mode_can_be_shrunk(name):
    result = prepared(usable_image(name), max_side=20)
    assert max(result.size) == 20
    assert ("A" in result.facts.mode) == (name in ("palette_alpha.png", "grey_alpha.png", "rgba.png"))


def noise(width, height):
    return PIL.Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_limit_on_bytes_is_kept(kind):
    data = encoded(noise(300, 200), kind)
    for limit in (len(data), len(data) * 3 // 4, len(data) // 10):
        result = prepared(data, max_bytes=limit)
        assert result.byte_length <= limit
        assert result.media_type == f"image/{kind.lower()}"
        assert result.width / result.height == pytest.approx(1.5, rel=0.05)


def test_quality_is_lowered_before_size():
    data = encoded(noise(300, 200), "JPEG", quality=95)
    assert prepared(data, max_bytes=len(data) * 3 // 4).size == (300, 200)


def test_metadata_alone_may_make_it_fit():
    data = usable_image("huge_exif.jpg")
    image = Image.from_bytes(data)
    result = Preparation(max_bytes=5000).prepare(image)
    assert result.byte_length < 5000
    assert result.pixel_hash() == image.pixel_hash()


def test_a_limit_that_cannot_be_kept_is_an_error():
    with pytest.raises(ImageError, match="cannot be encoded in 40 bytes"):
        prepared(encoded(noise(300, 200), "PNG"), max_bytes=40)


def test_a_profile_is_kept_when_encoded_anew():
    for target in ("image/png", "image/jpeg", "image/webp"):
        result = prepared(jpeg_with_everything(6), accept=(), convert_to=target)
        assert result.to_pil().info["icc_profile"] == icc_profile()


def test_the_result_of_a_file_is_made_again_when_needed(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg_with_everything(6))
    result = Preparation(max_side=30).prepare(Image.from_path(path))
    data = result.read()
    result.release()
    assert result.read() == data
    assert result.source == str(path)
    stored = pickle.dumps(result)
    assert data[-60:] not in stored
    assert pickle.loads(stored).read() == data


def test_the_fingerprint_is_that_of_the_settings():
    assert Preparation().fingerprint == Preparation().fingerprint
    assert Preparation(accept=("image/png", "image/jpeg")).fingerprint == (
        Preparation(accept=("image/jpeg", "image/png", "image/png")).fingerprint
    )
    different = {
        Preparation(**{name: value}).fingerprint
        for name, value in [
            ("verify", False), ("verify", "pixels"), ("strip_metadata", False), ("orient", "pixels"),
            ("max_side", 100), ("max_bytes", 100), ("accept", ("image/png",)), ("convert_to", "image/png"),
            ("screen_pixels", False), ("animated", "keep"), ("quality", 80),
        ]
    }  # fmt: skip
    assert len(different | {Preparation().fingerprint}) == 12
    assert Preparation().fingerprint == (
        "preparation/1;verify=True;strip_metadata=True;orient=tag;max_side=None;max_bytes=None;"
        "accept=image/jpeg,image/png,image/webp;convert_to=auto;screen_pixels=True;animated=first;quality=90"
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"max_side": 0},
        {"max_bytes": -1},
        {"quality": 0},
        {"quality": 101},
        {"orient": "up"},
        {"verify": "no"},
        {"animated": "last"},
        {"convert_to": "image/gif"},
    ],
)
def test_impossible_settings_are_refused_at_once(settings):
    with pytest.raises(UsageError, match=f"Preparation.{next(iter(settings))}"):
        Preparation(**settings)


def test_it_opens_in_pillow():
    result = prepared(jpeg_with_everything(6), max_side=30)
    with PIL.Image.open(io.BytesIO(result.read())) as opened:
        opened.load()
        assert opened.size == (20, 30)
