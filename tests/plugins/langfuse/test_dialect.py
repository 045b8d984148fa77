"""Every picture stands where Langfuse draws it in place."""

from __future__ import annotations

import json

import pytest
from recorded_spans import Recorded, Store, data_uri, jpeg, leaked, png, recorded, span_with

from vlmops.tracing import not_kept, rewrite
from vlmops_langfuse.dialect import LangfuseDialect

REFERENCE = "@@@langfuseMedia:type=image/{type}|id={sha}|source=bytes@@@"
# The SDK uploads or mangles these itself, before any exporter sees them.
MANGLED = {"langfuse_data_uri", "langfuse_pil", "langfuse_numpy", "langfuse_bytes", "langfuse_media"}
# Data of the application's own shape stays as it is: Langfuse shows a chip with a preview.
CHIPS = {"tool_that_returns_a_picture", "json_within_json", "agent_that_passes_a_picture_around"}
# Pictures of metadata, documents and events are in the strip of media.
BESIDE = {"failing_span", "retriever_with_page_images", "gen_ai_events"}


def store() -> Store:
    return Store(REFERENCE)


def read(attributes, side):
    """What the server takes for input or output."""
    names = (f"langfuse.observation.{side}", f"{side}.value", f"gen_ai.{side}.messages")
    return next((attributes[name] for name in names if attributes.get(name) is not None), None)


def drawn(attributes) -> set[str]:
    """References that the trace page draws: whole values, and chat parts of messages that have a role."""
    found: set[str] = set()
    for side in ("input", "output"):
        value = read(attributes, side)
        if value is None or value.startswith(("@@@", "https://")):
            found |= {value} - {None}
        elif value[:1] in "[{":
            tree = json.loads(value)
            messages = tree.get("messages", [tree]) if isinstance(tree, dict) else tree
            parts = [
                part for one in messages if "role" in one for part in one["content"] if isinstance(part, dict)
            ]
            found |= {part["image_url"]["url"] for part in parts if part["type"] == "image_url"}
    return found


@pytest.mark.parametrize("name", sorted(set(recorded()) - MANGLED - CHIPS - BESIDE))
def test_every_picture_of_the_corpus_is_drawn(name):
    shape: Recorded = recorded()[name]
    for span in shape.spans:
        attributes = rewrite(span, store(), LangfuseDialect()).attributes
        there = {store().reference(picture) for picture in shape.pictures if leaked(span, picture)}
        assert there <= drawn(attributes)


@pytest.mark.parametrize("name", sorted(CHIPS))
def test_data_of_the_application_s_own_shape_stays(name):
    for span in recorded()[name].spans:
        attributes = rewrite(span, store(), LangfuseDialect()).attributes
        for key in ("input.value", "output.value"):
            value = span.attributes.get(key, "")
            if value[:1] == "{" and '"messages"' not in value[:40]:
                assert json.loads(attributes[key]).keys() == json.loads(value).keys()


def arranged(attributes, keep=None):
    return rewrite(span_with(attributes), keep or store(), LangfuseDialect()).attributes


def test_parameters_of_the_request_stay_beside_its_messages():
    request = {
        "model": "gpt-4o",
        "temperature": 0,
        "instructions": "Be brief.",
        "input": [
            {
                "role": "user",
                "content": [{"type": "input_image", "image_url": data_uri(png()), "detail": "low"}],
            }
        ],
    }
    value = json.loads(arranged({"input.value": json.dumps(request)})["input.value"])
    assert (value["model"], value["temperature"]) == ("gpt-4o", 0)
    assert value["messages"][0] == {"role": "system", "content": "Be brief."}
    part = {"type": "image_url", "image_url": {"url": store().reference(png()), "detail": "low"}}
    assert value["messages"][1] == {"role": "user", "content": [part]}


def test_the_server_s_first_choice_is_the_one_rewritten():
    slot = "llm.input_messages.0.message.contents.0.message_content.image.image.url"
    attributes = {
        "input.value": "redacted",
        "llm.input_messages.0.message.role": "user",
        slot: data_uri(png()),
    }
    assert drawn(arranged(attributes)) == {store().reference(png())}
    own = {"langfuse.observation.input": f"see {data_uri(jpeg())} here", "input.value": "other"}
    said = arranged(own)
    assert drawn(said) == {store().reference(jpeg())}
    assert said["input.value"] == "other"


def test_messages_alone_are_given_to_the_server_as_input():
    slot = "llm.input_messages.0.message.contents.{}.message_content.{}"
    attributes = {
        "llm.input_messages.0.message.role": "user",
        slot.format(0, "text"): "What?",
        slot.format(1, "image.image.url"): data_uri(png()),
    }
    messages = json.loads(arranged(attributes)["input.value"])
    assert [part["type"] for part in messages[0]["content"]] == ["text", "image_url"]


def test_markdown_around_a_picture_is_dropped_since_langfuse_would_drop_both():
    text = f"Compare ![a]({data_uri(png())}) with <img src='{data_uri(jpeg())}'>."
    request = {"messages": [{"role": "user", "content": text}]}
    content = json.loads(arranged({"input.value": json.dumps(request)})["input.value"])["messages"][0][
        "content"
    ]
    assert [part.get("text") for part in content] == ["Compare ", None, " with ", None, "."]


def test_a_whole_value_that_is_a_picture_stays_one():
    assert arranged({"input.value": data_uri(png())})["input.value"] == store().reference(png())


def test_an_answer_without_pictures_keeps_its_envelope():
    answer = json.dumps(
        {"choices": [{"message": {"role": "assistant", "content": "A page."}}], "usage": {"x": 1}}
    )
    said = arranged({"input.value": data_uri(png()), "output.value": answer})
    assert said["output.value"] == answer


def test_a_prompt_becomes_a_conversation_beside_a_generated_picture():
    output = json.dumps({"data": [{"b64_json": data_uri(png())[22:]}]})
    said = arranged({"input.value": '{"prompt": "a cat", "n": 1}', "output.value": output})
    assert json.loads(said["input.value"]) == {"messages": [{"role": "user", "content": "a cat"}], "n": 1}
    assert drawn(said) == {store().reference(png())}


def test_a_picture_that_was_not_kept_is_a_note():
    said = arranged({"input.value": f"see {data_uri(png())}"}, lambda found: not_kept("too large"))
    assert "[picture not kept: too large]" in said["input.value"]
    assert "image_url" not in said["input.value"]


def test_facts_are_metadata_and_langfuse_s_own_fields():
    said = LangfuseDialect().facts(
        {
            "vlmops.images.0.width": 640,
            "vlmops.release": "1.2",
            "vlmops.prompt.name": "inspect",
            "vlmops.prompt.version": "3",
            "vlmops.response.error": "x" * 500,
        }
    )
    assert said["langfuse.observation.metadata.vlmops.images.0.width"] == 640
    assert (said["langfuse.release"], said["langfuse.observation.prompt.name"]) == ("1.2", "inspect")
    assert said["langfuse.observation.prompt.version"] == 3
    assert len(said["langfuse.observation.metadata.vlmops.response.error"]) == 200
    unusual = LangfuseDialect().facts({"vlmops.prompt.version": "main@2"})
    assert unusual == {"langfuse.observation.metadata.vlmops.prompt.version": "main@2"}
