"""Samples become items and come back the same, whatever Langfuse does to JSON on the way."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlmops.datasets import Sample, digest
from vlmops.errors import SampleError
from vlmops.images import Image, ImageReference
from vlmops.testing import picture
from vlmops_langfuse.items import from_item, item_id, state_of, to_item
from vlmops_langfuse.media import resolved
from vlmops_langfuse.references import media_id, parse_reference, reference_to
from vlmops_langfuse.settings import LangfuseSettings

LANGFUSE = LangfuseSettings("http://localhost:3000", "pk", "sk")
PICTURES = {image.sha256: image for image in (picture(1), picture(2))}

texts = st.text(max_size=20)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63) + 1, max_value=2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | st.sampled_from(list(PICTURES.values())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
any_sample = st.builds(
    Sample,
    id=st.text(min_size=1, max_size=40).filter(lambda text: bool(text.strip())),
    inputs=st.dictionaries(texts, values, max_size=3),
    expected=values,
    metadata=st.dictionaries(texts, values, max_size=3),
    split=st.none() | texts.filter(lambda text: bool(text.strip())),
    tags=st.lists(texts, max_size=2).map(tuple),
)


def restored(reference: ImageReference) -> Image:
    return PICTURES[reference.sha256]


def resolve(value: Any) -> Any:
    return resolved(LANGFUSE, value)


def as_langfuse_gives_it(body: dict[str, Any]) -> dict[str, Any]:
    """JSON as Langfuse's database hands it back: keys sorted, numbers as doubles, control characters gone."""

    def stored(value: Any) -> Any:
        if isinstance(value, dict):
            return {clean(k): stored(value[k]) for k in sorted(value, key=lambda k: (len(k), k))}
        if isinstance(value, list | tuple):
            return [stored(inner) for inner in value]
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, int | float):
            number = float(value)
            return int(number) if number.is_integer() else number
        return clean(value)

    def clean(text: str) -> str:
        return "".join(c for c in text if c in "\t\n\r" or not (ord(c) < 32 or ord(c) == 127))

    item = {**body, **{key: stored(body[key]) for key in ("input", "metadata")}}
    item["expectedOutput"] = None if body["expectedOutput"] == "" else stored(body["expectedOutput"])
    return item


def test_the_trace_page_finds_a_chat_message_with_the_pictures_first() -> None:
    sample = Sample("a", {"question": "Same?", "first": picture(1), "second": picture(2)})
    message = to_item(sample, "d1")["input"][0]
    assert message["role"] == "user"
    assert [part["type"] for part in message["content"]] == ["image_url", "image_url", "text"]
    assert message["content"][0]["image_url"]["url"] == reference_to(picture(1))
    assert message["content"][2]["text"] == "Same?"


def test_under_a_schema_inputs_keep_their_keys() -> None:
    sample = Sample("a", {"question": "What?", "image": picture(1)})
    assert to_item(sample, "d1", as_chat=False)["input"] == {
        "question": "What?",
        "image": reference_to(picture(1)),
    }


def test_pictures_in_expected_values_and_metadata_are_whole_references() -> None:
    sample = Sample("a", {}, expected={"mask": picture(1)}, metadata={"thumbnail": picture(2)})
    item = to_item(sample, "d1")
    assert parse_reference(item["expectedOutput"]["mask"]) is not None
    assert parse_reference(item["metadata"]["thumbnail"]) is not None


@settings(max_examples=100, deadline=None)
@given(any_sample)
def test_samples_survive_what_langfuse_does_to_json(sample: Sample) -> None:
    item = as_langfuse_gives_it(json.loads(json.dumps(to_item(sample, "d1"))))
    back = from_item(item, restored, resolve)
    assert digest(back) == digest(sample)
    assert state_of(item).digest == digest(sample)


def test_an_edit_in_langfuse_wins_and_is_noticed() -> None:
    sample = Sample("a", {"image": picture(1), "question": "?"}, expected="12.50", metadata={"shop": "A"})
    item = {**to_item(sample, "d1"), "expectedOutput": "13.50"}
    back = from_item(item, restored, resolve)
    assert back.expected == "13.50"
    assert back.inputs == sample.inputs
    assert back.metadata == sample.metadata
    assert state_of(item).digest == ""


def test_an_item_of_others_is_taken_as_it_is_shown() -> None:
    item = {
        "id": "theirs",
        "input": {"image": reference_to(picture(1)), "question": "?"},
        "expectedOutput": "7",
        "metadata": None,
    }
    back = from_item(item, restored, resolve)
    assert (back.id, back.expected, back.inputs["question"]) == ("theirs", "7", "?")
    assert back.images[0].source == f"Langfuse media {media_id(picture(1).sha256)}"


def test_damaged_machine_data_is_named() -> None:
    item = to_item(Sample("a", {"image": picture(1)}), "d1")
    item["metadata"]["vision"]["sample"] = item["metadata"]["vision"]["sample"][:-10]
    with pytest.raises(SampleError, match="push the dataset again"):
        from_item(item, restored, resolve)


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=1, max_size=255), st.text(min_size=1, max_size=255))
def test_item_ids_are_short_and_tell_samples_and_datasets_apart(first: str, second: str) -> None:
    ids = {item_id(text, dataset) for text in {first, second} for dataset in ("d1", "d2")}
    assert len(ids) == 2 * len({first, second})
    assert all(len(each) <= 255 and "/" not in each for each in ids)


def test_changing_only_a_tag_changes_the_digest() -> None:
    sample = Sample("a", {"n": 1})
    tagged = to_item(replace(sample, tags=("new",)), "d1")
    assert state_of(tagged).digest != state_of(to_item(sample, "d1")).digest


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": reference_to(picture(1))}},
        {"type": "input_image", "image_url": reference_to(picture(1))},
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": reference_to(picture(1))},
        },
        {"inline_data": {"mime_type": "image/png", "data": reference_to(picture(1))}},
        {"type": "image_url", "image_url": {"url": picture(1).data_uri()}},
        {
            "type": "image",
            "source": {
                "type": "base64",
                "media_type": "image/png",
                "data": picture(1).data_uri().partition(",")[2],
            },
        },
        "https://bucket.example/media/p1/" + media_id(picture(1).sha256) + ".png?X-Amz-Expires=1",
        {"type": "image_url", "image_url": {"url": "https://example.com/cat.jpg"}},
    ],
)
def test_whatever_stands_for_a_picture_becomes_one(part: Any) -> None:
    assert isinstance(resolve([part])[0], Image)


@pytest.mark.parametrize(
    "text", ["https://example.com/cat.jpg", "see @@@langfuseMedia:x@@@", "data:image/png;oops"]
)
def test_other_text_stays_text(text: str) -> None:
    assert resolve({"said": text}) == {"said": text}
