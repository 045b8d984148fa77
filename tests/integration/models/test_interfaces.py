"""Chat and responses, at once and streamed, in Azure and elsewhere: what goes out, comes back, and fails."""

import asyncio
import io
import json

import numpy as np
import pytest
from model_server import ModelServer, Said, error, reply
from PIL import Image as Pillow
from pydantic import BaseModel

from vlmops.errors import PrerequisiteError, UsageError
from vlmops.evaluators import FailureKind
from vlmops.images import Image
from vlmops.models import ModelRequest, Turn, create, identity_of
from vlmops.models.cards import CardTable

PICTURE = Image.from_array(np.zeros((4, 6, 3), dtype=np.uint8))
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


class Count(BaseModel):
    """What a scene holds."""

    n: int
    unit: str = "coins"


@pytest.fixture
def served():
    running = ModelServer()
    yield running
    running.close()


def ask(server, said, request=None, model="gpt-4o", kind="openai", **options):
    server.behaviour = lambda asked: said
    options = {"base_url": server.url, "api_key": "sk-any", "max_retries": 0, **options}

    async def go():
        made = create(f"{kind}:{model}", **options)
        try:
            return await made.answer(request or ModelRequest("How many?", (PICTURE,)))
        finally:
            await made.aclose()

    return asyncio.run(go())


def response(text, *, status="completed", part=None, **more):
    content = part or {"type": "output_text", "text": text, "annotations": []}
    message = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [content]}
    usage = {
        "input_tokens": 900,
        "input_tokens_details": {"cached_tokens": 800},
        "output_tokens": 12,
        "output_tokens_details": {"reasoning_tokens": 8},
        "total_tokens": 912,
    }
    return {
        "id": "resp-1",
        "object": "response",
        "created_at": 1,
        "model": "gpt-4o-2024-11-20",
        "status": status,
        "output": [message],
        "usage": usage,
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [],
        **more,
    }


def as_said(body):
    return Said(body=json.dumps(body).encode())


def events(*bodies, cut=None):
    lines = "".join(f"data: {body if isinstance(body, str) else json.dumps(body)}\n\n" for body in bodies)
    return Said(body=lines.encode(), headers={"content-type": "text/event-stream"}, cut=cut)


def chunk(content=None, *, ended=None, usage=None, **delta):
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "served",
        "choices": []
        if usage
        else [{"index": 0, "delta": {"content": content, **delta}, "finish_reason": ended}],
        "usage": usage,
    }


USAGE = {"prompt_tokens": 900, "completion_tokens": 12, "total_tokens": 912}


def test_the_whole_conversation_goes_out_over_both_interfaces(served):
    before = (Turn("system", ("Be brief.",)), Turn("user", ("Like so:", PICTURE)), Turn("assistant", ("1",)))
    request = ModelRequest("How many?", (PICTURE,), before=before)
    ask(served, reply("2"), request)
    system, example, said, question = served.asked[-1].body["messages"]
    assert system == {"role": "system", "content": "Be brief."}
    assert [part["type"] for part in example["content"]] == ["text", "image_url"]
    assert said == {"role": "assistant", "content": "1"}
    assert question["content"][1]["image_url"]["detail"] == "auto"
    answered = ask(served, as_said(response("2")), request, api="responses", detail="low")
    system, example, said, question = served.asked[-1].body["input"]
    assert system["content"] == [{"type": "input_text", "text": "Be brief."}]
    assert said["content"] == [{"type": "output_text", "text": "1"}]
    assert question["content"][1]["detail"] == "low"
    assert question["content"][1]["image_url"].startswith("data:image/png;base64,")
    assert len(answered.sent) == 2
    assert [picture.estimated_tokens for picture in answered.sent] == [85, 85]


