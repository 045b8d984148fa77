"""Tables: every row becomes a sample, or an error that names its place and fix."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.datasets import Columns, ImageDataset, Sample
from vlmops.errors import SampleError, UsageError
from vlmops.testing import picture


def entries(file: Path, **options: object) -> list[Sample | SampleError]:
    return list(ImageDataset.from_file(file, **options).entries())  # type: ignore[arg-type]


def write(file: Path, *rows: object) -> Path:
    file.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return file


def test_usual_column_names_need_no_options(tmp_path: Path) -> None:
    row = {"id": "r1", "image": "a.png", "question": "Total?", "label": "ok", "split": "test", "tags": "x, y"}
    (sample,) = entries(write(tmp_path / "t.jsonl", {**row, "shop": "north"}))
    assert isinstance(sample, Sample)
    assert sample.id == "r1"
    assert set(sample.inputs) == {"image", "question"}
    assert sample.expected == {"label": "ok"}
    assert sample.metadata == {"shop": "north"}
    assert (sample.split, sample.tags) == ("test", ("x", "y"))


def test_a_column_named_expected_is_the_value_itself(tmp_path: Path) -> None:
    (sample,) = entries(write(tmp_path / "t.jsonl", {"image": "a.png", "expected": {"total": 3}}))
    assert isinstance(sample, Sample)
    assert sample.expected == {"total": 3}


def test_columns_can_be_named(tmp_path: Path) -> None:
    file = write(tmp_path / "t.csv", "key,pic,cost,remark", "k1,a.png,12,fine")
    columns = Columns(images=["pic"], expected=["cost"], inputs=["remark"], id="key")
    (sample,) = entries(file, columns=columns)
    assert isinstance(sample, Sample)
    assert (sample.id, sample.expected, sample.inputs["remark"]) == ("k1", {"cost": "12"}, "fine")
    assert sample.inputs["pic"].source == str(tmp_path / "a.png")


def test_several_pictures_urls_and_data_uris(tmp_path: Path) -> None:
    row = {"id": "1", "images": ["a.png", "https://host/b.png?sig=secret", picture(1).data_uri()]}
    (sample,) = entries(write(tmp_path / "t.jsonl", row))
    assert isinstance(sample, Sample)
    sources = [image.source for image in sample.images]
    assert sources == [str(tmp_path / "a.png"), "https://host/b.png", "<data URI>"]


def test_one_bad_row_costs_one_row(tmp_path: Path) -> None:
    file = write(
        tmp_path / "t.jsonl", {"image": "a.png"}, '{"image": "b.png"', "[1]", {"note": 1}, {"image": "c.png"}
    )
    found = entries(file)
    assert [type(entry) for entry in found] == [Sample, SampleError, SampleError, SampleError, Sample]
    broken, not_object, no_picture = (str(entry) for entry in found[1:4])
    assert f"{file}:2" in broken
    assert "not JSON" in broken
    assert f"{file}:3" in not_object
    assert "one JSON object on each line" in not_object
    assert f"{file}:4" in no_picture
    assert "no picture in this row" in no_picture


def test_a_missing_column_is_named_with_those_there_are(tmp_path: Path) -> None:
    file = write(tmp_path / "t.csv", "image,lable", "a.png,ok")
    (error,) = entries(file, columns=Columns(expected=["label"]))
    assert isinstance(error, SampleError)
    assert error.field == "label"
    assert "the columns are: image, lable" in str(error)


def test_bytes_of_another_encoding_cost_their_row_alone(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes("image,label\na.png,ok\nb.png,Größe\nc.png,ok\n".encode("cp1252"))
    found = entries(file)
    assert [type(entry) for entry in found] == [Sample, SampleError, Sample]
    assert isinstance(found[1], SampleError)
    assert found[1].field == "label"
    assert "--encoding cp1252" in str(found[1])
    healed = entries(file, encoding="cp1252")[1]
    assert isinstance(healed, Sample)
    assert healed.expected == {"label": "Größe"}


def test_cells_with_line_breaks_and_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes('\ufeffimage,text\na.png,"two\nlines"\nb.png,one,too many\n'.encode())
    found = entries(file)
    assert isinstance(found[0], Sample)
    assert found[0].expected == {"text": "two\nlines"}
    assert "3 cells under 2 columns" in str(found[1])


def test_repeated_ids_are_refused_from_the_second_on(tmp_path: Path) -> None:
    file = write(tmp_path / "t.jsonl", {"id": "a", "image": "1.png"}, {"id": "a", "image": "2.png"})
    first, second = entries(file)
    assert isinstance(first, Sample)
    assert isinstance(second, SampleError)
    assert f"{file}:2" in str(second)
    assert second.sample_id == "a"


def test_without_an_id_column_the_picture_is_the_id(tmp_path: Path) -> None:
    (sample,) = entries(write(tmp_path / "t.jsonl", {"image": "sub\\a.png"}))
    assert isinstance(sample, Sample)
    assert sample.id == "sub/a.png"


@pytest.mark.parametrize(
    ("name", "message"),
    [("none.csv", "no such file"), ("t.txt", "not a table")],
)
def test_what_is_no_table_is_a_usage_error(tmp_path: Path, name: str, message: str) -> None:
    if name == "t.txt":
        (tmp_path / name).write_text("x")
    with pytest.raises(UsageError, match=message):
        ImageDataset.from_file(tmp_path / name)


def test_a_column_twice_in_the_header_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="image appear twice"):
        entries(write(tmp_path / "t.csv", "image,image", "a,b"))


@given(st.binary(max_size=300))
def test_no_bytes_break_a_table(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    for suffix in (".jsonl", ".csv"):
        file = tmp_path_factory.mktemp("fuzz") / f"t{suffix}"
        file.write_bytes(data)
        with contextlib.suppress(UsageError):
            for entry in ImageDataset.from_file(file).entries():
                assert isinstance(entry, Sample | SampleError)


def test_limits_are_read_anew_with_each_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(picture(1).read())
    dataset = ImageDataset.from_file(write(tmp_path / "t.jsonl", {"image": "a.png"}))
    manifest = ImageDataset.from_file(dataset.save(tmp_path / "saved"))
    limits = []
    for wanted in ("100", "200"):
        monkeypatch.setenv("VLMOPS_IMAGE_MAX_BYTES", wanted)
        limits += [sample.images[0].limits.max_bytes for each in (dataset, manifest) for sample in each]
    assert limits == [100, 100, 200, 200]


def test_limits_that_are_no_numbers_are_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLMOPS_IMAGE_MAX_BYTES", "much")
    with pytest.raises(UsageError, match="VLMOPS_IMAGE_MAX_BYTES is 'much'"):
        entries(write(tmp_path / "t.jsonl", {"image": "a.png"}, {"image": "b.png"}))


def test_rows_that_fill_other_columns_are_read_by_their_own(tmp_path: Path) -> None:
    file = write(
        tmp_path / "t.jsonl",
        {"id": "1", "image": "a.png", "label": "ok", "shop": "north"},
        {"id": "2", "mask_image": "b.png", "expected": "x", "question": "Which?"},
        {"id": "3", "image": "c.png", "label": "", "shop": None},
    )
    first, second, third = ImageDataset.from_file(file)
    assert (first.expected, first.metadata) == ({"label": "ok"}, {"shop": "north"})
    assert (list(second.inputs), second.expected, second.metadata) == (["mask_image", "question"], "x", {})
    assert (list(third.inputs), third.expected, third.metadata) == (["image"], None, {})
