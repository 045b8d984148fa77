from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "corpus"))

from bad_images import write_bad_images


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All difficult pictures as files, by name."""
    return write_bad_images(tmp_path_factory.mktemp("corpus"))
