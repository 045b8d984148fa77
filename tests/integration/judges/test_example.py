"""The worked example tells the judge that looks from the one that does not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[3] / "examples" / "judging"


@pytest.fixture
def run(tmp_path: Path):
    place = tmp_path / "judging"
    shutil.copytree(EXAMPLE, place, ignore=shutil.ignore_patterns("pictures", "cases.jsonl", "audit.json"))
    environment = {**os.environ, "VLMOPS_CACHE_DIR": str(tmp_path / "cache"), "COLUMNS": "200"}

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=place,
            env=environment,
            text=True,
            capture_output=True,
            check=False,
        )

    assert command("make_cases.py").returncode == 0
    return command


def judge(model: str) -> str:
    return f"judge={json.dumps({'rubric': 'colours.toml', 'model': model})}"


def test_the_one_that_looks_is_trusted(run) -> None:
    ended = run("judges.py", "audit", judge("looks"), "--cases", "cases.jsonl", "--json")
    assert ended.returncode == 0, ended
    assert json.loads(ended.stdout)["verdict"] == "trusted"


def test_the_one_that_does_not_is_found_out(run) -> None:
    ended = run("judges.py", "audit", judge("does_not_look"), "--cases", "cases.jsonl")
    assert ended.returncode == 1, ended
    assert "fails blank_picture, swapped_picture, answer_only" in ended.stderr
    calibrated = run("judges.py", "calibrate", judge("does_not_look"), "--cases", "cases.jsonl")
    assert calibrated.returncode == 0, calibrated
    assert "its errors do not allow an estimate" in calibrated.stdout
