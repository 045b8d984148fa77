from __future__ import annotations

import hashlib
import io
import os
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import PIL.Image
import pytest
from bad_images import encoded, exif, icc_profile, photo, usable_image

from vlmops.errors import ImageError, UsageError
from vlmops.images import Image, ImageLimits, ImageReference
from vlmops.images.recent import BUDGET

PNG = usable_image("plain.png")


class Counting:
    """An origin that counts how often it is read."""

    description = "counted"

    def __init__(self, data=PNG):
        self.data = data
        self.reads = 0

    def read(self):
        self.reads += 1
        return self.data


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "photo.png"
    file.write_bytes(PNG)
    return file


def test_facts_come_from_the_bytes(path):
    facts = Image.from_path(path).facts
    assert facts.sha256 == hashlib.sha256(PNG).hexdigest()
    assert (facts.media_type, facts.width, facts.height) == ("image/png", 61, 40)
    assert (facts.byte_length, facts.orientation, facts.mode, facts.frames) == (len(PNG), 1, "RGB", 1)


@pytest.mark.parametrize(
    ("name", "mode", "frames"),
    [
        ("one_bit.png", "1", 1),
        ("grey_alpha.png", "LA", 1),
        ("grey16.png", "I;16", 1),
        ("palette.png", "P", 1),
        ("rgba.png", "RGBA", 1),
        ("cmyk.jpg", "CMYK", 1),
        ("grey.jpg", "L", 1),
        ("big.tiff", "L", 1),
        ("pages.tiff", "RGB", 2),
        ("animated.gif", "P", 3),
        ("animated.png", "RGB", 3),
        ("animated.webp", "RGB", 3),
    ],
)
def test_mode_and_frames(name, mode, frames):
    facts = Image.from_bytes(usable_image(name)).facts
    assert (facts.mode, facts.frames) == (mode, frames)


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tiff", "avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pixels_are_upright_and_the_size_is_theirs(kind, orientation):
    turns = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: np.swapaxes(a, 0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(np.swapaxes(a, 0, 1), 2),
        8: lambda a: np.rot90(a, 1),
    }
    image = Image.from_bytes(usable_image(f"orientation_{orientation}.{kind}"))
    upright = turns[orientation](Image.from_bytes(usable_image(f"orientation_1.{kind}")).to_array())
    assert image.orientation == orientation
    assert image.size == (upright.shape[1], upright.shape[0])
    np.testing.assert_array_equal(image.to_array(), upright)


def test_equality_and_hash_are_those_of_the_bytes(path):
    image = Image.from_path(path)
    assert image == Image.from_bytes(PNG)
    assert image != Image.from_bytes(usable_image("plain.jpg"))
    assert image != str(path)
    assert len({image, Image.from_bytes(PNG), Image.from_path(path)}) == 1


def test_making_one_reads_nothing(tmp_path):
    image = Image.from_path(tmp_path / "later.png")
    assert repr(image) == f"Image({str(tmp_path / 'later.png')!r})"
    (tmp_path / "later.png").write_bytes(PNG)
    assert image.size == (61, 40)
    assert repr(image).endswith("image/png, 61x40)")


def test_facts_need_no_pixels(monkeypatch):
    from PIL import ImageFile

    def refuse(self):
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", refuse)
    for name in ("plain.jpg", "plain.png", "plain.webp", "animated.gif", "plain.bmp", "plain.tiff"):
        assert Image.from_bytes(usable_image(name)).facts.width == 61


def test_a_file_is_not_kept_in_memory(path):
    image = Image.from_path(path)
    assert image.read() == PNG
    assert image.read() is not image.read()


def test_bytes_in_memory_are_not_copied():
    assert Image.from_bytes(PNG).read() is PNG


def test_a_changed_file_is_an_error_and_a_touched_one_is_not(path):
    image = Image.from_path(path)
    assert image.size == (61, 40)
    os.utime(path, ns=(1, 1))
    assert image.read() == PNG
    path.write_bytes(usable_image("plain.jpg"))
    with pytest.raises(ImageError, match="read before"):
        image.read()


