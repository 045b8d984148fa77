"""Pictures in text: all of each is found, and nothing else is touched."""

from __future__ import annotations

import base64
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_spans import jpeg, png

from vlmops.tracing.scanning import MAX_CANDIDATES, decoded, replace_runs

HEADS = {
    "image/png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "image/jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "image/gif": b"GIF89a\x01\x00\x01\x00",
    "image/webp": b"RIFF\x24\x00\x00\x00WEBPVP8 ",
    "image/avif": b"\x00\x00\x00\x20ftypavif\x00\x00\x00\x00avifmif1",
    "image/tiff": b"II*\x00\x08\x00\x00\x00",
}


def replaced(text: str) -> tuple[str, list[str]]:
    found: list[str] = []

    def put(run):
        found.append(run.payload)
        return f"<{len(found)}>"

    return replace_runs(text, put), found


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@st.composite
def pictures(draw):
    media_type = draw(st.sampled_from(sorted(HEADS)))
    return media_type, HEADS[media_type] + draw(st.binary(min_size=30, max_size=400))


# Text of people and programs: it may hold short words, numbers and punctuation of all kinds.
plain = st.text(max_size=60).filter(lambda text: "base64" not in text and "vlmops-held" not in text)


@given(plain, pictures(), plain)
def test_a_data_uri_in_json_is_cut_out_exactly(before, picture, after):
    media_type, data = picture
    text = json.dumps([before, f"data:{media_type};base64,{b64(data)}", after])
    result, found = replaced(text)
    assert json.loads(result) == [before, "<1>", after]
    assert decoded(found[0].partition(",")[2].encode()) == data


@given(plain, pictures(), st.integers(0, 4), st.booleans())
def test_json_within_json_within_json(before, picture, depth, is_ascii):
    media_type, data = picture
    tree: object = {"note": before, "image": f"data:{media_type};base64,{b64(data)}"}
    for _ in range(depth):
        tree = {"body": json.dumps(tree, ensure_ascii=is_ascii)}
    result, found = replaced(json.dumps(tree, ensure_ascii=is_ascii))
    inner = json.loads(result)
    for _ in range(depth):
        inner = json.loads(inner["body"])
    assert inner == {"note": before, "image": "<1>"}
    assert decoded(found[0].partition(",")[2].encode()) == data


@given(plain, pictures(), st.booleans())
def test_bare_base64_in_a_json_text(before, picture, is_url_safe):
    _, data = picture
    encoded = base64.urlsafe_b64encode(data).decode() if is_url_safe else b64(data)
    result, found = replaced(json.dumps({"a": before, "data": encoded}))
    assert json.loads(result) == {"a": before, "data": "<1>"}
    assert decoded(found[0].encode()) == data


@given(st.lists(pictures(), max_size=5))
def test_several_are_found_in_their_order(several):
    text = " and ".join(f"data:{media_type};base64,{b64(data)}" for media_type, data in several)
    result, found = replaced(text)
    assert result == " and ".join(f"<{number + 1}>" for number in range(len(several)))
    assert [decoded(one.partition(",")[2].encode()) for one in found] == [data for _, data in several]


@given(st.text())
def test_text_without_pictures_is_the_same_object(text):
    assert replace_runs(text, lambda run: "x") is text or re.search(
        "base64,|vlmops-held:|[A-Za-z0-9+/_-]{40}", text
    )


MARKS = [
    "data:image/png;base64,",
    '"',
    "\\",
    " ",
    "vlmops-held:",
    "ab-1",
    "/9j/",
    "iVBORw0KGgo",
    "A" * 44,
    "=",
    ",",
    "x",
    "\n",
]


@given(st.lists(st.sampled_from(MARKS), max_size=12).map("".join))
@settings(max_examples=5 * settings.default.max_examples)
def test_replacing_again_finds_nothing_new(text):
    once = replace_runs(text, lambda run: "[kept]")
    assert replace_runs(once, lambda run: "[again]") == once


@pytest.mark.parametrize(
    "text",
    [
        "see data:image/png;base64,... for how",
        "write data:image/png;base64,{b64}",
        "data:text/plain;base64,aGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVsbG8gd29ybGQ=",
        "sk-9aGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVsbG8gd29ybGQ",
        "/9j/ is how a JPEG begins",
        '{"data": "' + "A" * 500 + '"}',
        "x/9j/" + "A" * 100,
    ],
)
def test_what_is_no_picture_stays(text):
    assert replaced(text) == (text, [])


