"""Folders of pictures in the image-folder convention."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vlmops.datasets import ImageDataset, Sample
from vlmops.errors import SampleError, UsageError
from vlmops.testing import picture


def put(folder: Path, *names: str) -> None:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(picture(number).read())


def samples(folder: Path) -> dict[str, Sample]:
    return {sample.id: sample for sample in ImageDataset.from_folder(folder)}


def test_flat_folder_has_no_labels(tmp_path: Path) -> None:
    put(tmp_path, "b.png", "a.jpg", ".hidden.png")
    (tmp_path / "notes.txt").write_text("not a picture")
    found = samples(tmp_path)
    assert list(found) == ["a.jpg", "b.png"]
    assert all(sample.expected is None for sample in found.values())


def test_one_folder_per_class_below_splits(tmp_path: Path) -> None:
    put(tmp_path, "train/scratch/1.png", "train/ok/2.png", "test/ok/3.png")
    found = samples(tmp_path)
    assert {i: (s.expected, s.split) for i, s in found.items()} == {
        "test/ok/3.png": ({"label": "ok"}, "test"),
        "train/ok/2.png": ({"label": "ok"}, "train"),
        "train/scratch/1.png": ({"label": "scratch"}, "train"),
    }


@pytest.mark.parametrize("sidecar", ["metadata.csv", "metadata.jsonl"])
def test_sidecar_rows_label_the_pictures(tmp_path: Path, sidecar: str) -> None:
    put(tmp_path, "a.png", "sub/b.png")
    rows = [{"file_name": "a.png", "text": "A"}, {"file_name": "sub/b.png", "text": "B"}]
    text = (
        "file_name,text\na.png,A\nsub/b.png,B\n"
        if sidecar.endswith("csv")
        else "".join(json.dumps(row) + "\n" for row in rows)
    )
    (tmp_path / sidecar).write_text(text)
    found = samples(tmp_path)
    assert {i: s.expected for i, s in found.items()} == {"a.png": {"text": "A"}, "sub/b.png": {"text": "B"}}


def test_a_sidecar_in_each_split(tmp_path: Path) -> None:
    put(tmp_path, "train/a.png", "test/a.png")
    for split in ("train", "test"):
        (tmp_path / split / "metadata.jsonl").write_text(json.dumps({"file_name": "a.png", "label": split}))
    found = samples(tmp_path)
    assert {i: (s.split, s.expected) for i, s in found.items()} == {
        "test/a.png": ("test", {"label": "test"}),
        "train/a.png": ("train", {"label": "train"}),
    }


def test_a_picture_without_a_row_is_an_error(tmp_path: Path) -> None:
    put(tmp_path, "a.png", "b.png")
    (tmp_path / "metadata.jsonl").write_text(json.dumps({"file_name": "a.png", "label": "x"}))
    found = list(ImageDataset.from_folder(tmp_path).entries())
    assert isinstance(found[0], Sample)
    assert isinstance(found[1], SampleError)
    assert "b.png" in str(found[1])
    assert "add a row" in str(found[1])


def test_two_sidecars_are_one_too_many(tmp_path: Path) -> None:
    put(tmp_path, "a.png")
    for name in ("metadata.csv", "metadata.jsonl"):
        (tmp_path / name).write_text("")
    with pytest.raises(UsageError, match="keep one"):
        samples(tmp_path)


def test_a_link_back_up_is_reported_and_the_rest_is_read(tmp_path: Path) -> None:
    put(tmp_path, "x/a.png", "y/b.png")
    (tmp_path / "x" / "loop").symlink_to(tmp_path, target_is_directory=True)
    found = list(ImageDataset.from_folder(tmp_path).entries())
    assert sorted(e.id for e in found if isinstance(e, Sample)) == ["x/a.png", "y/b.png"]
    errors = [str(e) for e in found if isinstance(e, SampleError)]
    assert len(errors) == 1
    assert "leads back to a folder above it" in errors[0]


@pytest.mark.parametrize("make", [lambda p: None, lambda p: p.mkdir()])
def test_missing_and_empty_folders_are_usage_errors(tmp_path: Path, make: object) -> None:
    folder = tmp_path / "f"
    make(folder)  # type: ignore[operator]
    with pytest.raises(UsageError, match=r"no such folder|no pictures in it"):
        samples(folder)


def test_a_saved_dataset_reads_back_equal(tmp_path: Path) -> None:
    made = [
        Sample(
            f"s{i}",
            {"images": [picture(i), picture(i + 1)], "question": "?"},
            expected={"overlay": picture(9), "n": 1.0},
            metadata={"a": {"b": [1, None]}},
            split="test",
            tags=("t",),
        )
        for i in range(3)
    ]
    dataset = ImageDataset.from_samples("d", made)
    manifest = dataset.save(tmp_path / "out")
    back = ImageDataset.from_folder(manifest.parent)
    assert back.revision() == dataset.revision()
    assert [sample.id for sample in back] == ["s0", "s1", "s2"]
    assert next(iter(back)).inputs["images"][1].read() == picture(1).read()
    assert len(list((tmp_path / "out" / "images").iterdir())) == 5
