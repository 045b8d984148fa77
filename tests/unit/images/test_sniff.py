from __future__ import annotations

import pytest
from bad_images import bad_image, usable_image
from hypothesis import given
from hypothesis import strategies as st

from vlmops.images import sniff


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("plain.jpg", "image/jpeg"),
        ("named_wrongly.png", "image/jpeg"),
        ("plain.png", "image/png"),
        ("plain.webp", "image/webp"),
        ("animated.gif", "image/gif"),
        ("plain.bmp", "image/bmp"),
        ("plain.tiff", "image/tiff"),
        ("big.tiff", "image/tiff"),
        ("plain.avif", "image/avif"),
        ("plain.ico", "image/x-icon"),
        ("plain.jp2", "image/jp2"),
        ("plain.ppm", "image/x-portable-anymap"),
    ],
)
def test_pictures_are_known_by_their_bytes(name, media_type):
    found = sniff(usable_image(name))
    assert found.media_type == media_type
    assert found.is_image
    assert not found.fix


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"", "application/x-empty"),
        (bad_image("lfs_pointer.png"), "text/x-git-lfs-pointer"),
        (bad_image("sign_in.jpg"), "text/html"),
        (b"\n\n  <HTML><body>", "text/html"),
        (b"\xef\xbb\xbf<!doctype html>", "text/html"),
        (b'{"a": 1}', "application/json"),
        (b"[1, 2]", "application/json"),
        (bad_image("storage_error.jpg"), "application/xml"),
        ("Grüße aus Köln".encode(), "text/plain"),
        (b"data:image/png;base64,iVBORw0KGgo=", "text/x-data-uri"),
        (b"/9j/4AAQSkZJRg==", "text/x-base64"),
        (b"%PDF-1.4", "application/pdf"),
        (b"PK\x03\x04\x14", "application/zip"),
        (b"\x93NUMPY\x01\x00", "application/x-npy"),
        (bytes(128) + b"DICM", "application/dicom"),
        (b"RIFF\x00\x00\x00\x00WAVE", "application/x-riff"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isommp42", "video/mp4"),
        (b"\x00\x01\x02\x03\x04", "application/octet-stream"),
        (b"\xff\xfe\xfd" * 20, "application/octet-stream"),
    ],
)
def test_what_is_not_a_picture_is_called_by_its_name(data, media_type):
    found = sniff(data)
    assert found.media_type == media_type
    assert not found.is_image
    assert found.fix


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "image/heic"),
        (b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifmiaf", "image/avif"),
        (b"\x00\x00\x00\x14ftypmif1\x00\x00\x00\x00mif1", "image/heif"),
        (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        (b"8BPS\x00\x01", "image/vnd.adobe.photoshop"),
    ],
)
def test_picture_types_of_other_programs(data, media_type):
    assert sniff(data).media_type == media_type


def test_long_text_that_breaks_within_a_character_is_still_text():
    assert sniff(b"a" + "é".encode() * 5000).media_type == "text/plain"


@given(st.binary(max_size=200))
def test_any_bytes_get_an_answer(data):
    assert "/" in sniff(data).media_type
