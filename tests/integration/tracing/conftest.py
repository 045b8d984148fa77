"""Applications in processes of their own, and a platform that keeps their spans."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from otlp_receiver import OtlpReceiver

SUPPORT = Path(__file__).parents[2] / "support"
START = """
import asyncio, os, sys, threading, time
from functools import cache
sys.path.insert(0, os.environ["SUPPORT"])
import vlmops
from tracing_doubles import IMAGE_URL, png, uri
from opentelemetry import trace

@cache
def picture(number):
    return uri(png(number))

def span(name, number=0):
    trace.get_tracer("openinference.app").start_span(name, attributes={IMAGE_URL: picture(number)}).end()
"""


@dataclass(frozen=True)
class Application:
    """Runs code that has ``span(name, number)``, which ends a span with a picture."""

    folder: Path
    environment: dict[str, str]

    @property
    def store(self) -> Path:
        return self.folder / "media"

    @property
    def stored(self) -> int:
        """Pictures in the store."""
        return len(list(self.store.rglob("*.png")))

    def run(
        self, code: str, *, expected: tuple[int, ...] = (0,), start: str = START, **environment: str
    ) -> str:
        """What it printed; fails when its status is not an ``expected`` one."""
        done = subprocess.run(
            [sys.executable, "-W", "ignore::DeprecationWarning", "-c", start + code],
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode in expected, done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    receiver = OtlpReceiver()
    yield receiver
    receiver.close()


@pytest.fixture
def make_application(tmp_path: Path) -> Callable[..., Application]:
    def make(**environment: str) -> Application:
        foreign = ("PHOENIX_", "VLMOPS_", "OTEL_", "LANGFUSE_", "OPENINFERENCE_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        own = {"SUPPORT": str(SUPPORT), "VLMOPS_MEDIA_STORE": str(tmp_path / "media")}
        return Application(tmp_path, kept | own | environment)

    return make


@pytest.fixture
def application(make_application: Callable[..., Application], receiver: OtlpReceiver) -> Application:
    """One whose Phoenix is the receiver."""
    return make_application(PHOENIX_ENDPOINT=receiver.url)
