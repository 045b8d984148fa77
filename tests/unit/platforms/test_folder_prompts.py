"""Prompts in a results folder, as files that people read, copy and damage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vlmops.blocking import blocking
from vlmops.errors import PlatformError
from vlmops.platforms import Prompt, PromptTurn, PromptVersion
from vlmops.platforms.folder.lock import exclusively
from vlmops.platforms.folder.prompts import FolderPrompts

PROMPT = Prompt("judges/caption", (PromptTurn("system", "Größe?"),), {"view": {"max_side": 800}})
FILE = "prompts/judges%2Fcaption/0001.json"


def publish(root: Path, prompt: Prompt = PROMPT, *labels: str) -> PromptVersion:
    return blocking(lambda: FolderPrompts(root).publish(prompt, labels))


def fetch(root: Path, version: str | None = None, label: str | None = None) -> PromptVersion:
    return blocking(lambda: FolderPrompts(root).fetch("judges/caption", version=version, label=label))


def test_a_version_is_a_file_to_read(tmp_path: Path) -> None:
    version = publish(tmp_path)
    assert json.loads((tmp_path / FILE).read_text("utf-8")) == PROMPT.content
    assert "Größe?" in (tmp_path / FILE).read_text("utf-8")
    assert version.url == (tmp_path / FILE).as_uri()


def test_numbers_go_on_after_a_version_was_removed(tmp_path: Path) -> None:
    publish(tmp_path)
    second = Prompt("judges/caption", (PromptTurn("system", "two"),))
    publish(tmp_path, second)
    (tmp_path / FILE).unlink()
    assert publish(tmp_path, second).version == "2"
    assert publish(tmp_path).version == "3"
    with pytest.raises(PlatformError, match="has no '1'; it has the versions 2, 3"):
        fetch(tmp_path, "1")


def test_a_label_of_a_removed_version_is_an_error(tmp_path: Path) -> None:
    publish(tmp_path, PROMPT, "production")
    publish(tmp_path, Prompt("judges/caption", (PromptTurn("system", "two"),)))
    (tmp_path / FILE).unlink()
    with pytest.raises(PlatformError, match="has no '1'"):
        fetch(tmp_path, label="production")


@pytest.mark.parametrize(
    ("content", "problem"),
    [("{", "is no JSON"), ("[]", "is no version of a prompt"), ('{"turns": [{}]}', "is no version")],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: str, problem: str) -> None:
    publish(tmp_path)
    (tmp_path / FILE).write_text(content, "utf-8")
    with pytest.raises(PlatformError, match=rf"0001\.json: {problem}"):
        fetch(tmp_path)


def test_two_processes_do_not_publish_at_once(tmp_path: Path) -> None:
    with (
        exclusively((tmp_path / FILE).parent, "it"),
        pytest.raises(PlatformError, match="another process works on prompt 'judges/caption'"),
    ):
        publish(tmp_path)
