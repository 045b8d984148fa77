"""The results folder passes the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlmops.platforms.folder import FolderPlatform
from vlmops.testing.contract import PlatformContract


class TestFolderPlatform(PlatformContract):
    @pytest.fixture
    def platform(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderPlatform:
        monkeypatch.setenv("VLMOPS_CACHE_DIR", str(tmp_path / "cache"))
        return FolderPlatform(tmp_path / "results")
