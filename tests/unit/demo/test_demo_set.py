"""The bundled set is complete, small, licensed, and what the drawing code makes."""

import json
from io import BytesIO

import numpy as np
import pytest
from PIL import Image as PillowImage

from vlmops.demo import demo_folder
from vlmops.demo.drawings import DRAWINGS
from vlmops.demo.receipts import main, write
from vlmops.images import Image

FOLDER = demo_folder()
RECORDS = [json.loads(line) for line in (FOLDER / "metadata.jsonl").read_text("utf-8").splitlines()]


def test_every_picture_has_one_line_and_every_line_a_picture():
    listed = [record["file_name"] for record in RECORDS]
    assert len(set(listed)) == len(listed) == len({record["id"] for record in RECORDS})
    assert sorted(listed) == sorted(f"images/{path.name}" for path in (FOLDER / "images").iterdir())


def test_lines_are_complete_and_tidy():
    for record in RECORDS:
        assert record["origin"] in {"photograph", "scan", "drawn"}
        assert record["difficulty"] in {"easy", "medium", "hard"}
        assert record["text"] == "\n".join(" ".join(line.split()) for line in record["text"].split("\n"))
        if record["fields"]:
            assert record["fields"].keys() == {"merchant", "date", "total", "items"}


def test_every_real_picture_and_every_font_has_its_licence():
    licences = (FOLDER / "LICENSES.md").read_text("utf-8")
    for record in RECORDS:
        if record["origin"] != "drawn":
            assert f"`{record['file_name'].removeprefix('images/')}`" in licences
    for font in (FOLDER / "fonts").iterdir():
        assert font.suffix == ".txt" or font.name.startswith(("DejaVu", "DancingScript"))


def test_the_set_is_small_enough_for_a_wheel():
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 3_000_000


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["id"])
def test_pictures_can_be_read_and_tell_nothing_of_their_makers(record):
    image = Image.from_path(FOLDER / record["file_name"])
    assert max(image.size) <= 1000
    assert not PillowImage.open(BytesIO(image.read())).getexif()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """The folder in which the command has drawn all pictures."""
    folder = tmp_path_factory.mktemp("drawn")
    assert main([str(folder)]) == 0
    return folder


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda drawing: drawing.id)
def test_drawing_again_gives_the_bundled_picture(drawing, drawn):
    again = (drawn / drawing.file_name).read_bytes()
    assert again == drawing.picture()
    bundled = np.asarray(PillowImage.open(FOLDER / drawing.file_name).convert("RGB"), dtype=float)
    redrawn = np.asarray(PillowImage.open(BytesIO(again)).convert("RGB"), dtype=float)
    # Versions of FreeType and libjpeg differ in single grey levels.
    assert bundled.shape == redrawn.shape
    assert np.abs(bundled - redrawn).mean() < 2
    assert drawing.record() in RECORDS


def test_totals_are_the_sum_of_what_is_printed():
    for record in RECORDS:
        if record["fields"]:
            assert (
                sum(item["price"] for item in record["fields"]["items"]) <= record["fields"]["total"] + 0.001
            )


def test_writing_keeps_the_lines_of_other_pictures(tmp_path, monkeypatch):
    few = DRAWINGS[:2]
    monkeypatch.setattr("vlmops.demo.receipts.DRAWINGS", few)
    other = {"file_name": "images/mine.png", "id": "mine", "origin": "scan"}
    (tmp_path / "metadata.jsonl").write_text(json.dumps(other) + "\n", "utf-8")
    for _ in range(2):
        written = write(tmp_path)
        lines = [json.loads(line) for line in (tmp_path / "metadata.jsonl").read_text("utf-8").splitlines()]
        assert lines == [other, *(drawing.record() for drawing in few)]
    assert all(path.stat().st_size for path in written)


def test_the_command_wants_one_folder(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("vlmops.demo.receipts.DRAWINGS", DRAWINGS[:2])
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
    assert main([str(tmp_path)]) == 0
    assert "2 pictures" in capsys.readouterr().out
