"""An OCR model turns boxes to text and fields, and troubles to failures."""

import asyncio
import threading

import numpy as np
import pytest

from vlmops.errors import PrerequisiteError
from vlmops.evaluators import Failure, FailureKind
from vlmops.images import Image
from vlmops.models import ModelRequest, OcrModel, TextBox

PICTURE = Image.from_array(np.full((20, 40, 3), 255, dtype=np.uint8))


class Reader:
    def __init__(self, *found):
        self.found = found
        self.threads = set()

    def read(self, pixels):
        self.threads.add(threading.get_ident())
        assert pixels.shape == (20, 40, 3)
        return list(self.found)


def model(reader, **options):
    return OcrModel("test", "test 1.0", reader, **{"workers": 1, **options})


def ask(asked, *images):
    async def go():
        try:
            return await asked.answer(ModelRequest(images=images))
        finally:
            asked.close()

    return asyncio.run(go())


def test_a_reply_holds_text_boxes_and_confidence():
    boxes = TextBox.upright("7.80", 20, 1, 30, 9, 0.5), TextBox.upright("Tea", 0, 0, 12, 10, 1.0)
    reply = ask(model(lambda: Reader(*boxes)), PICTURE)
    assert reply.output == {"text": "Tea 7.80"}
    assert (reply.text, reply.model, reply.usage) == ("Tea 7.80", "test 1.0", None)
    assert reply.latency >= 0
    (picture,) = reply.metadata["pictures"]
    assert picture["mean_confidence"] == 0.75
    assert [box["text"] for box in picture["lines"][0]] == ["Tea", "7.80"]
    assert picture["lines"][0][0]["corners"] == [[0, 0], [12, 0], [12, 10], [0, 10]]


@pytest.mark.parametrize("fields", [{"total": 7.8}, None])
def test_a_parser_adds_fields(fields):
    reader = Reader(TextBox.upright("x", 0, 0, 9, 9))
    reply = ask(model(lambda: reader, parser=lambda text: fields), PICTURE)
    assert reply.output == {"text": "x", "fields": fields}


def test_a_blank_picture_has_empty_text():
    reply = ask(model(Reader), PICTURE)
    assert reply.output == {"text": ""}
    assert reply.metadata["pictures"] == [{"lines": [], "mean_confidence": None}]


def test_several_pictures_are_parted_by_an_empty_line():
    reply = ask(model(lambda: Reader(TextBox.upright("p", 0, 0, 9, 9))), PICTURE, PICTURE)
    assert reply.text == "p\n\np"
    assert len(reply.metadata["pictures"]) == 2


def test_no_picture_and_a_broken_one_are_failures():
    assert ask(model(Reader)).kind is FailureKind.TASK_ERROR
    broken = Image.from_bytes(b"\xff\xd8\xff not a picture", name="scan.jpg")
    failure = ask(model(Reader), broken)
    assert failure.kind is FailureKind.BAD_IMAGE
    assert "scan.jpg" in failure.message


def test_what_an_engine_raises_is_one_short_failure():
    class Broken:
        def read(self, pixels):
            raise RuntimeError("Traceback ...\n  File x\nout of memory")

    failure = ask(model(Broken), PICTURE)
    assert failure == Failure(FailureKind.PROVIDER_ERROR, "test: RuntimeError: out of memory")


def test_missing_weights_stop_the_run():
    def absent():
        raise PrerequisiteError("reinstall it")

    with pytest.raises(PrerequisiteError, match="reinstall"):
        ask(model(absent), PICTURE)


def test_each_worker_has_its_own_reader():
    made, gate = [], threading.Barrier(2, timeout=30)

    class Gated(Reader):
        def read(self, pixels):
            gate.wait()
            return super().read(pixels)

    def make():
        made.append(Gated())
        return made[-1]

    async def go(asked):
        request = ModelRequest(images=(PICTURE,))
        await asyncio.gather(*(asked.answer(request) for _ in range(4)))
        asked.close()

    asyncio.run(go(model(make, workers=2)))
    assert len(made) == 2
    assert all(len(reader.threads) == 1 for reader in made)
