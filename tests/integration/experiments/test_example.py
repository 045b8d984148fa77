"""The worked example: two OCR models, one file, results in a folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[3] / "examples" / "receipts"


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="the older reader supports no later Python")
def test_it_runs_offline_and_again_without_reading(tmp_path: Path) -> None:
    place = tmp_path / "receipts"
    shutil.copytree(EXAMPLE, place)
    environment = {
        "PATH": "/usr/bin:/bin",
        "VLMOPS_CACHE_DIR": str(tmp_path / "cache"),
        "HOME": str(tmp_path),
    }

    def run(*arguments: str) -> tuple[int, dict]:
        done = subprocess.run(
            [sys.executable, "-m", "vlmops", "run", "--json", *arguments],
            cwd=place,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    code, first = run()
    assert code == 0
    assert [each["name"] for each in first["experiments"]] == [
        "receipts rapidocr-onnxruntime",
        "receipts rapidocr",
    ]
    assert first["calls"]["calls"] == 6
    assert first["gate"]["passed"]
    assert (place / "results" / "datasets" / "receipts" / "0001.jsonl").exists()
    code, again = run("--on", "folder:elsewhere")
    assert (code, again["calls"]["calls"], again["calls"]["cached"]) == (0, 0, 6)
    assert again["experiments"][0]["summary"]["scores"] == first["experiments"][0]["summary"]["scores"]
