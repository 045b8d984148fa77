"""The command as users start it, in a process of its own, against a real Phoenix."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from phoenix_process import Phoenix

TIMEOUT = 120


@dataclass(frozen=True)
class Ended:
    """A process that has ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """What was said on standard error."""
        return self.err.splitlines()


@dataclass(frozen=True)
class Commands:
    """Starts processes in a folder, with a cache of their own and the Phoenix under test."""

    folder: Path
    environment: dict[str, str]

    def vlmops(self, *arguments: object, **environment: str) -> Ended:
        """Run ``vlmops`` to its end."""
        return ended(self.start(self.executable, *arguments, **environment))

    def start(self, *command: object, **environment: str) -> subprocess.Popen[bytes]:
        """Start a process and go on."""
        return subprocess.Popen(
            [str(part) for part in command],
            cwd=self.folder,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    @property
    def executable(self) -> Path:
        """The installed command."""
        return Path(sys.executable).with_name("vlmops")


def ended(process: subprocess.Popen[bytes]) -> Ended:
    out, err = process.communicate(timeout=TIMEOUT)
    return Ended(process.returncode, out.decode(), err.decode())


@dataclass(frozen=True)
class Remote:
    """What Phoenix holds, read without vlmops."""

    url: str

    def get(self, path: str, **params: Any) -> Any:
        return self.records(path, **params)["data"]

    def records(self, path: str, **params: Any) -> Any:
        return httpx.get(f"{self.url}{path}", params=params, timeout=60).raise_for_status().json()

    def dataset(self, name: str) -> dict[str, Any]:
        (found,) = self.get("/v1/datasets", name=name, limit=10)
        return found

    def examples(self, name: str) -> list[dict[str, Any]]:
        return self.get(f"/v1/datasets/{self.dataset(name)['id']}/examples")["examples"]

    def content(self, name: str) -> dict[str, Any]:
        """Everything that a push writes, by sample id; fails where an id is there twice."""
        examples = self.examples(name)
        content = {e["id"]: {k: e[k] for k in ("input", "output", "metadata")} for e in examples}
        assert len(content) == len(examples)
        return content


@pytest.fixture(scope="session")
def make_commands(phoenix_server: Phoenix) -> Callable[[Path], Commands]:
    def make(folder: Path) -> Commands:
        foreign = ("PHOENIX_", "VLMOPS_", "OTEL_", "LANGFUSE_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        own = {
            "PHOENIX_BASE_URL": phoenix_server.url,
            "VLMOPS_MEDIA_STORE": phoenix_server.media_store,
            "VLMOPS_CACHE_DIR": str(folder / ".cache"),
        }
        return Commands(folder, kept | own)

    return make


@pytest.fixture
def commands(make_commands: Callable[[Path], Commands], tmp_path: Path) -> Commands:
    return make_commands(tmp_path)


@pytest.fixture(scope="session")
def remote(phoenix_server: Phoenix) -> Remote:
    return Remote(phoenix_server.url)


@pytest.fixture(scope="session")
def finish() -> Callable[[subprocess.Popen[bytes]], Ended]:
    """Waits for a started process."""
    return ended
