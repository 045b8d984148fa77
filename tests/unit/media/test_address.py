import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.errors import MediaError
from vlmops.media import MediaAddress
from vlmops.media.address import EXTENSIONS

digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
media_types = st.sampled_from(sorted(EXTENSIONS))


@given(digests, media_types)
def test_name_and_address_are_inverse(sha256, media_type):
    address = MediaAddress(sha256, media_type)

    assert MediaAddress.parse(address.name) == address


@given(st.text())
def test_whatever_parses_is_spelled_by_its_address(text):
    address = MediaAddress.parse(text)

    assert address is None or address.name == text


@given(digests, media_types, st.text(min_size=1), st.integers(0, 80))
def test_nothing_can_be_added_to_a_name(sha256, media_type, extra, position):
    name = MediaAddress(sha256, media_type).name
    changed = name[:position] + extra + name[position:]

    address = MediaAddress.parse(changed)

    assert address is None or address.name == changed


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a" * 64,
        "A" * 64 + ".png",
        "a" * 63 + ".png",
        "a" * 65 + ".png",
        "a" * 64 + ".PNG",
        "a" * 64 + ".jpeg",
        "a" * 64 + ".html",
        "a" * 64 + ".png\n",
        "a" * 64 + ".png\0",
        "\uff41" * 64 + ".png",
        "../" + "a" * 64 + ".png",
        "٣" * 64 + ".png",
    ],
)
def test_malformed_names(name):
    assert MediaAddress.parse(name) is None


def test_address_of_bytes_is_their_digest():
    assert MediaAddress.of(b"x", "image/png").sha256 == hashlib.sha256(b"x").hexdigest()


@pytest.mark.parametrize(
    ("given_type", "stored_type"), [("image/jpg", "image/jpeg"), ("image/x-ms-bmp", "image/bmp")]
)
def test_synonyms_share_an_address(given_type, stored_type):
    assert MediaAddress.of(b"x", given_type) == MediaAddress.of(b"x", stored_type)


@pytest.mark.parametrize("media_type", ["text/html", "application/pdf", "image/unheard-of", ""])
def test_only_images_have_addresses(media_type):
    with pytest.raises(MediaError, match="cannot be stored"):
        MediaAddress.of(b"x", media_type)


def test_malformed_digest():
    with pytest.raises(MediaError, match="SHA-256"):
        MediaAddress("../etc", "image/png")
