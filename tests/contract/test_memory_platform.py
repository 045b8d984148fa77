"""The platform in memory passes the contract."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from vlmops.evaluators import Case
from vlmops.images import Image
from vlmops.platforms.records import Execution, ScoreTarget
from vlmops.testing import MemoryPlatform
from vlmops.testing.contract import PlatformContract


class TestMemoryPlatform(PlatformContract):
    @pytest.fixture
    def platform(self) -> MemoryPlatform:
        return MemoryPlatform()

    def refuse(self, platform: MemoryPlatform, sample_id: str) -> bool:
        platform.refused_ids.add(sample_id)
        return True

    def record_execution(self, platform: MemoryPlatform, name: str, image: Image, answer: str) -> bool:
        target = ScoreTarget("span", "a1", "t1")
        case = Case(answer, inputs={"image": image}, id="a1")
        platform.recorded.append(Execution(case, target, datetime.now(UTC)))
        platform.refused_ids.add("00")
        return True

    def score_values(self, platform: MemoryPlatform, execution: Execution) -> dict[str, object]:
        return {
            name: score.value
            for (target, name), score in platform.written.items()
            if target == execution.target
        }
