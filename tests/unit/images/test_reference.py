from __future__ import annotations

import json

import pytest
from bad_images import usable_image
from hypothesis import given
from hypothesis import strategies as st

from vlmops.errors import UsageError
from vlmops.images import Image, ImageReference, from_json, is_reference, to_json

RIGHT = {"sha256": "ab" * 32, "media_type": "image/png", "width": 3, "height": 2, "bytes": 70}


def test_a_picture_goes_to_json_and_back():
    image = Image.from_bytes(usable_image("orientation_6.jpg"))
    value = json.loads(json.dumps(to_json(image, uri="images/a.jpg")))
    reference = from_json(value)
    assert reference == ImageReference(image.sha256, "image/jpeg", 40, 61, image.byte_length, "images/a.jpg")
    assert "uri" not in to_json(image)["$image"]


@given(
    st.integers(1, 10**6),
    st.integers(1, 10**6),
    st.integers(1, 10**10),
    st.text(max_size=30),
    st.binary(min_size=32, max_size=32),
)
def test_every_reference_round_trips(width, height, length, uri, digest):
    reference = ImageReference(digest.hex(), "image/webp", width, height, length, uri)
    stand_in = Image.from_reference(reference, Image.from_bytes(b"").origin)
    assert from_json(json.loads(json.dumps(to_json(stand_in, uri=uri)))) == reference


def test_unknown_keys_are_left_to_later_versions():
    assert from_json({"$image": RIGHT | {"blurhash": "x"}}).width == 3


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"sha256": "AB" * 32}, "sha256"),
        ({"sha256": None}, "sha256"),
        ({"media_type": "text/html"}, "media_type"),
        ({"width": 0}, "width"),
        ({"width": "3"}, "width"),
        ({"height": True}, "height"),
        ({"bytes": 1.5}, "bytes"),
        ({"uri": None}, "uri"),
    ],
)
def test_wrong_values_are_named(change, problem):
    with pytest.raises(UsageError, match=rf"\$image\.{problem}"):
        from_json({"$image": RIGHT | change})


@pytest.mark.parametrize("value", [None, "x", {}, {"$image": "x"}, {"$image": RIGHT, "other": 1}, [RIGHT]])
def test_what_is_no_reference(value):
    with pytest.raises(UsageError, match="not a picture reference"):
        from_json(value)


def test_missing_keys_are_listed():
    with pytest.raises(UsageError, match="has no width, height"):
        from_json({"$image": {key: RIGHT[key] for key in ("sha256", "media_type", "bytes")}})


def test_only_the_single_key_marks_a_reference():
    assert is_reference({"$image": RIGHT})
    assert not is_reference({"$image": RIGHT, "caption": "x"})
    assert not is_reference([{"$image": RIGHT}])
