"""Pictures given as Python objects."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow
from tracing_doubles import png, uri

from vlmops import Image
from vlmops.tracing import hold_picture
from vlmops.tracing.held import HeldPayloads
from vlmops.tracing.values import held_in_values

PILLOW = Pillow.open(io.BytesIO(png()))
ARRAY = np.zeros((32, 32, 3), np.uint8)


@pytest.mark.parametrize(
    "picture",
    [
        PILLOW,
        ARRAY,
        np.zeros((32, 32), np.uint8),
        png(),
        bytearray(png()),
        uri(png()),
        Image.from_bytes(png()),
    ],
    ids=["pillow", "rgb array", "grey array", "bytes", "bytearray", "data URI", "Image"],
)
def test_a_picture_of_any_kind_becomes_a_placeholder(picture: object) -> None:
    held = HeldPayloads()
    tree, placeholders = held_in_values({"a": [1, {"b": picture}], "c": (picture,)}, held)
    assert tree["a"][1]["b"].startswith("vlmops-held:")
    assert isinstance(tree["c"], tuple)
    assert len(placeholders) == 2
    assert Image.of(held.get(tree["a"][1]["b"])).width in (32, 64)


@pytest.mark.parametrize(
    "value",
    [
        np.zeros((32, 32, 3), np.float32),
        np.zeros(1536, np.uint8),
        np.zeros((2, 3), np.uint8),
        np.zeros((32, 32, 7), np.uint8),
        b"\x00\x01 no picture",
        b"",
        "data:image/png;base64,short",
        "data:application/pdf;base64," + "A" * 2000,
        "see data:image/png;base64," + "A" * 2000,
        3.5,
        None,
        object(),
    ],
)
def test_what_is_no_picture_beyond_doubt_stays_the_same_object(value: object) -> None:
    tree = {"a": [value], "b": {"c": (value,)}}
    made, placeholders = held_in_values(tree, HeldPayloads())
    assert made is tree
    assert placeholders == []


def test_a_picture_is_held_as_it_was_when_it_was_given() -> None:
    held = HeldPayloads()
    array, pillow = ARRAY.copy(), PILLOW.copy()
    array_held, pillow_held = hold_picture(array, held), hold_picture(pillow, held)
    array[:] = 255
    pillow.paste((255, 255, 255), (0, 0, 64, 64))
    assert held.get(array_held).max() == 0
    assert held.get(pillow_held).tobytes() == PILLOW.tobytes()


def test_trees_that_contain_themselves_end() -> None:
    tree: dict[str, object] = {}
    tree["self"] = tree
    held_in_values(tree, HeldPayloads())
