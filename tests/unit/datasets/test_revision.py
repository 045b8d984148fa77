"""The revision names content: equal content has equal revision, in any order and place."""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.datasets import ImageDataset, Sample, digest
from vlmops.errors import SampleError
from vlmops.images import Image
from vlmops.testing import picture

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1000, 1000)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def revision(*samples: Sample) -> str:
    return ImageDataset.from_samples("any", list(samples)).revision()


@given(st.lists(st.dictionaries(st.text(), json_values, max_size=3), min_size=1, max_size=5), st.randoms())
def test_order_does_not_matter(contents: list[dict[str, Any]], random: Any) -> None:
    samples = [Sample(f"s{i}", content) for i, content in enumerate(contents)]
    shuffled = random.sample(samples, len(samples))
    assert revision(*samples) == revision(*shuffled)


def test_name_and_place_do_not_matter_and_content_does() -> None:
    sample = Sample("a", {"image": picture(1)}, expected="x", source="here.csv:1")
    same = Sample("a", {"image": picture(1)}, expected="x", source="there.jsonl:9")
    assert (
        ImageDataset.from_samples("n", [sample]).revision()
        == ImageDataset.from_samples("m", [same]).revision()
    )
    for other in (
        replace(sample, inputs={"image": picture(2)}),
        replace(sample, expected="y"),
        replace(sample, split="test"),
        replace(sample, tags=("t",)),
        replace(sample, metadata={"k": 1}),
        replace(sample, id="b"),
    ):
        assert digest(other) != digest(sample)


def test_numbers_survive_systems_that_know_only_one_kind() -> None:
    assert digest(Sample("a", {"n": 1.0})) == digest(Sample("a", {"n": 1}))
    assert digest(Sample("a", {"n": True})) != digest(Sample("a", {"n": 1}))


def test_adding_a_sample_twice_is_not_removing_it() -> None:
    one, two = Sample("a", {}), Sample("b", {})
    assert len({revision(one), revision(two), revision(one, two)}) == 3


def nested(depth: int) -> list[Any]:
    return [] if depth == 0 else [nested(depth - 1)]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"id": " ", "inputs": {}}, "id"),
        ({"id": "x" * 256, "inputs": {}}, "id"),
        ({"id": "a", "inputs": ["not an object"]}, "inputs"),
        ({"id": "a", "inputs": {"x": float("nan")}}, "inputs.x"),
        ({"id": "a", "inputs": {}, "expected": {"deep": [1, {2: 3}]}}, "expected.deep.1"),
        ({"id": "a", "inputs": {}, "metadata": {"when": object()}}, "metadata.when"),
        ({"id": "a", "inputs": {"": [{"b": 1 << 63}]}}, "inputs..0.b"),
        ({"id": "a", "inputs": {}, "metadata": {"deep": nested(120)}}, "metadata"),
        ({"id": "a", "inputs": {}, "tags": ("fine", "cut \ud83d")}, "tags.1"),
    ],
)
def test_what_json_cannot_hold_is_named_by_its_path(arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(SampleError) as caught:
        Sample(**arguments, source="labels.jsonl:7")
    assert caught.value.field == field
    assert str(caught.value).startswith("labels.jsonl:7: ")


def test_texts_and_numbers_of_other_classes_count_as_what_they_are() -> None:
    class Colour(StrEnum):
        RED = "red"

    class Size(IntEnum):
        LARGE = 3

    told = Sample("a", {"colour": Colour.RED, "size": Size.LARGE})
    assert digest(told) == digest(Sample("a", {"colour": "red", "size": 3}))


def test_pictures_are_exchanged_wherever_they_stand_and_the_rest_stays() -> None:
    sample = Sample(
        "a",
        {"image": picture(1), "pair": [picture(2), "text"]},
        expected={"mask": picture(3)},
        metadata={"seen": (picture(4),)},
        split="test",
        tags=("one",),
        source="labels.jsonl:7",
    )
    before = digest(sample)
    changed = sample.with_images(lambda image: Image.from_array(255 - image.to_array()))
    assert [image.to_array().tolist() for image in changed.images] == [
        (255 - image.to_array()).tolist() for image in sample.images
    ]
    assert changed.inputs["pair"][1] == "text"
    assert (changed.id, changed.split, changed.tags, changed.source) == (
        "a",
        "test",
        ("one",),
        "labels.jsonl:7",
    )
    assert digest(sample) == before
    assert sample.with_images(lambda image: image) == sample
