"""Spans rewritten: one reference for each picture, everything else as it was."""

from __future__ import annotations

import base64
import json

import pytest
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, SpanContext
from recorded_spans import Plain, Store, data_uri, jpeg, png, span_with, texts

from vlmops.tracing import HELD_PREFIX, TraceContext, rewrite


@pytest.fixture
def store() -> Store:
    return Store()


def rewritten(attributes, store, **more) -> ReadableSpan:
    return rewrite(span_with(attributes, **more), store, Plain())


def test_a_picture_in_ten_places_is_kept_once(store):
    data = png()
    uri, bare = data_uri(data), base64.b64encode(data).decode()
    attributes = {
        "input.value": json.dumps({"messages": [{"content": [{"image_url": {"url": uri}}]}]}),
        "llm.input_messages.0.message.contents.0.message_content.image.image.url": uri,
        "metadata": json.dumps({"crop": {"data": bare}}),
        "output.value": json.dumps({"data": [{"b64_json": bare}]}),
        "tags": ["a", uri],
        "raw": data,
        "nested": json.dumps({"body": json.dumps({"url": uri})}),
    }
    span = rewritten(attributes, store, events=[("log", {"message": f"got {uri}"})], status=f"bad {uri}")
    assert len(store.calls) == 2  # as base64, and as bytes
    assert len({store.reference(data)} & set(span.attributes["tags"])) == 1
    assert texts(span).count(store.reference(data)) == 10  # once more among the facts
    assert span.attributes["vlmops.image.count"] == 1
    assert span.events[0].attributes["message"] == f"got {store.reference(data)}"
    assert span.status.description == f"bad {store.reference(data)}"


def test_all_else_of_a_span_stays(store):
    link = Link(SpanContext(1, 2, is_remote=False), {"note": data_uri(png())})
    before = span_with({"input.value": data_uri(png()), "count": 3, "vector": [0.5] * 1000}, service="a")
    before = ReadableSpan(
        before.name, before.context, before.context, before.resource, before.attributes, [Event("e")], [link],
        before.kind, None, before.status, 5, 9, None,
    )  # fmt: skip
    after = rewrite(before, store, Plain())
    assert (after.name, after.context, after.parent) == (before.name, before.context, before.parent)
    assert (after.start_time, after.end_time) == (before.start_time, before.end_time)
    assert (after.resource, after.kind, after.status) == (before.resource, before.kind, before.status)
    assert after.attributes["count"] == 3
    assert list(after.attributes["vector"]) == [0.5] * 1000
    assert after.links[0].attributes["note"] == store.reference(png())
    assert before.attributes["input.value"].startswith("data:")


def test_a_span_without_pictures_is_the_same_object(store):
    span = span_with({"input.value": "hello", "http.route": "/a", "x": "y" * 10_000})
    assert rewrite(span, store, Plain()) is span
    assert store.calls == []


def test_addresses_are_recorded_and_nothing_in_prose_is_taken_for_one(store):
    request = {
        "messages": [{"content": [{"type": "image_url", "image_url": {"url": "https://h/a?x=1&y=é"}}]}]
    }
    text = json.dumps(request)
    span = rewritten({"input.value": text, "doc": "see https://h/b.png"}, store)
    assert [call.payload for call in store.calls] == ["https://h/a?x=1&y=é"]
    assert span.attributes["input.value"] == text
    assert span.attributes["vlmops.images.0.kept"] == "url"


def test_an_address_that_may_not_be_recorded_is_replaced_in_json_within_json(store):
    from vlmops.tracing import not_kept

    part = {"type": "input_image", "image_url": 'https://h/é"a.png'}
    text = json.dumps({"body": json.dumps({"input": [part]}), "input": [part]})
    span = rewrite(span_with({"input.value": text}), lambda found: not_kept('by "policy"\n'), Plain())
    value = json.loads(span.attributes["input.value"])
    assert value["input"][0]["image_url"] == "[picture not kept: by 'policy' ]"
    assert json.loads(value["body"])["input"][0]["image_url"] == "[picture not kept: by 'policy' ]"


def test_placeholders_are_handed_on_as_they_are(store):
    token = HELD_PREFIX + "1f-1"
    store.held[token] = png()
    slot = "llm.input_messages.0.message.contents.0.message_content.image.image.url"
    text = json.dumps({"input": [{"type": "input_image", "image_url": token, "detail": "low"}]})
    span = rewritten({"input.value": text, slot: token}, store)
    assert [call.payload for call in store.calls] == [token]
    assert token not in texts(span)
    assert span.attributes["vlmops.images.0.detail"] == "low"


