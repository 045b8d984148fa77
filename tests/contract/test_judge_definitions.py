"""Judges on the platforms' own servers: taken where they see, refused where they would be blind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from langfuse_server import LangfuseServer
from vlmops.platforms import connect
from vlmops.testing import MemoryPlatform
from vlmops.testing.judge_contract import JudgeDefinitionsContract

if TYPE_CHECKING:
    from vlmops.platforms import Platform


class TestMemory(JudgeDefinitionsContract):
    @pytest.fixture
    def platform(self) -> MemoryPlatform:
        return MemoryPlatform()


class TestLangfuseThatShowsPictures(JudgeDefinitionsContract):
    version = "4.60.0"

    @pytest.fixture
    def platform(self) -> Iterator[Platform]:
        with LangfuseServer(version=self.version) as server:
            keys = {"public_key": server.public_key, "secret_key": server.secret_key}
            yield connect("langfuse", url=server.url, **keys)


class TestLangfuseThatDoesNot(TestLangfuseThatShowsPictures):
    version = "4.16.0"
    takes_pictures = False


class TestPhoenix(JudgeDefinitionsContract):
    takes_pictures = False
    takes_text = False

    @pytest.fixture
    def platform(self) -> Platform:
        return connect("phoenix", url="http://phoenix.invalid")
