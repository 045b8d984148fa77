"""Reference vectors for the tests of every use case."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlmops.evaluators.verify import verify_files

VECTORS = Path(__file__).parents[2] / "vectors"


@pytest.fixture
def failing_vectors():
    """Names the vectors of ``tests/vectors/<stem>.json`` on which ours differs from the reference."""

    def failing(stem: str) -> list[str]:
        report = verify_files([VECTORS / f"{stem}.json"])
        return [f"{found.vector.id}: {found.problem}" for found in report.failures]

    return failing