def test_a_file_overwritten_under_its_old_time_is_an_error(tmp_path):
    path = tmp_path / "a.bmp"
    PIL.Image.new("L", (4, 4), 10).save(path)
    image = Image.from_path(path)
    assert image.size == (4, 4)
    before = path.stat()
    PIL.Image.new("L", (4, 4), 200).save(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    with pytest.raises(ImageError, match="read before"):
        image.read()


def test_a_remote_picture_is_fetched_once_until_it_is_released():
    origin = Counting()
    image = Image.from_origin(origin)
    assert origin.reads == 0
    assert image.size == (61, 40)
    assert image.to_array().shape == (40, 61, 3)
    assert image.read() == PNG
    assert origin.reads == 1
    image.release()
    assert image.facts.width == 61
    assert origin.reads == 1
    assert image.read() == PNG
    assert origin.reads == 2


def test_remote_pictures_are_kept_within_a_budget():
    big = PNG + bytes(BUDGET // 4)
    origins = [Counting(big) for _ in range(6)]
    images = [Image.from_origin(origin) for origin in origins]
    for image in images:
        image.read()
    images[-1].read()
    images[0].read()
    assert [origin.reads for origin in origins] == [2, 1, 1, 1, 1, 1]
    for image in images:
        image.release()


def test_a_remote_picture_that_changed_is_an_error():
    origin = Counting()
    image = Image.from_origin(origin)
    assert image.sha256
    image.release()
    origin.data = usable_image("plain.jpg")
    with pytest.raises(ImageError, match="counted: is not the picture that was read before"):
        image.read()


def test_an_origin_that_fails_is_an_image_error():
    class Broken:
        description = "broken"

        def read(self):
            raise RuntimeError("no route")

    with pytest.raises(ImageError, match="broken: cannot be read: RuntimeError: no route"):
        Image.from_origin(Broken()).read()


def test_a_reference_is_believed_and_checked_when_read(path):
    reference = ImageReference(hashlib.sha256(PNG).hexdigest(), "image/png", 61, 40, len(PNG))
    origin = Counting()
    image = Image.from_reference(reference, origin)
    assert (image.sha256, image.size, image.media_type) == (reference.sha256, (61, 40), "image/png")
    assert image == Image.from_reference(reference, Counting())
    assert origin.reads == 0
    assert image.read() == PNG
    with pytest.raises(ImageError, match="its reference names"):
        Image.from_reference(reference, Counting(usable_image("plain.jpg"))).read()


def test_it_pickles_with_its_facts_and_without_the_bytes_of_a_file(path):
    image = Image.from_path(path)
    assert image.size == (61, 40)
    stored = pickle.dumps(image)
    assert PNG[40:80] not in stored
    copy = pickle.loads(stored)
    assert copy == image
    assert copy.read() == PNG
    assert pickle.loads(pickle.dumps(Image.from_bytes(PNG))).read() == PNG


def test_many_threads_read_it_once():
    origin = Counting()
    image = Image.from_origin(origin)
    barrier = threading.Barrier(8)

    def work(_):
        barrier.wait()
        return image.sha256, image.pixel_hash()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(work, range(8)))) == 1
    assert origin.reads == 1


def test_threads_leave_the_warning_filters_as_they_were():
    import warnings

    before = list(warnings.filters)
    data = usable_image("two_pictures.jpg")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: Image.from_bytes(data).to_array(), range(32)))
    assert warnings.filters == before


@pytest.mark.parametrize(
    "kind", ["str", "path", "uri", "bytes", "bytearray", "stream", "open", "origin", "image"]
)
def test_of_takes_whatever_may_be_a_picture(path, kind):
    made = {
        "str": str(path),
        "path": path,
        "uri": path.as_uri(),
        "bytes": PNG,
        "bytearray": bytearray(PNG),
        "stream": io.BytesIO(PNG),
        "origin": Counting(),
        "image": Image.from_bytes(PNG),
    }
    if kind == "open":
        with path.open("rb") as stream:
            image = Image.of(stream)
        assert image.source == str(path)
    else:
        image = Image.of(made[kind])
    assert image.read() == PNG


