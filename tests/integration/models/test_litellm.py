"""LiteLLM itself, in an interpreter of its own: it asks for an earlier ``openai`` than the rest."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from other_packages import python_with, supported

SUITE = Path(__file__).with_name("real_litellm.py")


def test_the_package_itself_is_asked(tmp_path: Path) -> None:
    python = python_with(tmp_path / "litellm", supported("litellm"))
    run = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", SUITE],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert int(re.findall(r"(\d+) passed", run.stdout)[-1]) > 10