def test_responses_give_text_usage_and_cost(served):
    answered = ask(served, as_said(response("two")), api="responses", parameters={"max_output_tokens": 9})
    assert (answered.text, answered.model, answered.finish_reason) == ("two", "gpt-4o-2024-11-20", "stop")
    usage = answered.usage
    assert (usage.input_tokens, usage.output_tokens) == (900, 12)
    assert (usage.cached_tokens, usage.reasoning_tokens) == (800, 8)
    assert usage.cost == pytest.approx((100 * 2.5 + 800 * 1.25 + 12 * 10) / 1e6)
    assert served.asked[-1].body["max_output_tokens"] == 9


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (response("", part={"type": "refusal", "refusal": "I will not."}), FailureKind.REFUSAL),
        (
            response("", status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
            FailureKind.TRUNCATED,
        ),
        (
            response("par", status="incomplete", incomplete_details={"reason": "content_filter"}),
            FailureKind.CONTENT_FILTER,
        ),
        (
            response("", status="failed", error={"code": "rate_limit_exceeded", "message": "slow"}),
            FailureKind.RATE_LIMIT,
        ),
        (
            response("", status="failed", error={"code": "invalid_image_format", "message": "?"}),
            FailureKind.MEDIA_REJECTED,
        ),
        (
            response("", status="failed", error={"code": "server_error", "message": "?"}),
            FailureKind.PROVIDER_ERROR,
        ),
        (response(""), FailureKind.MISSING_OUTPUT),
        ({"id": "x"}, FailureKind.PROVIDER_ERROR),
    ],
)
def test_troubles_of_responses_have_their_kind(served, body, kind):
    assert ask(served, as_said(body), api="responses").kind is kind


def test_a_failure_that_was_paid_for_says_what_it_cost(served):
    failure = ask(served, reply("", message={"refusal": "No."}, tokens=(1000, 100)))
    assert failure.kind is FailureKind.REFUSAL
    assert failure.usage.cost == pytest.approx(0.0035)


def test_a_stream_is_put_together(served):
    said = events(chunk("two "), chunk("coins"), chunk(ended="stop"), chunk(usage=USAGE), "[DONE]")
    answered = ask(served, said, stream=True)
    assert (answered.text, answered.finish_reason, answered.model) == ("two coins", "stop", "served")
    assert 0 < answered.first_token <= answered.latency
    assert answered.usage.input_tokens == 900
    assert served.asked[-1].body["stream_options"] == {"include_usage": True}
    pieces = [{"type": "response.output_text.delta", "delta": piece} for piece in ("two ", "coins")]
    said = events(*pieces, {"type": "response.completed", "response": response("two coins")})
    answered = ask(served, said, api="responses", stream=True)
    assert answered.text == "two coins"
    assert 0 < answered.first_token <= answered.latency
    assert answered.usage.output_tokens == 12


@pytest.mark.parametrize(
    ("said", "api", "kind"),
    [
        (events(chunk("two")), "chat", FailureKind.TRUNCATED),
        (events(chunk("two "), chunk("coins"), cut=60), "chat", FailureKind.TRUNCATED),
        (events(chunk("two", ended="content_filter"), "[DONE]"), "chat", FailureKind.CONTENT_FILTER),
        (events(chunk(refusal="No."), chunk(ended="stop"), "[DONE]"), "chat", FailureKind.REFUSAL),
        (events({"error": {"message": "boom"}}), "chat", FailureKind.PROVIDER_ERROR),
        (events({"type": "response.output_text.delta", "delta": "tw"}), "responses", FailureKind.TRUNCATED),
        (
            events({"type": "error", "code": "rate_limit_exceeded", "message": "slow"}),
            "responses",
            FailureKind.RATE_LIMIT,
        ),
        (
            events(
                {
                    "type": "response.failed",
                    "response": response("", status="failed", error={"code": "server_error", "message": "?"}),
                }
            ),
            "responses",
            FailureKind.PROVIDER_ERROR,
        ),
        (Said(hang=True), "chat", FailureKind.TIMEOUT),
        (error(429, "slow down"), "responses", FailureKind.RATE_LIMIT),
    ],
)
def test_troubles_of_streams_have_their_kind(served, said, api, kind):
    failure = ask(served, said, api=api, stream=True, timeout=1.0)
    assert failure.kind is kind, failure
    assert "openai:gpt-4o" in failure.message