def test_of_takes_pixels_and_data_uris():
    array = np.asarray(photo())
    for given in (photo(), array, Image.from_array(array).data_uri()):
        np.testing.assert_array_equal(Image.of(given).to_array(), array)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (None, "<NoneType>: cannot be taken for a picture"),
        (12, "<int>: cannot be taken for a picture"),
        ({"$image": {}}, "<dict>: cannot be taken for a picture"),
        (io.StringIO("text"), "not bytes"),
    ],
)
def test_of_refuses_the_rest(given, problem):
    with pytest.raises(ImageError, match=problem):
        Image.of(given)


def test_base64_without_its_uri_is_recognised_as_a_path_too_long():
    with pytest.raises(ImageError, match="data URI") as caught:
        Image.of("iVBORw0KGgo" + "A" * 100_000).read()
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I;16"])
def test_from_pil_keeps_what_is_seen(mode):
    im = PIL.Image.new("I;16", (3, 2), 512) if mode == "I;16" else photo().convert(mode)
    image = Image.from_pil(im)
    assert image.media_type == "image/png"
    assert image.size == im.size
    expected = np.full((2, 3, 3), 1) if mode == "I;16" else np.asarray(im.convert("RGB"))
    np.testing.assert_array_equal(image.to_array(), expected) if mode not in ("LA", "RGBA") else None


def test_from_pil_is_a_snapshot():
    im = photo()
    image = Image.from_pil(im)
    im.paste((0, 0, 0), (0, 0, 61, 40))
    assert image.to_array().max() == 255


def test_from_pil_applies_an_orientation_and_keeps_the_profile():
    data = encoded(photo(), "JPEG", exif=exif(6), icc_profile=icc_profile())
    image = Image.from_pil(PIL.Image.open(io.BytesIO(data)))
    assert image.size == (40, 61)
    assert not image.facts.has_exif
    assert image.to_pil().info["icc_profile"] == icc_profile()
    np.testing.assert_array_equal(image.to_array(), Image.from_bytes(data).to_array())


def test_from_pil_refuses_what_it_would_have_to_guess():
    with pytest.raises(ImageError, match="no fixed black and white"):
        Image.from_pil(PIL.Image.new("F", (2, 2)))
    with pytest.raises(ImageError, match="no pixels"):
        Image.from_pil(PIL.Image.new("RGB", (0, 5)))


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 1), (2, 3, 3), (2, 3, 4)])
def test_from_array_takes_the_usual_shapes(shape):
    array = np.full(shape, 255, np.uint8)
    assert Image.from_array(array).to_array().shape == (2, 3, 3)
    assert Image.from_array(array.astype(bool)).to_array().max() == 255


def test_from_array_takes_views():
    array = np.asarray(photo())[::-1, ::2]
    np.testing.assert_array_equal(Image.from_array(array).to_array(), array)


@pytest.mark.parametrize(
    ("array", "problem"),
    [
        (np.zeros((2, 3, 3)), "float64.*scale to 0..255"),
        (np.zeros((2, 3, 3), np.int64), "int64"),
        (np.zeros((3, 20, 30), np.uint8), "channels-first"),
        (np.zeros((2, 3, 2), np.uint8), "shape"),
        (np.zeros(9, np.uint8), "shape"),
        (np.zeros((0, 3, 3), np.uint8), "no pixels"),
    ],
)
def test_from_array_refuses_what_it_would_have_to_guess(array, problem):
    with pytest.raises(ImageError, match=problem):
        Image.from_array(array)


def test_transparency_is_laid_on_white():
    clear = PIL.Image.new("RGBA", (2, 2), (0, 0, 0, 0))
    assert Image.from_pil(clear).to_array().min() == 255
    assert Image.from_pil(clear).to_pil().mode == "RGBA"
    palette = Image.from_bytes(usable_image("palette_alpha.png"))
    assert palette.to_pil("RGBA").getextrema()[3] != (255, 255)
    assert palette.to_pil("RGB").mode == "RGB"


