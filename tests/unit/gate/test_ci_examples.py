"""The workflow files that are offered: valid YAML, with commands, options and files that exist."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from vlmops.cli.app import app
from vlmops.gate import gate_table, made_rules

FOLDER = Path(__file__).parents[3] / "examples" / "ci"
FILES = ["github.yml", "gitlab-ci.yml"]


def texts(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [text for value in node.values() for text in texts(value)]
    if isinstance(node, list):
        return [text for value in node for text in texts(value)]
    return [node] if isinstance(node, str) else []


def commands(file: str) -> list[list[str]]:
    """Every call of ``vlmops`` in a workflow, in words."""
    content = yaml.safe_load((FOLDER / file).read_text(encoding="utf-8"))
    lines = [line for text in texts(content) for line in text.replace("\\\n", " ").splitlines()]
    calls = [line.partition("||")[0] for line in lines if line.strip().startswith("vlmops ")]
    return [shlex.split(call) for call in calls]


@pytest.mark.parametrize("file", FILES)
def test_a_workflow_runs_then_gates(file):
    assert [words[1] for words in commands(file)] == ["run", "gate"]


@pytest.mark.parametrize("file", FILES)
def test_every_option_of_a_workflow_exists(file):
    for words in commands(file):
        command = get_command(app).commands[words[1]]
        options = {
            name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)
        }
        assert {word for word in words if word.startswith("--")} <= options
        context = command.make_context(words[1], words[2:])
        assert context.params["evaluator"] == ['cer={"key": "text"}'] or context.params["evaluator"] == [
            'cer={"key":"text"}'
        ]


@pytest.mark.parametrize("file", FILES)
def test_a_change_of_what_a_run_depends_on_starts_a_workflow(file):
    text = (FOLDER / file).read_text(encoding="utf-8")
    assert "vision/**" in text
    for used in ("vision/model.txt", "vision/prompt.txt", "vision/dataset_version.txt", "vlmops.toml"):
        assert used in text
        assert (FOLDER / used).read_text(encoding="utf-8").strip()


def test_github_is_told_when_to_start():
    content = yaml.safe_load((FOLDER / "github.yml").read_text(encoding="utf-8"))
    # YAML 1.1 reads the key "on" as true.
    triggers = content.get("on", content.get(True))
    assert triggers["pull_request"]["paths"] == triggers["push"]["paths"]
    assert triggers["push"]["branches"] == ["main"]


def test_gitlab_shows_the_checks_as_tests():
    content = yaml.safe_load((FOLDER / "gitlab-ci.yml").read_text(encoding="utf-8"))
    assert content["vision-gate"]["artifacts"]["reports"]["junit"] == "gate.xml"


def test_the_rules_are_rules():
    assert made_rules(gate_table(FOLDER / "vlmops.toml"), "vlmops.toml").compares
