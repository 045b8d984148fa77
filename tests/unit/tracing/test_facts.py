"""Facts beside a span's pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from recorded_spans import Plain, Store, data_uri, png, recorded, span_with

from vlmops.images import Image
from vlmops.tracing import attributes as names
from vlmops.tracing import rewrite
from vlmops.tracing.facts import span_facts
from vlmops.tracing.picture_facts import picture_facts

SLOT = "llm.input_messages.0.message.contents.{}.message_content.image.image.url"


def facts(attributes, **resource):
    return rewrite(span_with(attributes, **resource), Store(), Plain()).attributes


def chat(answer, response_format=None, **message):
    request = {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "?"}],
        "response_format": response_format,
    }
    choice = {"finish_reason": "stop", "message": {"role": "assistant", "content": answer, **message}}
    return {
        "llm.model_name": "gpt-4o",
        "llm.invocation_parameters": json.dumps({"response_format": response_format}),
        "input.value": json.dumps(request),
        "output.value": json.dumps({"choices": [choice]}),
        "llm.output_messages.0.message.role": "assistant",
        **({"llm.output_messages.0.message.content": answer} if answer else {}),
    }


PART = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "part", "schema": PART}}


def test_what_the_model_saw_and_what_it_costs():
    attributes = {
        SLOT.format(0): data_uri(png((1024, 1024))),
        "llm.input_messages.0.message.contents.1.message_content.text": "x" * 400,
        "llm.model_name": "gpt-4o-2024-11-20",
        "llm.token_count.prompt": 900,
        "input.value": json.dumps(
            {
                "messages": [
                    {"content": [{"image_url": {"url": data_uri(png((1024, 1024))), "detail": "high"}}]}
                ]
            }
        ),
    }
    said = facts(attributes)
    assert (said["vlmops.images.0.width"], said["vlmops.images.0.seen_width"]) == (1024, 768)
    assert (said["vlmops.images.0.scale"], said["vlmops.images.0.detail"]) == (0.75, "high")
    assert said[names.IMAGE_TOKENS] == 765
    assert said[names.TOKENS_ESTIMATED] == 865
    assert (said[names.TOKENS_MEASURED], said[names.TOKENS_DRIFT]) == (900, 35)
    assert said[names.TOKENS_DRIFT_RATIO] == pytest.approx(35 / 865, abs=1e-4)
    assert said[names.IMAGE_COST] == pytest.approx(765 * 2.5e-6)


def test_a_picture_sent_twice_counts_twice():
    uri = data_uri(png((1024, 1024)))
    once = facts({SLOT.format(0): uri, "llm.model_name": "gpt-4o"})
    twice = facts({SLOT.format(0): uri, SLOT.format(1): uri, "llm.model_name": "gpt-4o"})
    assert twice[names.IMAGE_TOKENS] == 2 * once[names.IMAGE_TOKENS]
    assert twice[names.IMAGE_COUNT] == once[names.IMAGE_COUNT] == 1


def test_no_estimate_where_something_is_unknown():
    unknown = facts({SLOT.format(0): data_uri(png()), "llm.model_name": "my-own-model"})
    assert names.IMAGE_TOKENS not in unknown
    with_url = facts(
        {SLOT.format(0): data_uri(png()), SLOT.format(1): "https://h/a.png", "llm.model_name": "gpt-4o"}
    )
    assert names.IMAGE_TOKENS not in with_url
    assert "vlmops.images.0.seen_width" in with_url
    strange = json.dumps(
        {"input": [{"type": "input_image", "image_url": data_uri(png()), "detail": "extreme"}]}
    )
    assert facts({"input.value": strange, "llm.model_name": "gpt-4o"})[names.IMAGE_TOKENS] > 0


@pytest.mark.parametrize(
    ("answer", "valid", "error"),
    [
        ('{"n": 3}', True, None),
        ('{"n": "secret"}', False, "n: type"),
        ("{}", False, "the value: required"),
        ("three", False, "the answer is not JSON"),
    ],
)
def test_whether_the_answer_obeys_the_schema_is_said_without_quoting_it(answer, valid, error):
    said = facts(chat(answer, SCHEMA))
    assert (said[names.RESPONSE_FORMAT], said[names.RESPONSE_SCHEMA]) == ("json_schema", "part")
    assert said[names.RESPONSE_VALID] is valid
    assert said.get(names.RESPONSE_ERROR) == error


def test_refusals_are_recorded_as_such_and_not_as_invalid():
    by_word = facts(chat(None, SCHEMA, refusal="I can't help with that."))
    assert (by_word[names.RESPONSE_REFUSED], by_word[names.RESPONSE_REFUSAL]) == (True, "provider")
    assert names.RESPONSE_VALID not in by_word
    by_phrase = facts(chat("I'm sorry, but I can't help with that."))
    assert by_phrase[names.RESPONSE_REFUSAL] == "phrase"
    filtered = chat("")
    filtered["llm.finish_reason"] = "content_filter"
    assert facts(filtered)[names.RESPONSE_REFUSAL] == "content_filter"
    assert names.RESPONSE_REFUSED not in facts(chat("A cup.", SCHEMA))


def test_formats_of_other_providers():
    responses = {"text": {"format": {"type": "json_schema", "name": "r", "schema": PART}}}
    gemini = {"config": {"response_mime_type": "application/json", "response_json_schema": {"type": "array"}}}
    own = {
        "langfuse.observation.model.parameters": json.dumps({"response_format": {"type": "json_object"}}),
        "langfuse.observation.output": '{"n": 1}',
    }
    answer = {"llm.output_messages.0.message.contents.0.message_content.text": '{"n": 1}'}
    first = facts({"llm.invocation_parameters": json.dumps(responses), **answer})
    assert (first[names.RESPONSE_SCHEMA], first[names.RESPONSE_VALID]) == ("r", True)
    assert facts({"llm.invocation_parameters": json.dumps(gemini), **answer})[names.RESPONSE_VALID] is False
    assert (facts(own)[names.RESPONSE_FORMAT], facts(own)[names.RESPONSE_VALID]) == ("json_object", True)


def test_truncated_answers_and_schemas_that_are_none():
    cut = chat('{"n": ', SCHEMA)
    cut["llm.finish_reason"] = "length"
    assert facts(cut)[names.RESPONSE_TRUNCATED] is True
    broken = {"type": "json_schema", "json_schema": {"schema": {"type": 12}}}
    assert facts(chat("{}", broken))[names.RESPONSE_ERROR] == "the request's schema is no JSON Schema"
    assert names.RESPONSE_VALID not in facts(chat("{}", broken))


def test_release_and_environment_come_from_the_resource_beside_other_facts():
    said = facts(
        {"input.value": data_uri(png())}, **{"service.version": "1.2", "deployment.environment.name": "ci"}
    )
    assert (said[names.RELEASE], said[names.ENVIRONMENT]) == ("1.2", "ci")
    assert names.RELEASE not in facts({"http.route": "/"}, **{"service.version": "1.2"})


def test_own_facts_are_of_a_bounded_number_of_pictures():
    attributes = {SLOT.format(n): data_uri(png((20, 20), str(n))) for n in range(40)}
    said = facts({**attributes, "llm.model_name": "gpt-4o"})
    assert said[names.IMAGE_COUNT] == 40
    assert len({name.split(".")[2] for name in said if name.startswith("vlmops.images.")}) == names.MAX_IMAGES


def test_every_fact_has_a_meaning():
    said = {}
    for shape in recorded().values():
        for span in shape.spans:
            said |= rewrite(span, Store(), Plain()).attributes
    own = {name for name in said if name.startswith("vlmops.")}
    assert {name for name in own if not name.startswith(names.IMAGES + ".")} <= names.MEANINGS.keys()
    assert {
        name.split(".")[3] for name in own if name.startswith(names.IMAGES + ".")
    } <= names.IMAGE_MEANINGS.keys()
    assert all(isinstance(said[name], str | int | float | bool) for name in own)


def test_nothing_to_say_of_other_spans():
    assert span_facts({"http.method": "GET"}, [], None, {"service.version": "1"}) == {}


@pytest.mark.parametrize(
    ("pixels", "warnings"),
    [
        (np.full((300, 300, 3), 250, np.uint8), ("near-blank",)),
        (np.zeros((40, 300, 3), np.uint8), ("near-blank", "too small")),
        (np.random.default_rng(0).integers(0, 255, (300, 300, 3)).astype(np.uint8), ()),
    ],
)
def test_warnings(pixels, warnings):
    assert picture_facts(Image.from_array(pixels)).warnings == warnings


def test_a_truncated_picture_has_facts_all_the_same():
    whole = png((400, 300))
    assert picture_facts(Image.from_bytes(whole[: len(whole) // 2])).width == 400


def test_every_fact_is_in_the_documentation():
    page = (Path(__file__).parents[3] / "docs" / "trace_facts.md").read_text()
    for name, meaning in {**names.MEANINGS, **names.IMAGE_MEANINGS}.items():
        assert f"| `{name}` | {meaning} |" in page
