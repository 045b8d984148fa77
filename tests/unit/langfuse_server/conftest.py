import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from langfuse_server import LangfuseServer
from langfuse_server.fixtures import langfuse_server

__all__ = ["langfuse_server"]


@pytest.fixture
def api(langfuse_server: LangfuseServer) -> Iterator[httpx.Client]:
    """A client with the server's keys."""
    with client_of(langfuse_server) as client:
        yield client


def client_of(server: LangfuseServer) -> httpx.Client:
    return httpx.Client(base_url=server.url, auth=(server.public_key, server.secret_key))
