"""A run that is killed, interrupted or run twice at once pays for no answer twice."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from model_server import ModelServer, reply

SAMPLES = 60


@pytest.fixture
def commands(place: Path, server: ModelServer, specified: Callable[..., Path]) -> Callable[..., Any]:
    """Starts ``vlmops run`` on 60 pictures, each answer of which takes 50 ms."""
    import os

    server.behaviour = lambda asked: reply("ok", delay=0.05)
    specified(server.url, SAMPLES)
    environment = {**os.environ, "VLMOPS_CACHE_DIR": str(place.parent / "cache")}

    def start(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "vlmops", "run", "--json", *arguments],
            cwd=place,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out)


def wait_for(server: ModelServer, process: subprocess.Popen[str], count: int) -> None:
    while process.poll() is None and len(server.asked) < count:
        time.sleep(0.005)


def texts(server: ModelServer) -> list[str]:
    return [asked.text for asked in server.asked]


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_any_moment_only_what_was_out_is_asked_again(
    commands: Callable[..., Any], server: ModelServer, seed: int
) -> None:
    chance = random.Random(seed)
    kills = 0
    for _ in range(3):
        process = commands()
        wait_for(server, process, len(server.asked) + chance.randrange(4, 18))
        kills += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert kills == 3
    # What the server has answered, but the process was killed before it could read, is out of anyone's hands.
    out = 8 * kills
    ran = finished(commands())
    (experiment,) = ran["experiments"]
    assert experiment["summary"]["runs"] == SAMPLES
    assert experiment["summary"]["failures"] == {}
    assert len(set(texts(server))) == SAMPLES
    assert len(server.asked) <= SAMPLES + out
    again = finished(commands("--on", "folder:elsewhere"))
    assert (again["calls"]["calls"], again["calls"]["cached"]) == (0, SAMPLES)


def test_interrupted_it_keeps_what_is_out_and_says_how_to_go_on(
    commands: Callable[..., Any], server: ModelServer
) -> None:
    process = commands()
    wait_for(server, process, 20)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "interrupted: run the same command again to continue"
    assert 20 <= len(server.asked) < SAMPLES
    finished(commands())
    assert sorted(texts(server)) == sorted({f"q{number:03}" for number in range(SAMPLES)})


def test_two_at_once_in_one_folder(commands: Callable[..., Any], server: ModelServer) -> None:
    slow = reply("ok", delay=20)
    server.behaviour = lambda asked: slow if asked.text == "q000" else reply("ok")
    first = commands()
    wait_for(server, first, SAMPLES)
    second = commands()
    _, err = second.communicate(timeout=60)
    assert second.returncode == 1
    assert "another process works on experiment 'served'" in err
    finished(first)
    assert len(server.asked) == SAMPLES
