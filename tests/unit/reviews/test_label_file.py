"""A file of labels that grows and loses nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from vlmops.errors import UsageError
from vlmops.judges import read_labels
from vlmops.reviews import HumanLabel, update_labels
from vlmops.reviews.label_file import LabelChanges


def label(identity: str, value: Any, day: int = 1, **rest: Any) -> HumanLabel:
    return HumanLabel(identity, value, 1, datetime(2026, 1, day, tzinfo=UTC), **rest)


@pytest.fixture(params=["labels.jsonl", "labels.csv"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / request.param


def test_it_is_read_as_labels_are(path: Path) -> None:
    given = [label("a", True), label("b", False), label("c", 4.0), label("d, e", 'a "dent"')]
    assert update_labels(path, given) == LabelChanges(4, 0, 0, 0, 4)
    assert read_labels(path) == {"a": True, "b": False, "c": 4.0, "d, e": 'a "dent"'}


def test_only_what_is_new_or_changed_is_written(path: Path) -> None:
    update_labels(path, [label("a", True), label("b", True), label("c", True)])
    later = [label("a", True), label("b", False, day=2), label("d", True)]
    assert update_labels(path, later) == LabelChanges(1, 1, 1, 0, 4)
    assert read_labels(path) == {"a": True, "b": False, "c": True, "d": True}
    before = path.stat().st_mtime_ns, path.read_bytes()
    assert update_labels(path, later) == LabelChanges(0, 0, 3, 0, 4)
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before


def test_rows_and_columns_of_ones_own_stay(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("id,label,note\nx,no,mine\na,yes,mine\n")
    assert update_labels(path, [label("a", False), label("b", True)]) == LabelChanges(1, 0, 0, 1, 3)
    assert read_labels(path) == {"x": False, "a": True, "b": True}
    assert "mine" in path.read_text()


def test_a_mended_label_stays_until_people_say_something_new(path: Path) -> None:
    update_labels(path, [label("a", True)])
    text = path.read_text()
    path.write_text(text.replace("true", "false").replace("yes", "no"))
    update_labels(path, [label("a", True)])
    assert read_labels(path) == {"a": False}
    update_labels(path, [label("a", True, day=2)])
    assert read_labels(path) == {"a": True}


def test_comments_with_line_ends_and_rules_are_kept(path: Path) -> None:
    given = label("a", True, comment="two\nlines, \u2028 here", rules=("random", "failed"))
    update_labels(path, [given])
    assert update_labels(path, [given]).unchanged == 1
    assert update_labels(path, [label("b", True)]).total == 2
    assert read_labels(path).keys() == {"a", "b"}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("l.txt", "", r"l\.txt: labels are kept as \.jsonl or \.csv"),
        ("l.csv", "name,label\na,yes\n", r"l\.csv:1: there is no column 'id'"),
        ("l.csv", "id,label\na,yes,more\n", r"l\.csv:2: the row has more cells"),
        ("l.csv", "id,label\na,yes\na,no\n", r"l\.csv:3: the id 'a' is there more than once"),
        ("l.jsonl", '{"id": "a"', r"l\.jsonl:1: this is no JSON"),
        ("l.jsonl", '{"id": "a"}\n[1]\n', r"l\.jsonl:2: this is no JSON object"),
        ("l.jsonl", '{"label": 1}\n', r"l\.jsonl:1: there is no 'id'"),
    ],
)
def test_a_file_that_cannot_be_added_to_is_told_and_left(
    tmp_path: Path, name: str, content: str, told: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(UsageError, match=told):
        update_labels(path, [label("b", True)])
    assert path.read_text() == content


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        update_labels(tmp_path / "nowhere" / "l.jsonl", [label("a", True)])


def test_each_line_stands_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "l.jsonl"
    update_labels(path, [label("a", True, rules=("random",))])
    (line,) = path.read_text().splitlines()
    assert json.loads(line) == {
        "id": "a",
        "label": True,
        "people": 1,
        "at": "2026-01-01T00:00:00+00:00",
        "rules": ["random"],
        "comment": "",
    }


def test_numbers_are_kept_to_the_last_digit(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    update_labels(path, [HumanLabel("a", 1_234_567.25, 1, None), HumanLabel("b", 3.0, 1, None)])
    assert read_labels(path) == {"a": 1_234_567.25, "b": 3}
    assert "b,3,1" in path.read_text()
