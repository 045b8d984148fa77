"""A prompt that no sample can fill, through the command line: told once, and nobody is asked."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from model_server import ModelServer, reply

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def vlmops(place: Path) -> Command:
    environment = {**os.environ, "VLMOPS_CACHE_DIR": str(place.parent / "cache"), "COLUMNS": "200"}

    def ended(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "vlmops", *arguments],
            cwd=place,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return ended


@pytest.mark.parametrize("prompt", ['"Say {questoin}."', '{ file = "say.txt" }'], ids=["text", "file"])
def test_it_is_told_once_and_mended_it_runs(
    vlmops: Command, server: ModelServer, specified: Callable[..., Path], prompt: str
) -> None:
    server.behaviour = lambda asked: reply(asked.text)
    file = specified(server.url, 12)
    file.with_name("say.txt").write_text("Say {questoin}.")
    second = f"[[variants]]\nname = 'misspelt'\nmodel = 'openai:other'\nprompt = {prompt}\n"
    file.write_text(file.read_text().replace("[limits]", f"{second}{_options(server)}\n[limits]"))
    refused = vlmops("run")
    assert (refused.returncode, refused.stdout) == (2, "")
    (told,) = refused.stderr.splitlines()
    assert "vlmops.toml:15: variants[1].prompt: variant 'misspelt': prompt " in told
    assert (
        "names {questoin}, which no sample of dataset 'signs' has among its inputs (image, question)" in told
    )
    assert told.endswith("did you mean {question}?")
    assert server.asked == []
    for mended in (file, file.with_name("say.txt")):
        mended.write_text(mended.read_text().replace("questoin", "question"))
    assert vlmops("run").returncode == 0
    assert sorted(asked.text for asked in server.asked) == sorted(
        text for number in range(12) for text in (f"q{number:03}", f"Say q{number:03}.")
    )


def test_it_is_told_of_a_dataset_by_name_and_of_an_estimate(
    vlmops: Command, specified: Callable[..., Path]
) -> None:
    specified("http://127.0.0.1:1/v1", 3).unlink()
    assert vlmops("push", "signs.jsonl", "--to", "folder:results").returncode == 0
    question = ("--prompt", "Say {questoin}.")
    run = vlmops("run", "signs", "--on", "folder:results", "-m", "openai:served", "-e", "cer", *question)
    estimated = vlmops("estimate", "signs.jsonl", "-m", "gpt-4o", *question)
    for ended in (run, estimated):
        assert ended.returncode == 2, ended.stderr
        (told,) = ended.stderr.splitlines()
        assert "prompt 'Say {questoin}.': names {questoin}, which no sample of dataset 'signs' has" in told
        assert told.endswith("did you mean {question}?")


def _options(server: ModelServer) -> str:
    return f'options = {{ base_url = "{server.url}", api_key = "none" }}\n'
