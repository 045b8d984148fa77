"""The push journal is believed only in the very state it was written in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from vlmops.errors import PrerequisiteError
from vlmops.platforms.journal import PushJournal


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def journal(file: Path) -> Iterator[PushJournal]:
    with PushJournal(file, "phoenix http://localhost parts") as journal:
        journal.open("v1")
        journal.acknowledge([("a", "d1"), ("b", "d1")], "v2")
        yield journal


def test_it_is_believed_in_the_state_it_was_written_in(journal: PushJournal) -> None:
    journal.open("v2")
    assert journal.held([("a", "d1")])
    assert not journal.held([("a", "d2")])
    assert not journal.held([("c", "d1")])


@pytest.mark.parametrize("token", ["v1", "v3", None])
def test_any_other_state_voids_it_for_good(journal: PushJournal, token: str | None) -> None:
    journal.open(token)
    assert not journal.held([("a", "d1")])
    journal.open("v2")
    assert not journal.held([("a", "d1")])


def test_a_write_without_a_state_voids_it(journal: PushJournal) -> None:
    journal.acknowledge([("c", "d1")], None)
    assert not any(journal.held([(sample_id, "d1")]) for sample_id in "abc")
    journal.open("v2")
    assert not journal.held([("a", "d1")])


def test_a_later_write_moves_the_state_on(journal: PushJournal) -> None:
    journal.acknowledge([("b", "d2")], "v3")
    journal.open("v3")
    assert journal.held([("a", "d1")])
    assert journal.held([("b", "d2")])
    assert not journal.held([("b", "d1")])


def test_it_survives_its_process(journal: PushJournal, file: Path) -> None:
    with PushJournal(file, "phoenix http://localhost parts") as other:
        other.open("v2")
        assert other.held([("a", "d1")])


def test_datasets_are_apart(journal: PushJournal, file: Path) -> None:
    with PushJournal(file, "phoenix http://localhost other") as other:
        other.open("v2")
        assert not other.held([("a", "d1")])
    journal.open("v2")
    assert journal.held([("a", "d1")])


def test_removed_samples_are_forgotten(journal: PushJournal) -> None:
    journal.retain({"a"}.__contains__)
    assert journal.held([("a", "d1")])
    assert not journal.held([("b", "d1")])


def test_a_damaged_file_is_made_anew(file: Path) -> None:
    file.write_bytes(b"this was a database once" * 200)
    with PushJournal(file, "k") as journal:
        journal.open("v1")
        journal.acknowledge([("a", "d1")], "v1")
        assert journal.held([("a", "d1")])


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match="set VLMOPS_CACHE_DIR to a folder of yours"):
        PushJournal(tmp_path / "none" / "journal.sqlite", "k")