def test_a_placeholder_that_was_taken_for_base64_is_found(store):
    token = HELD_PREFIX + "1f-1"
    store.held[token] = png()
    slot = "llm.input_messages.0.message.contents.0.message_content.image.image.url"
    uri = f"data:image/png;base64,{token}"
    span = rewritten({"input.value": json.dumps({"url": uri}), slot: uri}, store)
    assert [call.payload for call in store.calls] == [token]
    assert json.loads(span.attributes["input.value"]) == {"url": store.reference(png())}
    assert span.attributes[slot] == store.reference(png())


def test_a_picture_held_and_one_in_full_are_one_when_they_are_equal(store):
    store.held[HELD_PREFIX + "a"] = png()
    span = rewritten({"input.value": HELD_PREFIX + "a", "output.value": data_uri(png())}, store)
    assert span.attributes["vlmops.image.count"] == 1


@pytest.mark.parametrize(
    "payload",
    [
        "data:image/png;base64,!!!!",
        "data:image/png;base64,AAAA",
        "data:image/png;base64," + base64.b64encode(b"<html>" * 50).decode(),
        "data:image/png;base64,iVBORw0KGgo" + "A" * 99_999,
        "data:image/svg+xml,<svg onload=alert(1)></svg>",
        "data:image/png;base64,",
        "data:image/png;base64,iVBORw0KGgo AAAA\nBBBB",
    ],
)
def test_hostile_data_uris_end_as_a_note(store, payload):
    slot = "llm.input_messages.0.message.contents.0.message_content.image.image.url"
    value = json.dumps({"messages": [{"content": [{"type": "image_url", "image_url": {"url": payload}}]}]})
    span = rewritten({"input.value": value, slot: payload}, store)
    url = json.loads(span.attributes["input.value"])["messages"][0]["content"][0]["image_url"]["url"]
    assert url.startswith("[picture not kept: ")
    assert span.attributes[slot].startswith("[picture not kept: ")
    assert len(url) < 300
    assert span.attributes["vlmops.image.not_kept_count"] >= 1


def test_a_picture_of_200_mb_ends_as_a_note_that_says_so(store):
    huge = "data:image/png;base64,iVBORw0KGgo" + "A" * 200_000_000
    span = rewritten({"input.value": huge}, store)
    assert span.attributes["input.value"] == "[picture not kept: larger than 96 MB]"
    assert store.calls == []


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"a":[', '"[\\"'])
def test_deep_nesting_neither_raises_nor_hides_a_picture(store, opening):
    text = opening * 100_000 + json.dumps(data_uri(png())) + "]" * 100_000
    span = rewritten({"input.value": text, "gen_ai.input.messages": text, "output.value": text}, store)
    assert "base64," not in texts(span)
    assert len(store.calls) == 1


def test_attributes_that_are_mappings_are_searched(store):
    nested: object = data_uri(png())
    for _ in range(5):
        nested = {"inner": [nested]}
    span = rewritten({"input": nested, "blob": {"data": jpeg()}}, store)
    assert "base64," not in texts(span)
    assert span.attributes["blob"]["data"] == store.reference(jpeg())


def test_detail_is_read_from_the_request(store):
    uri = data_uri(png())
    part = {"type": "image_url", "image_url": {"url": uri, "detail": "high"}}
    slot = "llm.input_messages.0.message.contents.0.message_content.image.image.url"
    span = rewritten({slot: uri, "input.value": json.dumps({"messages": [{"content": [part]}]})}, store)
    assert span.attributes["vlmops.images.0.detail"] == "high"


def test_context_is_written_once_and_yields_to_what_the_span_says(store):
    context = TraceContext(release="2.0", commit="abc", prompt_name="inspect", prompt_version="3")
    span = span_with({"langfuse.release": "1.0", "llm.model_name": "m"})
    said = rewrite(span, store, Plain(), context).attributes
    assert said["vlmops.release"] == "1.0"
    assert (said["vlmops.commit"], said["vlmops.prompt.name"]) == ("abc", "inspect")
    other = rewrite(span_with({"http.route": "/"}), store, Plain(), context).attributes
    assert other["vlmops.commit"] == "abc"
    assert "vlmops.prompt.name" not in other
