"""Wheels of vlmops and of a package that extends it."""

from __future__ import annotations

from pathlib import Path

import pytest
from wheels import ROOT, build_wheel, install


@pytest.fixture(scope="session")
def vlmops_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of vlmops as it stands."""
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def shouting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample package installed; put it on ``PYTHONPATH`` to have it."""
    wheel = build_wheel(Path(__file__).with_name("vlmops_shouting"), tmp_path_factory.mktemp("shouting"))
    return install(wheel, tmp_path_factory.mktemp("site") / "packages")
