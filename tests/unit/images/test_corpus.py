"""Every difficult picture is refused with a clear message, or goes all the way through."""

from __future__ import annotations

import pytest
from bad_images import ERRORS, SECRET, SPECIAL, USABLE

from vlmops.errors import ImageError
from vlmops.images import Image, Preparation


@pytest.mark.parametrize("name", sorted(ERRORS | SPECIAL.keys()))
def test_an_unusable_picture_is_refused_with_source_problem_and_fix(corpus, name):
    with pytest.raises(ImageError) as caught:
        Preparation().prepare(Image.from_path(corpus[name]))
    assert caught.value.source == str(corpus[name])
    assert caught.value.problem
    assert caught.value.fix


@pytest.mark.parametrize("name", sorted(USABLE))
def test_a_usable_picture_has_facts_that_its_pixels_confirm(corpus, name):
    image = Image.from_path(corpus[name])
    pixels = image.to_array()
    assert (pixels.shape[1], pixels.shape[0]) == image.size
    assert image.to_pil().size == image.size
    assert image.byte_length == corpus[name].stat().st_size


@pytest.mark.parametrize("name", sorted(USABLE))
def test_preparation_gives_an_accepted_type_without_anything_private(corpus, name):
    image = Image.from_path(corpus[name])
    prepared = Preparation().prepare(image)
    assert prepared.media_type in ("image/jpeg", "image/png", "image/webp")
    assert prepared.size == image.size
    assert not prepared.facts.has_gps
    assert SECRET not in prepared.read()
    assert Preparation().prepare(prepared) is prepared


@pytest.mark.parametrize("name", sorted(USABLE))
def test_a_usable_picture_shows_a_thumbnail(corpus, name):
    thumbnail = Image.from_path(corpus[name])._repr_png_()
    assert thumbnail is not None
    assert thumbnail.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("empty.png", "empty (0 bytes)"),
        ("sign_in.jpg", "an HTML page"),
        ("lfs_pointer.png", "a Git LFS pointer"),
        ("bomb.png", "50000 x 50000"),
        ("cut_in_pixels.jpg", "truncated"),
        ("cut_progressive.jpg", "truncated"),
        ("cut_in_pixels.png", "128 bytes of it are missing"),
        ("cut_in_pixels.webp", "116 are missing"),
        ("cut_before_end.gif", "without its trailer"),
        ("bad_checksum.png", "checksum of its IDAT chunk"),
        ("cut.bmp", "truncated"),
        ("float.tiff", "no fixed black and white"),
        ("folder.png", "is a folder"),
        ("pipe.png", "named pipe"),
        ("loop.png", "leads back to itself"),
        ("dangling.png", "does not exist"),
    ],
)
def test_the_problem_is_named(corpus, name, problem):
    with pytest.raises(ImageError) as caught:
        Preparation().prepare(Image.from_path(corpus[name]))
    assert problem in caught.value.problem


@pytest.mark.parametrize(
    "name",
    ["cut_in_pixels.jpg", "cut_progressive.jpg", "cut_in_pixels.png", "cut_in_pixels.webp", "cut.tiff"],
)
def test_decoding_a_truncated_picture_is_an_error_without_preparation_too(corpus, name):
    with pytest.raises(ImageError, match="truncated"):
        Image.from_path(corpus[name]).to_pil()


def test_a_picture_that_cannot_be_shown_has_no_thumbnail(corpus):
    assert Image.from_path(corpus["cut_in_pixels.png"])._repr_png_() is None
    assert Image.from_path(corpus["empty.png"])._repr_png_() is None
