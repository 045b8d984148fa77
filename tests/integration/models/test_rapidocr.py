"""The real text readers on the demo's pictures, with the network shut."""

import asyncio
import json
import logging
import socket

import pytest

from vlmops.demo import demo_folder, parse_receipt
from vlmops.errors import PrerequisiteError
from vlmops.images import Image
from vlmops.models import ModelRequest, create

pytestmark = pytest.mark.integration
RECORDS = {
    record["id"]: record
    for record in map(json.loads, (demo_folder() / "metadata.jsonl").read_text("utf-8").splitlines())
}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    def refuse(*arguments):
        raise AssertionError(f"tried to connect to {arguments[1:]}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def read(name, *ids, **options):
    images = [Image.from_path(demo_folder() / RECORDS[each]["file_name"]) for each in ids]

    async def go():
        model = create(name, **options)
        try:
            requests = (model.answer(ModelRequest(images=(image,))) for image in images)
            return await asyncio.gather(*requests)
        finally:
            model.close()

    return asyncio.run(go())


def test_the_newer_reader_reads_a_clean_receipt_to_the_letter():
    pytest.importorskip("rapidocr")
    (reply,) = read("rapidocr", "receipt-cafe", parser=parse_receipt)
    assert reply.output["text"] == RECORDS["receipt-cafe"]["text"]
    assert reply.output["fields"] == RECORDS["receipt-cafe"]["fields"]
    assert "PP-OCRv6" in reply.model
    assert reply.latency > 0


def test_the_older_reader_loses_spaces_but_finds_the_total():
    pytest.importorskip("rapidocr_onnxruntime")
    (reply,) = read("rapidocr-onnxruntime", "receipt-cafe", parser=parse_receipt)
    truth = RECORDS["receipt-cafe"]
    assert reply.output["fields"]["total"] == truth["fields"]["total"]
    assert reply.text.count(" ") < truth["text"].count(" ")
    assert "PP-OCRv4" in reply.model


@pytest.mark.parametrize("name", ["rapidocr", "rapidocr-onnxruntime"])
def test_boxes_lie_in_the_picture_and_nothing_is_printed(name, capfd, caplog):
    pytest.importorskip(name.replace("-", "_"))
    with caplog.at_level(logging.INFO):
        replies = read(name, "sign-parking", "label-isbn", workers=2)
    for identity, reply in zip(("sign-parking", "label-isbn"), replies, strict=True):
        width, height = Image.from_path(demo_folder() / RECORDS[identity]["file_name"]).size
        boxes = [box for line in reply.metadata["pictures"][0]["lines"] for box in line]
        assert boxes
        for box in boxes:
            assert 0 <= box["confidence"] <= 1
            assert all(-2 <= x <= width + 2 and -2 <= y <= height + 2 for x, y in box["corners"])
    assert capfd.readouterr() == ("", "")


def test_missing_weights_are_not_downloaded(monkeypatch):
    pytest.importorskip("rapidocr")
    from pathlib import Path

    there = Path.is_file
    monkeypatch.setattr(Path, "is_file", lambda path: path.suffix != ".onnx" and there(path))
    with pytest.raises(PrerequisiteError, match=r"lacks its weights .*\.onnx"):
        read("rapidocr", "sign-parking")
