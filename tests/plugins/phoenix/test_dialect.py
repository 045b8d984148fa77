"""Every picture stands where Phoenix draws it."""

from __future__ import annotations

import json
import re

import pytest
from recorded_spans import Recorded, Store, data_uri, jpeg, leaked, png, recorded, span_with

from vlmops.tracing import not_kept, rewrite
from vlmops_phoenix.dialect import PhoenixDialect, plain_value

# The Langfuse SDK uploads or mangles these itself, before any exporter sees them.
MANGLED = {"langfuse_data_uri", "langfuse_pil", "langfuse_numpy", "langfuse_bytes", "langfuse_media"}
URL = r"(https?://[^)\s\"'\\]+)"


def drawn(attributes) -> set[str]:
    """Addresses that Phoenix's trace page turns into pictures."""
    kind = attributes.get("openinference.span.kind")
    found: set[str] = set()
    for name, value in attributes.items():
        if kind == "LLM" and name.endswith("message_content.image.image.url"):
            found.add(value)
        if kind != "LLM" and re.fullmatch(r"(?:in|out)put\.value|.*document\.content", name):
            mime_type = attributes.get(name.replace(".value", ".mime_type"), "text/plain")
            if mime_type == "text/plain":
                found |= {match[1] for match in re.finditer(rf"!\[[^\]]*\]\({URL}\)", value)}
        if kind is None and name.startswith("gen_ai.") and name.endswith(".messages"):
            parts = [part for message in json.loads(value) for part in message["parts"]]
            found |= {part["uri"] for part in parts if part["type"] == "uri"}
    return found


@pytest.mark.parametrize(
    "name",
    sorted(set(recorded()) - MANGLED - {"failing_span", "retriever_with_page_images", "gen_ai_events"}),
)
def test_every_picture_of_the_corpus_is_drawn(name):
    shape: Recorded = recorded()[name]
    for span in shape.spans:
        store = Store()
        attributes = rewrite(span, store, PhoenixDialect()).attributes
        there = {store.reference(picture) for picture in shape.pictures if leaked(span, picture)}
        assert there <= drawn(attributes)
        assert {url for url in shape.urls if url in json.dumps(dict(span.attributes))} <= drawn(attributes)


def llm(**attributes):
    named = {name.replace("__", "."): value for name, value in attributes.items()}
    return {"openinference.span.kind": "LLM", **named}


def arranged(attributes, store=None):
    return rewrite(span_with(attributes), store or Store(), PhoenixDialect()).attributes


def test_generated_pictures_become_an_answer_beside_their_prompt():
    store = Store()
    attributes = llm(
        input__value='{"prompt": "a cat", "model": "gpt-image-1"}',
        output__value=json.dumps(
            {"data": [{"revised_prompt": "a fine cat", "b64_json": data_uri(png())[22:]}]}
        ),
    ) | {"output.images.0.image.url": data_uri(png())}
    said = arranged(attributes, store)
    answer = "llm.output_messages.0.message"
    assert said[f"{answer}.role"] == "assistant"
    assert said[f"{answer}.contents.0.message_content.image.image.url"] == store.reference(png())
    assert said[f"{answer}.contents.1.message_content.text"] == "a fine cat"
    assert "llm.input_messages.0.message.role" not in said  # nothing to draw there


def test_a_picture_goes_to_the_message_that_mentions_it():
    store = Store()
    dump = json.dumps([{"type": "input_image", "image_url": data_uri(png())}])
    attributes = llm() | {
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "page 2?",
        "llm.input_messages.1.message.role": "tool",
        "llm.input_messages.1.message.content": dump,
    }
    said = arranged(attributes, store)
    prefix = "llm.input_messages.1.message.contents.0.message_content"
    assert said[f"{prefix}.image.image.url"] == store.reference(png())
    assert not any(name.startswith("llm.input_messages.0.message.contents") for name in said)


def test_what_is_drawn_already_is_not_drawn_twice():
    slot = "llm.input_messages.0.message.contents.0.message_content.image.image.url"
    value = json.dumps({"messages": [{"content": [{"image_url": {"url": data_uri(png())}}]}]})
    said = arranged(
        llm(input__value=value) | {"llm.input_messages.0.message.role": "user", slot: data_uri(png())}
    )
    assert sum(name.endswith("image.image.url") for name in said) == 1


def test_the_same_picture_sent_and_answered_is_drawn_on_both_sides():
    said = arranged(
        llm(
            output__value=data_uri(png()),
            input__value=json.dumps(
                {
                    "contents": [
                        {"parts": [{"inline_data": {"mime_type": "image/png", "data": data_uri(png())[22:]}}]}
                    ]
                }
            ),
        )
    )
    slots = [name for name in said if name.endswith("image.image.url")]
    assert {name.split(".")[1] for name in slots} == {"input_messages", "output_messages"}


def test_a_picture_that_was_not_kept_is_a_note_and_is_not_drawn():
    span = span_with(llm(input__value=data_uri(png())))
    said = rewrite(span, lambda found: not_kept("the store is full"), PhoenixDialect()).attributes
    assert said["input.value"] == "[picture not kept: the store is full]"
    assert not any("message_content" in name for name in said)


def test_text_of_other_spans_becomes_markdown_and_json_keeps_its_text():
    store = Store()
    tree = {"page": 2, "image": data_uri(png()), "crop": data_uri(jpeg())}
    said = arranged(
        {
            "openinference.span.kind": "TOOL",
            "input.value": f"look at {data_uri(png())}, please",
            "output.value": json.dumps(tree),
            "output.mime_type": "application/json",
        },
        store,
    )
    page, crop = store.reference(png()), store.reference(jpeg())
    assert said["input.value"] == f"look at ![picture]({page}), please"
    assert said["output.value"].startswith(f"![picture]({page})\n![picture]({crop})\n\n```json\n")
    assert said["output.mime_type"] == "text/plain"
    assert json.loads(plain_value(said["output.value"])) == {"page": 2, "image": page, "crop": crop}


def test_json_may_be_left_as_it_is():
    span = span_with({"openinference.span.kind": "CHAIN", "input.value": json.dumps({"a": data_uri(png())})})
    said = rewrite(span, Store(), PhoenixDialect(draw_json=False)).attributes
    assert json.loads(said["input.value"]) == {"a": Store().reference(png())}


def test_markdown_and_html_that_draw_already_stay():
    store = Store()
    text = f"![scan]({data_uri(png())}) <img src='{data_uri(jpeg())}' width='80'>"
    said = arranged({"openinference.span.kind": "CHAIN", "input.value": text}, store)
    assert (
        said["input.value"]
        == f"![scan]({store.reference(png())}) <img src='{store.reference(jpeg())}' width='80'>"
    )


def test_observations_of_langfuse_get_what_phoenix_reads():
    said = arranged(
        {
            "langfuse.observation.type": "generation",
            "langfuse.observation.input": json.dumps(
                [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": data_uri(png())}}]}]
            ),
            "langfuse.observation.output": "A page.",
            "langfuse.observation.model.name": "gpt-4o",
            "langfuse.observation.usage_details": '{"input": 900, "output": 3}',
        }
    )
    assert said["openinference.span.kind"] == "LLM"
    assert (said["input.mime_type"], said["output.mime_type"]) == ("application/json", "text/plain")
    assert (said["llm.model_name"], said["llm.token_count.prompt"]) == ("gpt-4o", 900)
    assert drawn(said) == {Store().reference(png())}


def test_spans_without_pictures_stay_the_same_object():
    span = span_with({"openinference.span.kind": "LLM", "input.value": "hello"})
    assert rewrite(span, Store(), PhoenixDialect()) is span
