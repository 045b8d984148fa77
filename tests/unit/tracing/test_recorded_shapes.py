"""What real instrumentors write, rewritten: nothing of a picture stays, and each is kept once."""

from __future__ import annotations

import json

import pytest
from recorded_spans import Plain, Recorded, Store, leaked, recorded, texts

from vlmops.tracing import rewrite

# The Langfuse SDK uploads or mangles these itself, before any exporter sees them.
MANGLED = {"langfuse_data_uri", "langfuse_pil", "langfuse_numpy", "langfuse_bytes", "langfuse_media"}
SHAPES = sorted(set(recorded()) - MANGLED)


@pytest.fixture(params=SHAPES)
def shape(request) -> Recorded:
    return recorded()[request.param]


def test_no_base64_is_left(shape):
    for span in shape.spans:
        rewritten = rewrite(span, Store(), Plain())
        assert not [number for number, picture in enumerate(shape.pictures) if leaked(rewritten, picture)]
        assert "base64," not in texts(rewritten)


def test_every_picture_has_its_reference_and_is_kept_once_a_span(shape):
    store = Store()
    everything = ""
    for span in shape.spans:
        before = len(store.calls)
        everything += texts(rewrite(span, store, Plain()))
        payloads = [found.payload for found in store.calls[before:]]
        assert len(payloads) == len(set(payloads))
    assert all(store.reference(picture) in everything for picture in shape.pictures)
    assert all(url in everything for url in shape.urls)
    assert all(any(call.payload == url for call in store.calls) for url in shape.urls)


def test_json_stays_json(shape):
    for span in shape.spans:
        rewritten = rewrite(span, Store(), Plain())
        for name, value in span.attributes.items():
            if isinstance(value, str) and value[:1] in "[{":
                assert type(json.loads(rewritten.attributes[name])) is type(json.loads(value)), name


def test_pictures_are_counted(shape):
    for span in shape.spans:
        pictures = [picture for picture in shape.pictures if leaked(span, picture)]
        counted = rewrite(span, Store(), Plain()).attributes.get("vlmops.image.count", 0)
        assert counted >= len(pictures)


def test_rewriting_again_finds_only_addresses(shape):
    for span in shape.spans:
        once = rewrite(span, Store(), Plain())
        store = Store()
        twice = rewrite(once, store, Plain())
        assert all(found.is_url for found in store.calls)
        assert [key for key in twice.attributes if not key.startswith("vlmops.")] == [
            key for key in once.attributes if not key.startswith("vlmops.")
        ]
