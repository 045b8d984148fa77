"""The native backend of Triton against a server that takes requests apart byte by byte."""

import asyncio

import numpy as np
import pytest
from inference_server import Answered, InferenceServer, outputs
from PIL import Image as Pillow

from vlmops.errors import PrerequisiteError, UsageError
from vlmops.evaluators import FailureKind
from vlmops.images import Image
from vlmops.models import ModelRequest, create, identity_of

PIXELS = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
PICTURE = Image.from_array(PIXELS)


@pytest.fixture
def triton():
    running = InferenceServer()
    running.answer = outputs(text=([1, 1], ["three coins"]))
    yield running
    running.close()


def ask(server, request=None, **options):
    async def go():
        model = create("triton:detector", url=server.url, **options)
        try:
            return await model.answer(request or ModelRequest("How many?", (PICTURE,)))
        finally:
            await model.aclose()

    return asyncio.run(go())


def test_the_file_goes_out_as_it_is_and_text_comes_back(triton):
    reply = ask(triton, image_input="IMAGE", prompt_input="PROMPT", output="TEXT", version="3")
    assert (reply.output, reply.text, reply.model) == ("three coins", "three coins", "served:3")
    (asked,) = triton.asked
    assert asked.path == "/v2/models/detector/versions/3/infer"
    image, prompt = asked.document["inputs"]
    assert (image["name"], image["datatype"], image["shape"]) == ("IMAGE", "BYTES", [1, 1])
    data = PICTURE.read()
    assert asked.tensors["IMAGE"] == len(data).to_bytes(4, "little") + data
    assert prompt["datatype"] == "BYTES"
    assert asked.tensors["PROMPT"] == b"\x09\x00\x00\x00How many?"
    assert asked.document["outputs"] == [{"name": "TEXT", "parameters": {"binary_data": False}}]
    (sent,) = reply.sent
    assert (sent.width, sent.height, sent.bytes, sent.delivery) == (3, 2, len(data), "tensor")


@pytest.mark.parametrize("batched", [True, False])
def test_pixels_go_out_as_a_tensor(triton, batched):
    ask(triton, pixels="hwc", batched=batched)
    ask(triton, pixels="chw", batched=batched)
    rows, planes = triton.asked
    lead = [1] if batched else []
    assert rows.document["inputs"][0]["shape"] == [*lead, 2, 3, 3]
    assert rows.document["inputs"][0]["datatype"] == "UINT8"
    assert np.array_equal(np.frombuffer(rows.tensors["image"], np.uint8).reshape(2, 3, 3), PIXELS)
    assert planes.document["inputs"][0]["shape"] == [*lead, 3, 2, 3]
    assert planes.document["inputs"][0]["datatype"] == "FP32"
    found = np.frombuffer(planes.tensors["image"], "<f4").reshape(3, 2, 3)
    assert np.allclose(found, PIXELS.transpose(2, 0, 1) / 255)


def test_a_turned_picture_goes_out_upright_and_resized_as_told(triton, tmp_path):
    exif = Pillow.Exif()
    exif[0x0112] = 6
    Pillow.new("RGB", (40, 20), "red").save(tmp_path / "turned.jpg", exif=exif)
    turned = ModelRequest(images=(Image.from_path(tmp_path / "turned.jpg"),))
    assert ask(triton, turned, pixels="hwc").sent[0].height == 40
    assert triton.asked[-1].document["inputs"][0]["shape"] == [1, 40, 20, 3]
    reply = ask(triton, turned, pixels="chw", size=(8, 4))
    assert triton.asked[-1].document["inputs"][0]["shape"] == [1, 3, 4, 8]
    assert reply.sent[0].changes == ("resized",)


def test_numbers_come_back_in_their_shape(triton):
    triton.answer = outputs(boxes=([1, 2, 2], [1, 2, 3, 4]))
    assert ask(triton).output == [[[1, 2], [3, 4]]]
    triton.answer = outputs(boxes=([1, 2], [1, 2]), labels=([1, 1], ["coin"]))
    reply = ask(triton)
    assert reply.output == {"boxes": [[1, 2]], "labels": [["coin"]]}
    assert reply.text == '{"boxes": [[1, 2]], "labels": [["coin"]]}'


