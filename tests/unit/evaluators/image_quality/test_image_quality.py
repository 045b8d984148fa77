import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PilImage
from PIL import ImageFilter

from vlmops.errors import UsageError
from vlmops.evaluators import Case, applies, create
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.image_quality import (
    QualityLimits,
    laplacian_variance,
    luminance,
    measure_quality,
    near_duplicate_groups,
    quality_issues,
)
from vlmops.evaluators.pictures import hash_distance
from vlmops.images import Image


def scene(height=400, width=500):
    """A detailed, well exposed picture."""
    y, x = np.indices((height, width))
    value = (60 + 120 * ((x // 25 + y // 25) % 2) + (x * 37 + y * 91) % 40).astype(np.uint8)
    return PilImage.fromarray(np.stack([value, value, 255 - value // 2], axis=-1))


def issues(picture):
    return quality_issues(measure_quality(np.asarray(picture)))


def test_a_good_picture_has_no_issue():
    assert issues(scene()) == ()


@pytest.mark.parametrize(
    ("spoil", "issue"),
    [
        (lambda picture: picture.filter(ImageFilter.GaussianBlur(12)), "blurred"),
        (lambda picture: picture.point(lambda value: value // 5), "dark"),
        (lambda picture: picture.point(lambda value: 215 + value // 6), "overexposed"),
        (lambda picture: picture.point(lambda value: 110 + value // 6), "low_contrast"),
        (lambda picture: picture.resize((120, 96)), "small"),
        (lambda picture: PilImage.new("RGB", picture.size, (250, 250, 250)), "blank"),
        (lambda picture: PilImage.new("RGB", picture.size), "blank"),
    ],
)
def test_each_flaw_is_named(spoil, issue):
    assert issue in issues(spoil(scene()))


def test_a_written_page_is_bright_but_not_flawed():
    page = np.full((800, 600), 250, np.uint8)
    page[100:700:20, 60:540] = 20
    page[101:701:20, 60:540:3] = 20
    assert issues(page) == ()


def test_measures_are_what_they_say():
    half = np.zeros((300, 300, 3), np.uint8)
    half[:, 150:] = 255
    measures = measure_quality(half)
    assert (measures.width, measures.height) == (300, 300)
    assert measures.brightness == pytest.approx(0.5)
    assert measures.contrast == pytest.approx(0.5)
    assert measures.shadows == measures.highlights == pytest.approx(0.5)
    assert measures.dominant == pytest.approx(0.5)


def test_sharpness_of_one_bright_pixel():
    gray = np.zeros((3, 3))
    gray[1, 1] = 10
    # mirrored borders: the centre gives -40, its neighbours 10 or, seen from both sides, 20
    assert laplacian_variance(gray) == pytest.approx(np.var([-40, 20, 20, 20, 20, 0, 0, 0, 0]))


def test_sharpness_hardly_depends_on_resolution():
    small, large = scene(), scene().resize((2000, 1600), PilImage.Resampling.BOX)
    ratio = measure_quality(np.asarray(large)).sharpness / measure_quality(np.asarray(small)).sharpness
    assert 0.05 < ratio < 2


@pytest.mark.parametrize("shape", [(0, 5), (5,), (1, 300, 3)])
def test_what_is_no_picture_is_refused(shape):
    with pytest.raises(UsageError):
        measure_quality(np.zeros(shape, np.uint8))
    if shape != (1, 300, 3):
        with pytest.raises(UsageError, match="shape"):
            luminance(np.zeros(shape, np.uint8))


def test_the_evaluator_names_the_picture_at_fault():
    blank = Image.from_pil(PilImage.new("RGB", (300, 300)))
    good = Image.from_pil(scene())
    score = create("image_quality").evaluate(Case(output="x", inputs=[good, blank]))
    assert score.value is False
    assert score.explanation == "picture 2: blank"
    assert score.metadata["issues"] == [[], ["blank"]]
    assert create("image_quality").evaluate(Case(output="x", inputs=good)).value is True
    strict = create("image_quality", limits=QualityLimits(shortest_side=5000))
    assert strict.evaluate(Case(output="x", inputs=good)).value is False


def test_without_a_readable_picture_there_is_no_score():
    evaluator = create("image_quality")
    assert not applies(evaluator, Case(output="x"))
    assert evaluator.evaluate(Case(output="x")).kind is FailureKind.BAD_IMAGE
    broken = Image.from_bytes(b"no picture", name="broken.png")
    found = evaluator.evaluate(Case(output="x", inputs=broken))
    assert found.kind is FailureKind.BAD_IMAGE
    assert "broken.png" in found.message


def brute_force(hashes, distance):
    groups = [{index} for index in range(len(hashes))]
    for first in range(len(hashes)):
        for second in range(first):
            if hash_distance(hashes[first], hashes[second]) <= distance:
                one, two = (next(g for g in groups if index in g) for index in (first, second))
                if one is not two:
                    groups.remove(two)
                    one |= two
    found = [sorted(group) for group in groups if len(group) > 1]
    return sorted(found, key=lambda group: (-len(group), group[0]))


FLIPS = st.lists(st.integers(0, 63), max_size=10, unique=True)


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), FLIPS), max_size=12),
    st.integers(0, 16),
)
def test_exactly_the_near_pairs_are_found(seeds, changes, distance):
    values = list(seeds)
    for seed, flips in changes:
        value = seeds[seed % len(seeds)]
        for bit in flips:
            value ^= 1 << bit
        values.append(value)
    hashes = [f"{value:016x}" for value in values]
    assert near_duplicate_groups(hashes, distance) == brute_force(hashes, distance)


def test_many_equal_and_many_like_hashes_form_one_group():
    hashes = ["0" * 16] * 3000 + [f"{value:016x}" for value in range(256)]
    groups = near_duplicate_groups(hashes, 1)
    assert [len(group) for group in groups] == [3256]
    assert near_duplicate_groups([]) == []


def test_hashes_to_compare_are_checked():
    with pytest.raises(UsageError, match="64 bits"):
        near_duplicate_groups(["ff"])
    with pytest.raises(UsageError, match="hexadecimal"):
        near_duplicate_groups(["z" * 16])
    with pytest.raises(UsageError, match=r"0\.\.16"):
        near_duplicate_groups([], 20)


def test_near_duplicates_of_a_set():
    y, x = np.indices((400, 500))
    waves = 128 + 60 * np.sin(x / 60) + 50 * np.cos(y / 45 + x / 200)
    picture = PilImage.fromarray(waves.astype(np.uint8))
    other = PilImage.fromarray(waves[::-1, ::-1].astype(np.uint8))
    images = [Image.from_pil(each) for each in (picture, picture.resize((250, 200)), other)]
    broken = Image.from_bytes(b"no picture", name="broken.png")
    cases = [
        Case(output="", inputs=each, id=str(place)) for place, each in enumerate([*images, images[0], broken])
    ]
    score = create("near_duplicates").evaluate_set(cases)
    assert score.value == pytest.approx(2 / 3)
    assert (score.n, score.failures) == (3, 1)
    assert score.metadata["groups"] == [["0", "1"]]
    assert isinstance(create("near_duplicates").evaluate_set([Case(output="")]), Failure)
