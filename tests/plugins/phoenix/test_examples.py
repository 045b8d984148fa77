"""Samples as Phoenix examples, and back without loss."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.datasets import Sample
from vlmops.errors import SampleError
from vlmops.images import Image, ImageReference
from vlmops.testing import picture
from vlmops_phoenix.examples import from_example, message, to_example

PICTURES = {p.sha256: p for p in (picture(1), picture(2), picture(3, (1200, 800)))}
SMALL, OTHER, LARGE = PICTURES.values()

SAMPLES = [
    Sample("s", {"image": SMALL}),
    Sample("s", {"image": SMALL, "question": "How many?"}, expected="7", split="test", tags=("a", "b")),
    Sample("s", {"pages": [SMALL, {"page": OTHER}]}, expected={"boxes": [[0, 1, 2, 3]], "mask": OTHER}),
    Sample("s", {"image": SMALL}, expected=False, metadata={"vision": "20/20", "sheet": OTHER, "n": 1.5}),
    Sample("s", {"image": SMALL}, expected={"messages": "of their own", "expected": 1}),
    Sample("s", {"text": '<script>alert("x")</script> & **bold**'}, expected="<b>"),
    Sample("s", {}, expected=[]),
]


def url_of(image: Image, width: int | None = None) -> str:
    return f"/vlmops/media/{image.sha256[:8]}.png" + (f"?w={width}" if width else "")


def restore(reference: ImageReference) -> Image:
    return PICTURES[reference.sha256]


def through_phoenix(example: Mapping[str, Any]) -> dict[str, Any]:
    """As Phoenix gives it back: JSON, with an id of its own beside ours."""
    kept: dict[str, Any] = json.loads(json.dumps(example))
    return {"node_id": "RXhhbXBsZTox", **{k: kept[k] for k in ("id", "input", "output", "metadata")}}


@pytest.mark.parametrize("sample", SAMPLES, ids=range(len(SAMPLES)))
def test_a_sample_comes_back_as_it_was(sample: Sample) -> None:
    assert from_example(through_phoenix(to_example(sample, url_of)), restore) == sample


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(inputs=st.dictionaries(st.text(max_size=8), JSON, max_size=3), expected=JSON)
def test_any_json_comes_back_as_it_was(inputs: dict[str, Any], expected: Any) -> None:
    sample = Sample("s", inputs, expected=expected)
    assert from_example(through_phoenix(to_example(sample, url_of)), restore) == sample


def test_the_input_is_one_text_so_that_phoenix_draws_it() -> None:
    example = to_example(Sample("s", {"image": SMALL, "question": "How many?"}), url_of)
    assert list(example["input"]) == ["input"]
    assert example["input"]["input"] == f'<img src="{url_of(SMALL)}" width="48">\n\nHow many?'


def test_several_fields_are_named_in_the_text() -> None:
    text = to_example(Sample("s", {"image": SMALL, "unit": "mm", "parts": [1, 2]}), url_of)["input"]["input"]
    assert text.endswith("**unit**: mm\n\n**parts**: `[1, 2]`")


def test_a_large_picture_is_shown_as_a_thumbnail_with_twice_the_pixels() -> None:
    text = to_example(Sample("s", {"image": LARGE}), url_of)["input"]["input"]
    assert text == f'<img src="{url_of(LARGE, 960)}" width="480">'


def test_text_of_users_is_never_markup() -> None:
    example = to_example(Sample("s", {"question": "<img src=x onerror=alert(1)>"}, expected="<b>"), url_of)
    assert "<img" not in example["input"]["input"]
    assert "<b>" not in example["output"]["messages"][0]["content"]


def test_no_bytes_of_a_picture_are_in_an_example() -> None:
    text = json.dumps(to_example(SAMPLES[2], url_of))
    assert "base64" not in text
    assert SMALL.data_uri().partition(",")[2][:40] not in text


def test_a_split_is_the_examples_split() -> None:
    assert to_example(SAMPLES[1], url_of)["splits"] == ["test"]
    assert to_example(SAMPLES[0], url_of)["splits"] == []


def test_an_unknown_expected_value_is_no_output() -> None:
    assert to_example(Sample("s", {}), url_of)["output"] == {}


def test_an_answer_is_drawn_below_the_pictures_it_is_about() -> None:
    [drawn] = message("seven", {"image": LARGE}, url_of)["messages"]
    assert drawn == {
        "role": "assistant",
        "content": f'<img src="{url_of(LARGE, 240)}" width="120">\n\nseven',
    }


def test_an_example_of_another_tool_is_taken_as_it_is() -> None:
    example = {"id": "e1", "input": {"q": "2+2"}, "output": {"a": "4"}, "metadata": {"vision": "kept"}}
    assert from_example(example, restore) == Sample("e1", {"q": "2+2"}, {"a": "4"}, {"vision": "kept"})


@pytest.mark.parametrize("empty", [None, {}])
def test_an_example_without_output_and_metadata_expects_nothing(empty: Any) -> None:
    sample = from_example({"id": 7, "input": None, "output": empty, "metadata": empty}, restore)
    assert sample == Sample("7", {})


def test_damaged_machine_data_names_the_example_and_the_fix() -> None:
    example = through_phoenix(to_example(SAMPLES[0], url_of))
    example["metadata"]["vision"]["inputs"]["image"] = {"$image": {"sha256": 5}}
    with pytest.raises(SampleError, match=r"example s.*push the dataset again"):
        from_example(example, restore)
