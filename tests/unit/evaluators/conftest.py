"""Reference vectors for the tests of every use case."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlmops.evaluators.verify import verify_files

VECTORS = Path(__file__).parents[2] / "vectors"


@pytest.fixture
def failing_vectors():
    """Names the vectors on which ours differs from the reference.

    Takes the stem of a file in ``tests/vectors``, or a path.
    """

    def failing(source: str | Path) -> list[str]:
        path = source if isinstance(source, Path) else VECTORS / f"{source}.json"
        report = verify_files([path])
        return [f"{found.vector.id}: {found.problem}" for found in report.failures]

    return failing