def test_an_answer_cut_off_on_its_way_is_truncated_and_may_be_tried_again(served):
    said = reply("a long answer")
    failure = ask(served, Said(body=said.body, cut=40))
    assert (failure.kind, failure.transient) == (FailureKind.TRUNCATED, True)


def test_an_answer_cut_off_is_the_same_to_an_engine(served):
    served.behaviour = lambda asked: Said(body=reply("a long answer").body, cut=40)

    async def go():
        made = create("openai:gpt-4o", base_url=served.url, api_key="sk-any").without_retries()
        try:
            return await made.answer(ModelRequest("How many?"))
        finally:
            await made.aclose()

    failure = asyncio.run(go())
    assert (failure.kind, failure.transient) == (FailureKind.TRUNCATED, True)


@pytest.mark.parametrize(
    ("choice", "kind"),
    [
        ({"message": None, "finish_reason": "content_filter"}, FailureKind.CONTENT_FILTER),
        ({"finish_reason": "stop"}, FailureKind.MISSING_OUTPUT),
        (None, FailureKind.PROVIDER_ERROR),
        ({"message": "two"}, FailureKind.PROVIDER_ERROR),
    ],
)
def test_choices_of_another_shape_are_failures(served, choice, kind):
    failure = ask(served, Said(body=json.dumps({"model": "m", "choices": [choice]}).encode()))
    assert failure.kind is kind, failure


@pytest.mark.parametrize(
    "said",
    [
        {"output": [], "status": "failed", "error": "boom"},
        {"output": [{"content": [{"type": "output_text", "text": None}]}], "status": "completed"},
    ],
)
def test_responses_of_another_shape_are_failures(served, said):
    failure = ask(served, Said(body=json.dumps(said).encode()), api="responses")
    assert failure.kind is FailureKind.PROVIDER_ERROR
    assert "another shape" in failure.message


def test_an_answer_in_parts_is_its_text_without_its_reasoning(served):
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "7"},
    ]
    said = {"model": "m", "choices": [{"message": {"content": parts}, "finish_reason": "stop"}]}
    assert ask(served, Said(body=json.dumps(said).encode())).text == "7"


def test_the_timeout_of_a_request_goes_before_the_models(served):
    late = Said(body=reply("late").body, delay=0.3)
    assert ask(served, late, timeout=0.1, parameters={"timeout": 30}).text == "late"
    failure = ask(served, Said(hang=True), timeout=60.0, parameters={"timeout": 0.2})
    assert "within 0.2 s" in failure.message


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after_ms": "250"}, 0.25),
        ({}, None),
        ({"retry_after": "soon"}, None),
    ],
)
def test_the_wait_that_is_asked_for_is_told(served, headers, wait):
    failure = ask(served, error(429, "slow down", **headers))
    assert (failure.kind, failure.retry_after) == (FailureKind.RATE_LIMIT, wait)
    assert ask(served, error(503, "overloaded", retry_after="3")).retry_after == 3.0


def test_a_pydantic_model_asks_strictly_and_gives_what_it_reads(served):
    answered = ask(served, reply('{"n": "3", "unit": "keys"}'), ModelRequest("?", schema=Count))
    assert (answered.output, answered.validity) == ({"n": 3, "unit": "keys"}, "valid")
    described = served.asked[-1].body["response_format"]["json_schema"]
    assert (described["name"], described["strict"]) == ("Count", True)
    assert described["schema"]["required"] == ["n", "unit"]
    ask(served, as_said(response('{"n": 3}')), ModelRequest("?", schema=Count), api="responses")
    assert served.asked[-1].body["text"]["format"]["strict"] is True
    failure = ask(served, reply('{"n": "many"}'), ModelRequest("?", schema=Count))
    assert failure.kind is FailureKind.SCHEMA_MISMATCH
    assert "n: Input should be a valid integer" in failure.message