@pytest.mark.parametrize("break_", ["\n", "\r\n"])
def test_wrapped_base64_is_one_picture_and_the_text_after_it_stays(break_):
    data = png((60, 40))
    wrapped = base64.encodebytes(data).decode().replace("\n", break_)
    text = json.dumps({"a": "data:image/png;base64," + wrapped + "Thanks", "b": wrapped})
    result, found = replaced(text)
    assert json.loads(result) == {"a": f"<1>{break_}Thanks", "b": f"<2>{break_}"}
    assert {decoded(one.rpartition(",")[2].encode()) for one in found} == {data}


def test_escaped_slashes_and_padding():
    data = jpeg((40, 30))
    for text in (
        json.dumps({"a": "data:image/jpeg;base64," + b64(data)}).replace("/", "\\/"),
        json.dumps({"a": "data:image/jpeg;base64," + b64(data)}).replace("=", "\\u003d"),
    ):
        result, found = replaced(text)
        assert json.loads(result) == {"a": "<1>"}
        assert decoded(found[0].partition(",")[2].encode()) == data
    escaped = "src=data:image/jpeg;base64," + b64(data).replace("+", "%2B").replace("/", "%2F").replace(
        "=", "%3D"
    )
    result, found = replaced(escaped + "&alt=page")
    assert result == "src=<1>&alt=page"
    assert decoded(found[0].partition(",")[2].encode()) == data


def test_a_word_after_a_sentence_s_picture_stays():
    uri = f"data:image/png;base64,{b64(png((20, 10)))}"
    for text in (
        "Is {} the same?",
        "({})",
        "Look at {}. Then say.",
        "'{}', yes",
        "![x]({})",
        "<img src='{}'>",
        "a,{},b",
    ):
        assert replaced(text.format(uri))[0] == text.format("<1>")


def test_a_damaged_data_uri_goes_as_a_whole():
    damaged = "data:image/png;base64,iVBORw0KGgo!!!" + "A" * 5000
    assert replaced(json.dumps({"a": damaged, "b": 1}))[0] == '{"a": "<1>", "b": 1}'
    with pytest.raises(ValueError, match=r".+"):
        decoded(replaced(damaged)[1][0].partition(",")[2].encode())


def test_any_base64_under_a_key_of_pictures_goes():
    page = b64(b"<html>" + bytes(600))
    assert replaced(json.dumps({"b64_json": page}))[0] == '{"b64_json": "<1>"}'
    source = {"type": "base64", "media_type": "image/bmp", "data": page}
    assert replaced(json.dumps(source))[1] == [page]
    assert replaced(json.dumps({"type": "input_audio", "data": page}))[1] == []


def test_placeholders_are_found_in_any_text():
    assert replaced("a vlmops-held:1f-2, vlmops-held:.") == ("a <1>, vlmops-held:.", ["vlmops-held:1f-2"])


def test_hostile_text_is_cut_off_rather_than_followed_for_ever():
    result = replace_runs('"/9j/ ' * (MAX_CANDIDATES + 10), lambda run: "[rest]")
    assert result.endswith("[rest]")
    assert len(result) == 6 * MAX_CANDIDATES + len("[rest]") - 1


@pytest.mark.parametrize(
    "unit", ['"data":"', ";base64,", "A/9j/", "data:image/png;base64,", "\\", "AAAA\\n", "%2F", "Z0eXB"]
)
def test_repeated_marks_end(unit):
    text = "data:image/png;base64," + unit * 20_000
    assert len(replaced(text)[0]) <= len(text) + 10


def test_a_text_as_large_as_memory_allows_is_one_picture():
    text = "data:image/png;base64," + b64(HEADS["image/png"])[:-2] + "A" * 50_000_000
    result, found = replaced(text)
    assert result == "<1>"
    assert len(found[0]) > 50_000_000


def test_lone_surrogates_survive():
    text = "\ud800 " + f"data:image/png;base64,{b64(png((4, 4)))}" + " \udfff"
    assert replaced(text)[0] == "\ud800 <1> \udfff"