def test_sixteen_bits_are_scaled_and_not_clipped():
    image = Image.from_bytes(usable_image("grey16.png"))
    row = image.to_array()[:, 0, 0]
    assert row[0] == 0
    assert 120 < row[20] < 135
    assert image.to_array().max() == 255
    assert image.to_pil().mode == "I;16"
    assert image.to_pil("I").getextrema() == (0, 65535)


def test_an_unknown_mode_is_an_image_error():
    with pytest.raises(ImageError, match="cannot be converted"):
        Image.from_bytes(PNG).to_pil("NOPE")


def test_pixel_hash_sees_through_the_container():
    hashes = {
        Image.from_bytes(encoded(photo(), "PNG")).pixel_hash(),
        Image.from_bytes(encoded(photo(), "BMP")).pixel_hash(),
        Image.from_bytes(encoded(photo(), "WEBP", lossless=True)).pixel_hash(),
        Image.from_bytes(encoded(photo().convert("RGBA"), "PNG")).pixel_hash(),
        Image.from_bytes(usable_image("orientation_1.png")).pixel_hash(),
    }
    assert len(hashes) == 1
    grey = photo().convert("L")
    assert Image.from_pil(grey).pixel_hash() == Image.from_pil(grey.convert("RGB")).pixel_hash()
    others = ["plain.jpg", "orientation_6.png", "rgba.png", "grey16.png"]
    assert not hashes & {Image.from_bytes(usable_image(name)).pixel_hash() for name in others}


def test_a_larger_limit_on_pixels_is_possible_and_a_smaller_one_holds():
    data = encoded(PIL.Image.new("1", (14_000, 14_000)), "PNG")
    with pytest.raises(ImageError, match=r"196 megapixels.*VLMOPS_IMAGE_MAX_PIXELS"):
        Image.from_bytes(data).read()
    generous = ImageLimits(max_pixels=200_000_000)
    assert Image.from_bytes(data, limits=generous).to_pil().size == (14_000, 14_000)
    with pytest.raises(ImageError, match="megapixels"):
        Image.from_bytes(PNG, limits=ImageLimits(max_pixels=1000)).read()


def test_bytes_beyond_the_limit_are_refused(path):
    limits = ImageLimits(max_bytes=100)
    for image in (Image.from_path(path, limits=limits), Image.from_bytes(PNG, limits=limits)):
        with pytest.raises(ImageError, match="more than the limit of 100"):
            image.read()


def test_the_repr_of_a_secret_place_is_safe():
    image = Image.from_url(
        "https://user:pass@host/a.png?X-Amz-Signature=0f3a", headers={"Authorization": "t0k"}
    )
    shown = f"{image!r} {image.origin!r} {image.source}"
    assert not {"pass", "0f3a", "t0k"} & {word for word in ("pass", "0f3a", "t0k") if word in shown}


def test_a_path_given_to_the_class_itself_is_explained():
    with pytest.raises(UsageError, match="takes an origin, not str"):
        Image("photo.png")


def test_a_frame_larger_than_declared_is_refused():
    data = usable_image("animated.gif")
    small = data[:6] + bytes((10, 0, 10, 0)) + data[10:]
    with pytest.raises(ImageError, match="declares 10 x 10 pixels and has 61 x 40"):
        Image.from_bytes(small).to_pil()


def test_bytes_at_hand_spare_the_first_read():
    origin = Counting()
    image = Image.from_origin(origin, data=PNG)
    assert image.size == (61, 40)
    assert image.read() == PNG
    assert origin.reads == 0
    image.release()
    assert image.read() == PNG
    assert origin.reads == 1
    with pytest.raises(ImageError, match="plain text"):
        Image.from_origin(origin, data=b"text")


def test_heic_without_its_decoder_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    data = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100)
    with pytest.raises(ImageError, match="pip install pillow-heif"):
        Image.from_bytes(data, "IMG_1.HEIC").read()
