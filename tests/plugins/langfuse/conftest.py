"""A Langfuse test server, and a platform connected to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from langfuse_server import LangfuseServer
from langfuse_server.fixtures import langfuse_server
from vlmops_langfuse import LangfusePlatform
from vlmops_langfuse.retry import RetryPolicy
from vlmops_langfuse.settings import LangfuseSettings

__all__ = ["langfuse_server"]

QUICK = RetryPolicy(attempts=8, first_wait=0.001, longest_wait=0.01)

StartServer = Callable[..., LangfuseServer]


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What one test has pushed is unknown to the others, also to those in other processes."""
    monkeypatch.setenv("VLMOPS_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def start_langfuse() -> Iterator[StartServer]:
    """Starts a server with the arguments of ``LangfuseServer``; all are stopped at the end."""
    started: list[LangfuseServer] = []

    def start(**options: Any) -> LangfuseServer:
        server = LangfuseServer(**options)
        server.__enter__()
        started.append(server)
        return server

    yield start
    for server in started:
        server.__exit__(None, None, None)


def connect(server: LangfuseServer, visible_within: float = 2.0) -> LangfusePlatform:
    """A platform that loses no time with waiting."""
    settings = LangfuseSettings.resolve(
        server.url, server.public_key, server.secret_key, visible_within=visible_within
    )
    policy = RetryPolicy(QUICK.attempts, QUICK.first_wait, QUICK.longest_wait)
    return LangfusePlatform(settings, policy)


@pytest.fixture
def settings(langfuse_server: LangfuseServer) -> LangfuseSettings:
    return LangfuseSettings.resolve(
        langfuse_server.url, langfuse_server.public_key, langfuse_server.secret_key, visible_within=2.0
    )


@pytest.fixture
def platform(langfuse_server: LangfuseServer) -> LangfusePlatform:
    return connect(langfuse_server)


@pytest.fixture
def connect_to() -> Callable[..., LangfusePlatform]:
    """Connects to a server that a test has started."""
    return connect
