"""The command, a folder with an experiment, and a judge behind HTTP."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from judging_models import cases, sees
from judging_server import JudgingServer

from vlmops import Experiment, ImageDataset, Sample, push
from vlmops.models import ModelReply
from vlmops.platforms import connect

RUBRIC = """
task = "Judge whether an answer names the colour of the picture."
[[criteria]]
name = "right"
kind = "yes_no"
question = "Is the colour that the answer names the one of the picture?"
"""


@dataclass(frozen=True)
class Ended:
    """What a command left."""

    code: int
    out: str
    err: str


@pytest.fixture
def judging(monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgingServer]:
    """A judge that sees, until the test says otherwise."""
    server = JudgingServer(sees)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    yield server
    server.close()


@pytest.fixture
def vlmops(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., Ended]:
    """Runs ``vlmops`` with these arguments in a folder of its own, which holds a rubric."""
    from vlmops.cli import main

    monkeypatch.setenv("VLMOPS_CACHE_DIR", str(tmp_path / ".cache"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rubric.toml").write_text(RUBRIC)

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["vlmops", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(int(ended.value.code or 0), *capsys.readouterr())

    return run


RunExperiments = Callable[[Any, int, str], dict[str, str]]


@pytest.fixture
def run_experiments() -> RunExperiments:
    """Runs two experiments on so many samples of a new dataset, and gives their ids by name."""
    return _run_experiments


def _run_experiments(platform: Any, count: int, name: str) -> dict[str, str]:
    """Two experiments on pictures of one colour: ``half`` is right on every other four, ``right`` always."""
    answered = cases(count)
    samples = [Sample(case.id, dict(case.inputs), metadata={"half": case.output}) for case in answered]
    assert push(ImageDataset.from_samples(name, samples), platform).ok

    async def half(sample: Sample) -> ModelReply:
        return ModelReply(sample.metadata["half"], sample.metadata["half"])

    async def right(sample: Sample) -> ModelReply:
        colour = ("red", "green", "blue", "yellow")[int(sample.id) % 4]
        return ModelReply(f"{colour} surely", f"{colour} surely")

    tasks = {"half": half, "right": right}
    return {key: Experiment(name, key, task).run(platform).record.id for key, task in tasks.items()}


@dataclass(frozen=True)
class Ran:
    """Experiments on one dataset: their ids by name, and the platform's options for the command."""

    ids: dict[str, str]
    on: tuple[str, ...]
    platform: Any


@pytest.fixture
def ran(tmp_path: Path) -> Ran:
    """The experiments in a results folder."""
    place = f"folder:{tmp_path / 'results'}"
    platform = connect(place)
    return Ran(_run_experiments(platform, 32, "colours"), ("--on", place), platform)
