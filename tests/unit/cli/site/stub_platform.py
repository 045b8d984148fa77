"""An installed package that brings a platform: the one in memory, under the name ``stub``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vlmops.errors import PrerequisiteError
from vlmops.platforms import Check
from vlmops.testing import MemoryPlatform


class StubPlatform(MemoryPlatform):
    """Says what its plugin's checks are."""

    checks: list[Check]

    async def doctor(self) -> AsyncIterator[Check]:
        for check in self.checks:
            yield check


@dataclass
class StubPlugin:
    """Always connects to the same platform; remembers the options."""

    name: str = "stub"
    requires: str = "stub"
    modules: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    interrupt: bool = False

    def __post_init__(self) -> None:
        self.platform = StubPlatform(name="stub", location="memory")
        self.platform.checks = []

    def connect(self, **options: Any) -> StubPlatform:
        if self.interrupt:
            raise KeyboardInterrupt
        self.options = options
        return self.platform

    def start_local(self, data_dir: Path, port: int | None = None) -> Any:
        raise PrerequisiteError("there is no server in memory")

    def media_environment(self) -> dict[str, str]:
        return {"STUB_STORE": "/data/my pictures"}


PLATFORM = StubPlugin()
