"""Pytest fixtures; a conftest takes them with `from langfuse_server.fixtures import langfuse_server`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .server import LangfuseServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def langfuse_server(request: pytest.FixtureRequest) -> Iterator[LangfuseServer]:
    """A fresh server that takes score lists and answers at once; indirect parameters are its options."""
    with LangfuseServer(**getattr(request, "param", {})) as server:
        yield server