def test_json_is_mended_only_when_allowed(served):
    said, request = reply('Sure: {"n": 3,'), ModelRequest("?", schema=SCHEMA)
    assert ask(served, said, request).kind is FailureKind.UNPARSABLE
    mended = ask(served, said, request, repair=True)
    assert (mended.output, mended.validity) == ({"n": 3}, "repaired")
    assert ask(served, reply('Sure: {"m": 3,'), request, repair=True).kind is FailureKind.SCHEMA_MISMATCH
    assert ask(served, reply("three"), request, repair=True).kind is FailureKind.UNPARSABLE
    assert ask(served, reply('{"n": 3}'), request).validity == "valid"
    assert ask(served, reply("three")).validity is None


def test_a_provider_that_enforces_no_schema_is_told_it_in_words(served):
    ask(served, reply('{"n": 3}'), ModelRequest("How many?", schema=SCHEMA), structured="none")
    body = served.asked[-1].body
    assert "response_format" not in body
    assert json.dumps(SCHEMA) in served.asked[-1].text
    ask(served, reply('{"n": 3}'), ModelRequest("How many?", schema=SCHEMA), structured="json_object")
    assert served.asked[-1].body["response_format"] == {"type": "json_object"}
    assert json.dumps(SCHEMA) in served.asked[-1].text


def test_an_invalid_schema_stops_the_run(served):
    with pytest.raises(UsageError, match="JSON Schema is invalid"):
        ask(served, reply("{}"), ModelRequest("?", schema={"type": "numbr"}))
    with pytest.raises(UsageError, match="a schema is a JSON Schema or a pydantic model class"):
        ask(served, reply("{}"), ModelRequest("?", schema=int))


def jpeg(size, **save):
    out = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    Pillow.fromarray(noise).save(out, "JPEG", **save)
    return out.getvalue()


def test_pictures_are_made_to_fit_and_that_is_recorded(served):
    exif = Pillow.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "secret place"
    turned = Image.from_bytes(jpeg((300, 200), exif=exif))
    (sent,) = ask(served, reply("1"), ModelRequest("?", (turned,)), max_side=150).sent
    assert (sent.width, sent.height, sent.original_width, sent.original_height) == (100, 150, 200, 300)
    assert sent.changes == ("resized", "turned")
    assert sent.scale == 0.5
    out = io.BytesIO()
    Pillow.new("RGB", (40, 30)).save(out, "BMP")
    (sent,) = ask(served, reply("1"), ModelRequest("?", (Image.from_bytes(out.getvalue()),))).sent
    assert (sent.media_type, sent.changes) == ("image/png", ("converted",))
    exif = Pillow.Exif()
    exif[0x010E] = "secret place"
    (sent,) = ask(served, reply("1"), ModelRequest("?", (Image.from_bytes(jpeg((30, 20), exif=exif)),))).sent
    assert sent.changes == ("rewritten",)
    large = Image.from_bytes(jpeg((300, 200), quality=95))
    (sent,) = ask(served, reply("1"), ModelRequest("?", (large,)), max_bytes=20_000).sent
    assert sent.bytes <= 20_000 < large.byte_length


def test_the_card_sets_the_limits(served):
    wide = Image.from_array(np.zeros((10, 8100, 3), np.uint8))
    (sent,) = ask(served, reply("1"), ModelRequest("?", (wide,)), model="claude-opus-5").sent
    assert (sent.width, sent.changes, sent.detail) == (8000, ("resized",), "")
    picture = served.asked[-1].body["messages"][0]["content"][1]["image_url"]
    assert "detail" not in picture
    failure = ask(served, reply("1"), ModelRequest("?", (PICTURE,) * 9), model="pixtral-12b")
    assert failure.kind is FailureKind.MEDIA_REJECTED
    assert "at most 8 pictures" in failure.message


