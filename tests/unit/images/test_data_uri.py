from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from bad_images import usable_image
from hypothesis import given
from hypothesis import strategies as st

from vlmops.errors import ImageError
from vlmops.images import Image, ImageLimits
from vlmops.images.data_uri import format_data_uri, parse_data_uri

PNG = usable_image("plain.png")
TEXT = base64.b64encode(PNG).decode()


@pytest.mark.parametrize(
    "uri",
    [
        f"data:image/png;base64,{TEXT}",
        f"DATA:image/png;BASE64,{TEXT}",
        f"  data:image/png;charset=utf-8;base64,{TEXT}",
        f"data:;base64,{TEXT}",
        f"data:image/png;base64,{quote(TEXT, safe='')}",
        f"data:image/png;base64,{base64.urlsafe_b64encode(PNG).decode()}",
        f"data:image/png;base64,{TEXT.rstrip('=')}",
        "data:image/png;base64,\n" + "\r\n".join(TEXT[at : at + 76] for at in range(0, len(TEXT), 76)),
        "data:image/png," + quote(PNG, safe=""),
    ],
    ids=[
        "plain",
        "capitals",
        "parameters",
        "no type",
        "percent",
        "url-safe",
        "no padding",
        "lines",
        "no base64",
    ],
)
def test_each_way_to_write_it_is_read(uri):
    image = Image.from_data_uri(uri)
    assert image.read() == PNG
    assert image.source == "<data URI>"


def test_the_bytes_and_not_the_declared_type_say_what_it_is():
    assert Image.from_data_uri(f"data:image/jpeg;base64,{TEXT}").media_type == "image/png"


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("image/png;base64,AAAA", "does not start"),
        ("data:image/png;base64", "no comma"),
        ("data:image/png;base64,AA*A", "character 2 is '*'"),
        ("data:image/png;base64,AAéA", "character 2"),
        ("data:image/png;base64,AAAAA", "length is impossible"),
        ("data:image/png;base64,AA=A", "not valid base64"),
    ],
)
def test_what_is_wrong_is_said(uri, problem):
    with pytest.raises(ImageError, match="<data URI>") as caught:
        Image.from_data_uri(uri)
    assert problem in caught.value.problem


def test_the_size_is_limited_before_decoding():
    with pytest.raises(ImageError, match="more than 100 bytes"):
        Image.from_data_uri("data:;base64," + "A" * 1000, limits=ImageLimits(max_bytes=100))
    with pytest.raises(ImageError, match="more than 100 bytes"):
        Image.from_data_uri("data:," + "a" * 1000, limits=ImageLimits(max_bytes=100))


@given(st.binary(max_size=300))
def test_what_is_written_is_read_again(data):
    assert parse_data_uri(format_data_uri(data, "image/png"), max_bytes=300) == data


@given(st.text(max_size=200))
def test_any_text_gives_bytes_or_a_clear_error(text):
    try:
        parse_data_uri("data:" + text, max_bytes=1000)
    except ImageError as error:
        assert error.problem  # noqa: PT017 - either outcome is right
