"""The oldest SDK of the supported range passes what the installed one, the newest, passes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from other_packages import python_with, supported

ROOT = Path(__file__).resolve().parents[3]
SUITES = (
    "tests/contract/test_langfuse_platform.py",
    "tests/plugins/langfuse/test_answer_traces.py",
    "tests/plugins/langfuse/test_experiments.py",
    "tests/plugins/langfuse/test_judges.py",
    "tests/plugins/langfuse/test_native.py",
)


@pytest.fixture(scope="session")
def python_with_oldest_sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with the oldest SDK and what it needs; all else comes from this one's packages."""
    folder = tmp_path_factory.mktemp("oldest-sdk")
    return python_with(folder, supported("langfuse"), "--resolution", "lowest-direct")


def test_the_oldest_sdk_passes_the_contract_and_the_native_idiom(python_with_oldest_sdk: Path) -> None:
    ask = "from importlib.metadata import version; print(version('langfuse'))"
    found = subprocess.run([python_with_oldest_sdk, "-c", ask], check=True, capture_output=True, text=True)
    oldest = re.search(r">=([\d.]+)", supported("langfuse"))
    assert oldest is not None
    assert found.stdout.startswith(oldest[1] + ".")
    run = subprocess.run(
        [python_with_oldest_sdk, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SUITES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert int(re.findall(r"(\d+) passed", run.stdout)[-1]) > 50
