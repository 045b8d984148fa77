"""Reference values were made with scikit-image 0.26 and ImageHash 4.3.2 (Pillow 13)."""

import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage

from vlmops.errors import EvaluatorError, UsageError
from vlmops.evaluators import Score, create, entries
from vlmops.evaluators.failure import FailureKind
from vlmops.evaluators.pictures import (
    HASHES,
    hash_distance,
    heat_map,
    mean_squared_error,
    peak_signal_to_noise_ratio,
    phash,
    phash_simple,
    pixel_difference,
    structural_similarity,
    whash,
)
from vlmops.images import Image

REFERENCE = json.loads((Path(__file__).parent / "reference.json").read_text())
NAMES = ["mse", "phash_distance", "pixel_difference", "psnr", "ssim"]


def pattern(kind, height, width):
    y, x = np.indices((height, width)).astype(np.int64)
    value = {
        "noise": lambda: (x * 37 + y * 91 + (x * y) % 83 * 29) % 256,
        "ramp": lambda: x * 255 // max(width - 1, 1),
        "rings": lambda: ((x - width // 3) ** 2 + (y - height // 2) ** 2) // 40 % 256,
        "checks": lambda: ((x // 8 + y // 8) % 2) * 255,
        "flat": lambda: x * 0 + 120,
        "page": lambda: np.where(
            (y % 24 < 14) & ((x * 7 + y // 24 * 13) % 11 < 6) & (x > 20) & (x < width - 20), 20, 245
        ),
    }[kind]()
    return np.stack([value, (value * 3) % 256, 255 - value], axis=-1).astype(np.uint8)


@pytest.mark.parametrize(("kind", "height", "width", "expected"), REFERENCE["hashes"])
def test_hashes_equal_those_of_imagehash(kind, height, width, expected):
    picture = pattern(kind, height, width)
    made = {name: make(picture) for name, make in HASHES.items()}
    assert {**made, "phash_simple": phash_simple(picture)} == expected


@pytest.mark.parametrize(("first", "second", "height", "width", "expected"), REFERENCE["pairs"])
def test_measures_equal_those_of_scikit_image(first, second, height, width, expected):
    left = pattern(first, height, width)
    right = ((pattern(second, height, width).astype(int) + 3 * left) // 4).astype(np.uint8)
    assert mean_squared_error(left, right) == pytest.approx(expected["mse"], rel=1e-12)
    assert peak_signal_to_noise_ratio(left, right) == pytest.approx(expected["psnr"], rel=1e-12)
    for data in ((left, right), (left.astype(float), right.astype(float))):
        assert structural_similarity(*data) == pytest.approx(expected["gaussian"], rel=1e-10)
        assert structural_similarity(*data, window="uniform") == pytest.approx(expected["uniform"], rel=1e-10)
    gray = left[..., 0], right[..., 0]
    nine = structural_similarity(*gray, window="uniform", side=9)
    assert nine == pytest.approx(expected["gray_uniform_9"], rel=1e-10)


def test_reference_vectors(failing_vectors):
    assert failing_vectors("image_similarity") == []


def test_scaling_and_compression_stay_near_and_another_picture_does_not():
    picture = PilImage.fromarray(pattern("rings", 300, 400))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=30)
    original = phash(picture)
    assert hash_distance(original, phash(picture.resize((200, 150)))) <= 8
    assert hash_distance(original, phash(PilImage.open(buffer))) <= 8
    assert hash_distance(original, phash(picture.transpose(PilImage.Transpose.FLIP_LEFT_RIGHT))) > 8
    assert hash_distance(original, phash(pattern("page", 300, 400))) > 16


def test_hashes_refuse_what_they_cannot_do():
    with pytest.raises(UsageError, match="2 and 16 digits"):
        hash_distance("00", "0" * 16)
    with pytest.raises(UsageError, match="hexadecimal"):
        hash_distance("zz", "00")
    with pytest.raises(UsageError, match="2 or more"):
        phash(pattern("rings", 20, 20), 1)
    with pytest.raises(UsageError, match="power of two"):
        whash(pattern("rings", 20, 20), 12)
    with pytest.raises(EvaluatorError, match="phash"):
        create("phash_distance", hash="md5")


@pytest.mark.parametrize(
    ("options", "shape", "message"),
    [
        ({"window": "uniform", "side": 4}, (20, 20), "odd"),
        ({"window": "uniform"}, (6, 20), "does not fit"),
        ({}, (10, 20), "does not fit"),
        ({"sigma": 0.1}, (20, 20), "too narrow"),
        ({}, (20,), "shape"),
    ],
)
def test_similarity_refuses_impossible_windows(options, shape, message):
    with pytest.raises(UsageError, match=message):
        structural_similarity(np.zeros(shape), np.zeros(shape), **options)


def test_pictures_of_different_shape_or_none_are_refused():
    for compare in (mean_squared_error, structural_similarity, pixel_difference):
        with pytest.raises(UsageError, match="one shape"):
            compare(np.zeros((20, 20)), np.zeros((20, 21)))
        with pytest.raises(UsageError, match="one shape"):
            compare(np.zeros((0, 20)), np.zeros((0, 20)))


def test_differences_are_taken_without_wrapping_around():
    left, right = np.array([[[0, 255, 7]]], np.uint8), np.array([[[255, 0, 7]]], np.uint8)
    assert pixel_difference(left, right).tolist() == [[255]]
    assert mean_squared_error(left, right) == 2 * 255**2 / 3


def test_the_heat_map_glows_where_pictures_differ_and_only_there():
    left = pattern("flat", 40, 40)
    right = left.copy()
    right[10:20, 10:20] = 255
    glow = heat_map(right, left).max(axis=2)
    assert glow[15, 15] > 200
    assert glow[30, 30] < 100


def image(kind="rings", height=120, width=160):
    return Image.from_array(pattern(kind, height, width))


@pytest.mark.parametrize(
    ("name", "best"),
    [("mse", 0), ("phash_distance", 0), ("pixel_difference", 0), ("psnr", math.inf), ("ssim", 1)],
)
def test_equal_pictures_are_best(name, best):
    score = create(name).compare(image(), image())
    assert score.value == pytest.approx(best)
    assert score.range[0] <= score.value <= score.range[1] + 1e-9


@pytest.mark.parametrize("name", NAMES)
def test_another_picture_is_worse_and_the_difference_is_shown(name):
    evaluator = create(name)
    same, other = evaluator.compare(image(), image()), evaluator.compare(image("page"), image())
    assert isinstance(other, Score)
    worse = other.value < same.value if other.direction == "maximize" else other.value > same.value
    assert worse
    assert other.explanation
    assert PilImage.open(io.BytesIO(other.evidence.read())).size == (160, 120)
    json.dumps(dict(other.metadata))


@pytest.mark.parametrize("name", NAMES)
def test_sizes_may_differ_and_that_is_said(name):
    small = image(height=60, width=80)
    assert "after resizing 80x60 to 160x120" in create(name).compare(small, image()).explanation
    assert create(name, sizes="fail").compare(small, image()).kind is FailureKind.BAD_IMAGE


@pytest.mark.parametrize("name", NAMES)
def test_only_pictures_are_taken_never_paths_or_urls(name):
    evaluator = create(name)
    assert evaluator.compare("/etc/hostname", image()).kind is FailureKind.UNPARSABLE
    assert evaluator.compare(image(), "gold.png").kind is FailureKind.MISSING_EXPECTED
    broken = Image.from_bytes(b"no picture", name="broken.png")
    found = evaluator.compare(broken, image())
    assert found.kind is FailureKind.BAD_IMAGE
    assert "broken.png" in found.message


def test_a_picture_too_small_for_the_window_is_a_failure():
    tiny = Image.from_array(np.zeros((5, 5, 3), np.uint8))
    assert create("ssim").compare(tiny, tiny).kind is FailureKind.BAD_IMAGE


def test_a_ceiling_keeps_psnr_finite():
    assert create("psnr", ceiling=60.0).compare(image(), image()).value == 60.0


def test_all_are_registered():
    known = {entry.name: entry for entry in entries()}
    assert all(known[name].error == "" for name in NAMES)
