"""A Phoenix that is not there: answers are given by functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import stamina

from vlmops_phoenix.connection import PhoenixConnection
from vlmops_phoenix.settings import PhoenixSettings

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No setting of this machine, no store of its user, and no waiting between attempts."""
    import os

    for name in [n for n in os.environ if n.startswith(("PHOENIX_", "OTEL_", "VLMOPS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VLMOPS_MEDIA_STORE", str(tmp_path / "media"))
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], PhoenixConnection]:
    """A connection whose requests are answered by a function."""

    def connect(answer: Answer) -> PhoenixConnection:
        client = httpx.AsyncClient(base_url="http://phoenix", transport=httpx.MockTransport(answer))
        monkeypatch.setattr(PhoenixConnection, "http", client)
        return PhoenixConnection(PhoenixSettings("http://phoenix"))

    return connect