def test_pictures_with_an_address_may_go_by_it(served, tmp_path):
    web = Image.from_url("https://host.test/a.png?sig=s3cret")
    known = {**web.__getstate__(), "facts": PICTURE.facts}  # as after an earlier read
    web.__setstate__(known)
    answered = ask(served, reply("1"), ModelRequest("?", (web, PICTURE)), delivery="url")
    assert [picture.delivery for picture in answered.sent] == ["url", "data_uri"]
    urls = [part["image_url"]["url"] for part in served.asked[-1].body["messages"][0]["content"][1:]]
    assert urls[0] == "https://host.test/a.png?sig=s3cret"
    assert urls[1].startswith("data:")
    assert "s3cret" not in repr(answered)
    with pytest.raises(UsageError, match="takes no pictures by url; use 'data_uri'"):
        create("openai:gemini-2.5-pro", delivery="url")


def test_azure_is_asked_for_a_deployment(served, monkeypatch):
    settings = {"azure_endpoint": served.url.removesuffix("/v1"), "api_version": "2025-04-01-preview"}
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "key")
    answered = ask(
        served, reply("1"), model="prod", kind="azure", base_url=None, api_key=None, card="gpt-4o", **settings
    )
    assert answered.usage.cost == pytest.approx((100 * 2.5 + 10 * 10) / 1e6)
    model = create("azure:prod", card="gpt-4o", **settings)
    assert (model.name, identity_of(model)["address"]) == ("azure:prod", settings["azure_endpoint"])
    with pytest.raises(PrerequisiteError, match="set AZURE_OPENAI_API_KEY to a valid one"):
        ask(served, error(401, "no"), model="prod", kind="azure", base_url=None, api_key=None, **settings)
    with pytest.raises(PrerequisiteError, match="set OPENAI_API_VERSION"):
        ask(
            served,
            reply("1"),
            model="prod",
            kind="azure",
            base_url=None,
            api_key=None,
            azure_endpoint=settings["azure_endpoint"],
        )
    monkeypatch.delenv("AZURE_OPENAI_API_KEY")
    with pytest.raises(PrerequisiteError, match="set AZURE_OPENAI_API_KEY"):
        ask(served, reply("1"), model="prod", kind="azure", base_url=None, api_key=None, **settings)
    with pytest.raises(PrerequisiteError, match="set AZURE_OPENAI_ENDPOINT"):
        create("azure:prod")


def test_what_changes_answers_changes_the_identity():
    plain = identity_of(create("openai:gpt-4o"))
    assert plain == identity_of(create("openai:gpt-4o", stream=True, timeout=3, max_retries=0))
    for setting in (
        {"detail": "low"},
        {"api": "responses"},
        {"max_side": 100},
        {"parameters": {"seed": 1}},
        {"repair": True},
        {"structured": "none"},
        {"base_url": "http://other/v1"},
        {"delivery": "url"},
    ):
        assert identity_of(create("openai:gpt-4o", **setting)) != plain, setting
    assert "sk-" not in json.dumps(identity_of(create("openai:gpt-4o", api_key="sk-secret")))


def test_settings_that_do_not_fit_are_refused():
    with pytest.raises(UsageError, match="gpt-4o has no detail 'original'; it has: auto, low, high"):
        create("openai:gpt-4o", detail="original")
    with pytest.raises(UsageError, match="claude-opus-5 has no detail 'low'; it has: none"):
        create("openai:claude-opus-5", detail="low")
    with pytest.raises(UsageError, match="api is 'assistants'"):
        create("openai:gpt-4o", api="assistants")
    with pytest.raises(UsageError, match="parameter input is set by vlmops"):
        create("openai:gpt-4o", api="responses", parameters={"input": "x"})
    with pytest.raises(UsageError, match="no model card is named"):
        create("openai:prod", card="gtp-4o")


def test_a_card_of_ones_own_gives_the_price(served):
    table = CardTable.built_in().extended(
        {
            "cards": {"ours": {"like": "gpt-4o", "names": ["ours"]}},
            "models": {"ours": {"input": 1.0, "output": 1.0}},
        }
    )
    answered = ask(served, reply("1"), model="anything", card=table.card_of("ours"))
    assert answered.usage.cost == pytest.approx(110e-6)
    assert ask(served, reply("1"), model="anything").usage.cost is None