def test_a_schema_is_held_against_the_answer(triton):
    schema = {"type": "object", "required": ["n"]}
    triton.answer = outputs(text=([1], ['{"n": 3}']))
    assert ask(triton, ModelRequest("?", (PICTURE,), schema)).output == {"n": 3}
    triton.answer = outputs(text=([1], ["three"]))
    assert ask(triton, ModelRequest("?", (PICTURE,), schema)).kind is FailureKind.UNPARSABLE


@pytest.mark.parametrize(
    ("answer", "kind", "transient"),
    [
        (Answered(429, {"error": "busy"}, {"Retry-After": "7"}), FailureKind.RATE_LIMIT, False),
        (Answered(503, {"error": "loading"}), FailureKind.PROVIDER_ERROR, True),
        (Answered(500, {"error": "CUDA out of memory"}), FailureKind.PROVIDER_ERROR, False),
        (Answered(400, {"error": "failed to decode image"}), FailureKind.MEDIA_REJECTED, False),
        (Answered(413, b"too large"), FailureKind.MEDIA_REJECTED, False),
        (Answered(200, b"<html>"), FailureKind.PROVIDER_ERROR, False),
        (Answered(200, {"outputs": [{"name": "x"}]}), FailureKind.PROVIDER_ERROR, False),
        (outputs(boxes=([2, 2], [1, 2, 3])), FailureKind.PROVIDER_ERROR, False),
        (Answered(200, {"outputs": []}, cut=5), FailureKind.TRUNCATED, True),
        (Answered(hang=True), FailureKind.TIMEOUT, False),
    ],
)
def test_troubles_have_their_kind(triton, answer, kind, transient):
    triton.answer = answer
    failure = ask(triton, timeout=0.5)
    assert (failure.kind, failure.transient) == (kind, transient)
    assert failure.retry_after == (7.0 if answer.headers else None)
    assert "triton:detector" in failure.message


def test_what_would_spoil_every_request_is_raised(triton):
    triton.answer = Answered(400, {"error": "Request for unknown model: 'detector' is not found"})
    with pytest.raises(UsageError, match="no such model"):
        ask(triton)
    triton.answer = Answered(400, {"error": "unexpected inference input 'image' for model 'detector'"})
    with pytest.raises(UsageError, match="its inputs are other ones"):
        ask(triton)
    triton.answer = Answered(401, {"error": "unauthorized"})
    with pytest.raises(PrerequisiteError, match="asks for a login"):
        ask(triton)


def test_requests_it_cannot_send(triton):
    assert ask(triton, ModelRequest("?")).kind is FailureKind.TASK_ERROR
    assert ask(triton, ModelRequest("?", (PICTURE, PICTURE))).kind is FailureKind.TASK_ERROR
    assert ask(triton, ModelRequest("?", (Image.from_path("nowhere.png"),))).kind is FailureKind.BAD_IMAGE
    assert triton.asked == []
    url = triton.url
    triton.close()
    failure = asyncio.run(create("triton:x", url=url).answer(ModelRequest(images=(PICTURE,))))
    assert (failure.kind, failure.transient) == (FailureKind.PROVIDER_ERROR, True)


def test_settings_are_checked_and_part_of_the_identity(monkeypatch):
    with pytest.raises(UsageError, match="pixels is 'bgr'"):
        create("triton:x", pixels="bgr")
    with pytest.raises(UsageError, match="both sides must be above 0"):
        create("triton:x", size=(0, 1))
    monkeypatch.setenv("TRITON_URL", "http://gpu:8000/")
    assert identity_of(create("triton:x"))["address"] == "http://gpu:8000"
    assert identity_of(create("triton:x")) != identity_of(create("triton:x", pixels="chw"))
