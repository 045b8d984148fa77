"""Wheels, built and installed without network: hatchling is among the development tools."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, **environment: str) -> str:
    """What a command prints; it sees nothing of the network and of the developer's own settings."""
    foreign = ("PYTHON", "UV_", "VIRTUAL_ENV", "VLMOPS_", "PHOENIX_", "LANGFUSE_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    ran = subprocess.run(
        [str(part) for part in command],
        env=clean | environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def build_wheel(source: Path, folder: Path) -> Path:
    """The wheel of a project folder, built with what is installed here."""
    uv = (sys.executable, "-m", "uv", "--offline", "--no-config")
    run(*uv, "build", "--wheel", "--no-build-isolation", "--python", sys.executable, "-o", folder, source)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, target: Path) -> Path:
    """The folder into which a wheel was installed, alone; nothing in this environment changes."""
    uv = (sys.executable, "-m", "uv", "--offline", "--no-config")
    run(*uv, "pip", "install", "--python", sys.executable, "--no-deps", "--target", target, wheel)
    return target
